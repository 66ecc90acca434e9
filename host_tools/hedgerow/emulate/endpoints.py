"""Where a user's program meets an emulated board's serial line: a pty, a TCP port on loopback."""

import contextlib
import os
import pty
import select
import socket
import time
import tty
from pathlib import Path
from typing import Protocol

from hedgerow.errors import DeviceError

_READ_BYTES = 4096
_HELD_BYTES = 65536  # of output that nobody has read yet
_PATIENCE_S = 0.5  # as MicroPython's USB line has: a reader who takes nothing is not there


class Endpoint(Protocol):
    """address: what `mpremote connect` takes."""

    address: str

    def filenos(self) -> list[int]:
        """Readable when receive() has something to do."""

    def receive(self) -> bytes:
        """What came in; does not wait."""

    def send(self, data: bytes) -> None:
        """Hand out as much as is taken now; the rest with the next call (b"" will do)."""

    @property
    def is_full(self) -> bool:
        """Whether the board has to wait for the reader."""

    def close(self) -> None: ...


class _Backlog:
    """Output that waits for its reader, for a while."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._taken_s = time.monotonic()

    def flush(self, fd: int, data: bytes) -> None:
        self._held += data
        if not self._held:
            self._taken_s = time.monotonic()
            return
        n_taken = _write_some(fd, bytes(self._held[:_HELD_BYTES]))
        del self._held[:n_taken]
        if n_taken or not self._held:
            self._taken_s = time.monotonic()
        elif len(self._held) > _HELD_BYTES and time.monotonic() - self._taken_s > _PATIENCE_S:
            del self._held[:-_HELD_BYTES]

    def __len__(self) -> int:
        return len(self._held)


def _write_some(fd: int, data: bytes) -> int:
    try:
        return os.write(fd, data)
    except BlockingIOError:
        return 0


class Pty:
    """A pseudo-terminal; link: a symbolic link to it, with a name that stays the same."""

    def __init__(self, link: Path | None = None) -> None:
        self._fd, self._slave = pty.openpty()  # the slave stays open: programs come and go
        tty.setraw(self._slave)
        os.set_blocking(self._fd, False)
        self._backlog = _Backlog()
        self._link = link
        self.address = os.ttyname(self._slave)
        if link is not None:
            try:
                _make_link(link, self.address)
            except BaseException:
                self._close_pty()
                raise
            self.address = str(link)

    def filenos(self) -> list[int]:
        return [self._fd]

    def receive(self) -> bytes:
        try:
            return os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return b""

    def send(self, data: bytes) -> None:
        self._backlog.flush(self._fd, data)

    @property
    def is_full(self) -> bool:
        return len(self._backlog) > _HELD_BYTES

    def close(self) -> None:
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        self._close_pty()

    def _close_pty(self) -> None:
        os.close(self._slave)
        os.close(self._fd)


def _make_link(link: Path, target: str) -> None:
    """Replace a link that an earlier run left, nothing else."""
    try:
        if link.is_symlink():
            link.unlink()
        link.symlink_to(target)
    except OSError as error:
        raise DeviceError(
            f"{link}: cannot make the link to the terminal: {error.strerror}"
        ) from error


class TcpPort:
    """A port of the loopback interface; one program at a time, further ones are turned away."""

    def __init__(self, port: int = 0) -> None:
        try:
            self._server = socket.create_server(("127.0.0.1", port))
        except OSError as error:
            raise DeviceError(
                f"port {port}: {error.strerror}: choose another, 0 finds a free one"
            ) from error
        self._server.setblocking(False)
        self._client: socket.socket | None = None
        self._backlog = _Backlog()
        self.address = f"socket://localhost:{self._server.getsockname()[1]}"

    def filenos(self) -> list[int]:
        client = [] if self._client is None else [self._client.fileno()]
        return [self._server.fileno(), *client]

    def receive(self) -> bytes:
        self._accept()
        if self._client is None:
            return b""
        try:
            data = self._client.recv(_READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._hang_up()
        return data

    def send(self, data: bytes) -> None:
        if self._client is None:
            return  # nobody is connected: lost, as on a USB line that nobody has opened
        try:
            self._backlog.flush(self._client.fileno(), data)
        except OSError:
            self._hang_up()

    @property
    def is_full(self) -> bool:
        return len(self._backlog) > _HELD_BYTES

    def close(self) -> None:
        self._hang_up()
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            client, _ = self._server.accept()
            if self._client is not None and _is_gone(self._client):
                self._hang_up()
            if self._client is not None:
                client.close()
                return
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._client = client

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client, self._backlog = None, _Backlog()


def _is_gone(client: socket.socket) -> bool:
    """Whether the other side has closed and all it sent was read."""
    if not select.select([client], [], [], 0)[0]:
        return False
    try:
        return not client.recv(1, socket.MSG_PEEK)
    except OSError:
        return True
