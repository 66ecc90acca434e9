"""A serial line to a child process, over its stdin and stdout."""

import os
import select
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from hedgerow.emulate.raw_repl import timeout_text
from hedgerow.errors import DeviceError
from hedgerow.transport.unix_process import die_with_parent

_WRITE_BYTES = 4096


class PipeLine:
    """A process to talk to; a context manager that ends it. Raises DeviceError if none starts.

    The process also dies with its parent (Linux).
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._name = name
        self._errors = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                cwd=folder,
                env=None if environment is None else {**os.environ, **environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                preexec_fn=die_with_parent,
                process_group=0,  # Ctrl-C is for us: we end it when we are done with it
            )
        except OSError as error:
            self._errors.close()
            raise DeviceError(f"{name}: cannot start {command[0]}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill the process, if it has not ended, and wait for its end."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if the process has not ended."""
        if self._process.poll() is None:
            self._process.send_signal(number)

    def talk(self, send: bytes, until: bytes, timeout_s: float) -> bytes:
        """Link of the raw REPL."""
        assert self._process.stdin is not None and self._process.stdout is not None
        end_s = time.monotonic() + timeout_s
        received = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if send:
                selector.register(self._process.stdin, selectors.EVENT_WRITE)
            while send or not received.endswith(until):
                ready = selector.select(max(0.0, end_s - time.monotonic()))
                if not ready:
                    raise DeviceError(timeout_text(self._name, timeout_s, bytes(received)))
                for key, _ in ready:
                    if key.fileobj is self._process.stdout:
                        received += self._read(key.fd)
                        continue
                    send = send[self._write(key.fd, send[:_WRITE_BYTES]) :]
                    if not send:
                        selector.unregister(key.fileobj)
        return bytes(received)

    def fileno(self) -> int:
        """Readable when the process has written; for read_now()."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def read_now(self) -> bytes:
        """What the process has written by now. Raises DeviceError if it ended."""
        ready, _, _ = select.select([self], [], [], 0)
        return self._read(self.fileno()) if ready else b""

    def write(self, data: bytes, timeout_s: float) -> None:
        """Send all of it. Raises DeviceError if the process does not take it in time."""
        assert self._process.stdin is not None
        end_s = time.monotonic() + timeout_s
        while data:
            _, ready, _ = select.select([], [self._process.stdin], [], end_s - time.monotonic())
            if not ready:
                raise DeviceError(timeout_text(self._name, timeout_s, b""))
            data = data[self._write(self._process.stdin.fileno(), data[:_WRITE_BYTES]) :]

    def _write(self, fd: int, data: bytes) -> int:
        try:
            return os.write(fd, data)
        except BrokenPipeError as error:
            raise DeviceError(self._ended()) from error

    def _read(self, fd: int) -> bytes:
        received = os.read(fd, 65536)
        if not received:
            raise DeviceError(self._ended())
        return received

    def _ended(self) -> str:
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()[-6:]
        return "\n  ".join([f"{self._name}: the process ended", *said])
