"""A name server that a test can break."""

import socket
import struct
import threading
from collections.abc import Callable


class NameServer:
    """DNS over UDP on loopback for any name. answer: one of the methods, or None: silence."""

    def __init__(self) -> None:
        self.address = "127.0.0.1"
        self.answer: Callable[[bytes], bytes | None] = self.good
        self.delay_s = 0.0
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.port = self._socket.getsockname()[1]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(5)
        self._socket.close()

    def good(self, data: bytes) -> bytes:
        record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x01\x00\x04"
        head = data[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0)
        return head + data[12:] + record + socket.inet_aton(self.address)

    def no_such_name(self, data: bytes) -> bytes:
        return data[:2] + struct.pack(">HHHHH", 0x8183, 1, 0, 0, 0) + data[12:]

    def failure(self, data: bytes) -> bytes:
        return data[:2] + struct.pack(">HHHHH", 0x8182, 1, 0, 0, 0) + data[12:]

    def garbage(self, data: bytes) -> bytes:
        return data[:2] + bytes(range(200, 255)) * 3

    def silence(self, _data: bytes) -> None:
        return None

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                data, peer = self._socket.recvfrom(600)
            except TimeoutError:
                continue
            self.asked += 1
            if self._ended.wait(self.delay_s):
                return
            answer = self.answer(data)
            if answer is not None:
                self._socket.sendto(answer, peer)
