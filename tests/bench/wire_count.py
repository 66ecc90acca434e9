"""Counts what crosses a line: packets and bytes each way, IP headers included.

    with TcpCount(port) as line:       # or UdpCount(port)
        ...                            # the node connects to line.port
    line.up, line.down                 # Traffic

TCP segments are those of the kernel's own counters (TCP_INFO of linux/tcp.h), set-up, pure
acknowledgements and closing included; a header is 40 bytes, as lwIP sends it: without options.
"""

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass

_BYTES_AT, _SEGMENTS_AT, _INFO_BYTES = 120, 136, 232
_POLL_S = 0.2


@dataclass
class Traffic:
    """packets, and their bytes with IP headers."""

    packets: int = 0
    bytes: int = 0

    def add(self, packets: int, payload_bytes: int, header_bytes: int) -> None:
        self.packets += packets
        self.bytes += payload_bytes + packets * header_bytes


class _Count:
    def __init__(self, kind: socket.SocketKind, target_port: int) -> None:
        self.up, self.down = Traffic(), Traffic()
        self._target = ("127.0.0.1", target_port)
        self._front = socket.socket(socket.AF_INET, kind)
        self._front.bind(("127.0.0.1", 0))
        self._front.settimeout(_POLL_S)
        self.port = self._front.getsockname()[1]
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True)]

    def __enter__(self):
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in list(self._threads):
            thread.join(5)
        self._front.close()

    def _run(self) -> None:
        raise NotImplementedError


class TcpCount(_Count):
    header_bytes = 40  # of a segment and IPv4

    def __init__(self, target_port: int) -> None:
        super().__init__(socket.SOCK_STREAM, target_port)
        self._front.listen()

    def _run(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                near, _ = self._front.accept()
                thread = threading.Thread(target=self._carry, args=(near,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _carry(self, near: socket.socket) -> None:
        with near, socket.create_connection(self._target) as far:
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                one.settimeout(_POLL_S)
            back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
            back.start()
            self._pump(near, far)
            self._note(near)
            far.shutdown(socket.SHUT_RDWR)
            back.join(5)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(ConnectionError, OSError):
            while True:
                try:
                    data = source.recv(65536)
                except TimeoutError:
                    if self._ended.is_set():
                        return
                    continue
                if not data:
                    return
                sink.sendall(data)

    def _note(self, near: socket.socket) -> None:
        info = near.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
        acked, received = struct.unpack_from("=QQ", info, _BYTES_AT)
        segments_out, segments_in = struct.unpack_from("=II", info, _SEGMENTS_AT)
        self.up.add(segments_in, received, self.header_bytes)
        self.down.add(segments_out, acked, self.header_bytes)


class UdpCount(_Count):
    """For one node."""

    header_bytes = 28

    def __init__(self, target_port: int) -> None:
        super().__init__(socket.SOCK_DGRAM, target_port)
        self._node: tuple[str, int] | None = None
        self._back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._back.settimeout(_POLL_S)
        self._back.connect(self._target)
        self._threads.append(threading.Thread(target=self._run_down, daemon=True))

    def __enter__(self) -> "UdpCount":
        self._threads[1].start()
        return super().__enter__()

    def __exit__(self, *raised: object) -> None:
        super().__exit__(*raised)
        self._back.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                data, self._node = self._front.recvfrom(2048)
                self._back.send(data)
                self.up.add(1, len(data), self.header_bytes)

    def _run_down(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                data = self._back.recv(2048)
                self._front.sendto(data, self._node)
                self.down.add(1, len(data), self.header_bytes)
