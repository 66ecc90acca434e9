"""A simulated modem on a pseudo-terminal, in a thread; its TCP connections are real ones.

with ModemOnPty(Sim7080, Path("/tmp/modem")) as modem:
    ...                                # a program opens /tmp/modem and says AT
    modem.faults.register_s = 30
    modem.do(Sim7080.lose_network)
"""

import contextlib
import queue
import select
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from hedgerow.emulate.endpoints import Pty
from hedgerow.emulate.modem.faults import Faults
from hedgerow.emulate.modem.modem import Modem

_POLL_S = 0.01
_CONNECT_S = 5.0


class _Socket:
    """A TCP connection whose bytes go to the modem."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # the end shows when reading
            self.sock.sendall(data)

    def close(self) -> None:
        self.sock.close()


class ModemOnPty:
    """address: what a program opens. commands: what the modem was told, in order.

    spoilt: answers with bytes from the network of which faults.garble took one.
    """

    def __init__(self, kind: type[Modem], link: Path, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._pty = Pty(link)
        self.address = self._pty.address
        self._connections: list[_Socket] = []
        self._work: queue.Queue[Callable[[], None]] = queue.Queue()
        self._modem = kind(self, self._pty.send, time.monotonic, self.faults)
        self._ends = False
        self._thread = threading.Thread(target=self._run, name="modem", daemon=True)

    @property
    def commands(self) -> list[str]:
        return list(self._modem.commands)

    @property
    def spoilt(self) -> int:
        return self._modem.spoilt

    def do(self, work: Callable[[Modem], None]) -> None:
        """Call work(modem) in the modem's thread, soon."""
        self._work.put(lambda: work(self._modem))

    def __enter__(self) -> "ModemOnPty":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends = True
        self._thread.join(5)
        for connection in self._connections:
            connection.close()
        self._pty.close()

    def connect(self, host: str, port: int) -> _Socket | None:
        """Of the protocol Network."""
        try:
            sock = socket.create_connection((host, port), timeout=_CONNECT_S)
        except OSError:
            return None
        self._connections.append(_Socket(sock))
        return self._connections[-1]

    def _run(self) -> None:
        while not self._ends:
            self._connections = [c for c in self._connections if c.sock.fileno() >= 0]
            sockets = [connection.sock for connection in self._connections]
            ready, _, _ = select.select([*self._pty.filenos(), *sockets], [], [], _POLL_S)
            self._modem.feed(self._pty.receive())
            for connection in self._connections:
                if connection.sock in ready:
                    self._hear(connection)
            while not self._work.empty():
                self._work.get()()
            self._modem.tick()
            self._pty.send(b"")

    def _hear(self, connection: _Socket) -> None:
        try:
            data = connection.sock.recv(4096)
        except OSError:
            data = b""
        if not data:
            connection.close()
        self._modem.came(connection, data)
