"""A broker that does byte for byte what a test says: for what no real broker would do.

with ByteBroker(talk) as broker:            # talk(peer) in a thread, once for each connection
    events = play(broker.port, {"do": "connect"})

def talk(peer):
    peer.expect(CONNECT)
    peer.say(b"\\x20\\x02\\x00\\x00", piece=1)
"""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

SHIM = Path(__file__).with_name("mqtt_client_shim.py")
_WAIT_S = 120.0


class Peer:
    """One connection. heard: its packets so far; those that expect() takes, and all behind."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._read = b""
        self.heard: list[bytes] = []
        sock.settimeout(_WAIT_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def say(self, data: bytes, piece: int | None = None) -> None:
        """piece: so many bytes in each segment."""
        for at in range(0, len(data), piece or len(data)):
            self._sock.sendall(data[at : at + (piece or len(data))])

    def expect(self, kind: int) -> bytes:
        """The next packet but PINGREQ, which must be of this type."""
        while True:
            packet = self.next()
            assert packet is not None, f"closed where packet type {kind} was due: {self.heard}"
            if packet[0] >> 4 != 12:
                assert packet[0] >> 4 == kind, f"packet type {kind} was due: {self.heard}"
                return packet

    def next(self) -> bytes | None:
        """A whole packet, None at the end of the connection."""
        while (size := _whole(self._read)) is None:
            try:
                data = self._sock.recv(4096)
            except ConnectionResetError:
                data = b""
            if not data:
                assert not self._read, f"half a packet: {self._read!r}"
                return None
            self._read += data
        packet, self._read = self._read[:size], self._read[size:]
        self.heard.append(packet)
        return packet

    def is_silent(self, seconds: float = 0.3) -> bool:
        """Does nothing more come for so long? Too short a time can only miss a fault."""
        self._sock.settimeout(seconds)
        try:
            return not self._sock.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return not self._read
        finally:
            self._sock.settimeout(_WAIT_S)

    def rest(self) -> list[bytes]:
        """Every packet until the client hangs up."""
        return list(iter(self.next, None))


def _whole(data: bytes) -> int | None:
    """Bytes of the packet that data begins with, None while it is not all there."""
    length = 0
    for i, digit in enumerate(data[1:5]):
        length |= (digit & 0x7F) << 7 * i
        if digit < 0x80:
            return 2 + i + length if len(data) >= 2 + i + length else None
    return None


class ByteBroker:
    """Listens on loopback. An error of talk, a failed assert among them, is raised at the end."""

    def __init__(self, talk: Callable[[Peer], None]) -> None:
        self._talk = talk
        self.peers: list[Peer] = []
        self._error: BaseException | None = None

    def __enter__(self) -> "ByteBroker":
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def _serve(self) -> None:
        for sock in _connections(self._listener):
            with sock:
                self.peers.append(Peer(sock))
                try:
                    self._talk(self.peers[-1])
                except (AssertionError, OSError) as error:
                    self._error = self._error or error

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(_WAIT_S)
        if self._error:
            raise self._error


def _connections(listener: socket.socket) -> Iterator[socket.socket]:
    while True:
        try:
            yield listener.accept()[0]
        except OSError:
            return


def play(port: int, *commands: dict, code: int = 0) -> list[dict]:
    """Events of the shim, started as anybody would from a command line; code: it ends with it."""
    line = [sys.executable, str(SHIM), "127.0.0.1", str(port), *map(json.dumps, commands)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=240, check=False)
    assert "Traceback" not in done.stdout + done.stderr, done
    assert done.returncode == code, done
    return [json.loads(text) for text in done.stdout.splitlines()]
