"""A MicroPython node whose standard input and output are a serial line, behind a pty.

The pty can be unplugged and garbled. What the node says is heard here too, bridge or not.
"""

import os
import select
import subprocess
import threading
from pathlib import Path
from typing import Any

from node import Node

from hedge.net.serial_lines import LONGEST_TO_HOST, Lines
from hedgerow.emulate.endpoints import Pty

_POLL_S = 0.05


class SerialNode(Node):
    """As Node, kind "serial". address: of the port, the link at `place`."""

    def __init__(self, micropython: Path, scenario: str, place: Path, **args: Any) -> None:
        super().__init__(micropython, scenario, kind="serial", **args)
        self.address = str(place)
        self._place = place
        self._said = Lines(LONGEST_TO_HOST, self._hear)
        self._pty: Pty | None = Pty(place)
        self._lock = threading.Lock()
        self._ended = False
        self._lose = 0  # bytes from the node that are still to be lost

    def __enter__(self) -> "SerialNode":
        pipes: dict = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
        self.process = subprocess.Popen(self._command, env=self._env, **pipes)
        self._thread = threading.Thread(target=self._relay, daemon=True)
        self._thread.start()
        return self

    def kill(self) -> None:
        super().kill()
        self._ended = True
        self._thread.join(5)
        self.unplug()

    def unplug(self) -> None:
        with self._lock:
            if self._pty:
                self._pty.close()
            self._pty = None

    def plug_in(self) -> None:
        with self._lock:
            self._pty = Pty(self._place)

    def garble(self, to_node: bytes = b"", to_host: bytes = b"") -> None:
        """Bytes that arrive as if the other side had sent them."""
        with self._lock:
            os.write(self.process.stdin.fileno(), to_node)
            if self._pty:
                self._pty.send(to_host)

    def lose(self, n_bytes: int) -> None:
        """The next so many bytes from the node do not arrive."""
        self._lose = n_bytes

    def _relay(self) -> None:
        out = self.process.stdout.fileno()
        while not self._ended:
            with self._lock:
                filenos = self._pty.filenos() if self._pty else []
            ready, _, _ = select.select([out, *filenos], [], [], _POLL_S)
            with self._lock:
                if out in ready and not self._from_node(os.read(out, 4096)):
                    return
                if self._pty:
                    self._to_node(self._pty.receive())

    def _from_node(self, data: bytes) -> bool:
        self._said.feed(data)
        lost, self._lose = min(self._lose, len(data)), max(0, self._lose - len(data))
        if self._pty:
            self._pty.send(data[lost:])
        if not data:
            self._lines.put(None)
        return bool(data)

    def _to_node(self, data: bytes) -> None:
        if data and self.process.poll() is None:
            os.write(self.process.stdin.fileno(), data)

    def _hear(self, text: bytes) -> None:
        self._lines.put(text.decode("utf-8", "replace"))
