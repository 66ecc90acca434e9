"""The air between simulated ESP-NOW radios: a UDP port of the loopback interface.

    with Air(loss=0.1) as air:
        environment["ESPNOW_AIR"] = str(air.port)     # of each node; ESPNOW_MAC is its address

A radio says who it is with an empty datagram; then datagrams are destination, sender, bytes. A
radio retries a unicast some times, so those are lost only when several tries are.
"""

import random
import socket
import threading

_BROADCAST = b"\xff" * 6
_TRIES = 4
_HEAD_BYTES = 12


class Air:
    """loss, double: shares of tries. deaf: pairs of MACs that do not hear each other."""

    def __init__(self, loss: float = 0.0, double: float = 0.0, seed: int = 1) -> None:
        self.loss, self.double = loss, double
        self.deaf: set[frozenset[bytes]] = set()
        self.sent = self.lost = 0
        self._random = random.Random(seed)
        self._radios: dict[bytes, tuple[str, int]] = {}
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self._sock.settimeout(0.05)
        self.port = int(self._sock.getsockname()[1])
        self._ends = False
        self._thread = threading.Thread(target=self._run, name="air", daemon=True)

    def __enter__(self) -> "Air":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends = True
        self._thread.join(5)
        self._sock.close()

    def _run(self) -> None:
        while not self._ends:
            try:
                data, address = self._sock.recvfrom(512)
            except OSError:  # nothing came, or a radio has gone
                continue
            to, sender = data[:6], data[6:_HEAD_BYTES]
            self._radios[sender] = address
            if len(data) > _HEAD_BYTES:
                self._carry(to, sender, data)

    def _carry(self, to: bytes, sender: bytes, data: bytes) -> None:
        self.sent += 1
        for mac, address in self._radios.items():
            if mac == sender or to not in (mac, _BROADCAST) or {mac, sender} in self.deaf:
                continue
            tries = 1 if to == _BROADCAST else _TRIES
            if all(self._random.random() < self.loss for _ in range(tries)):
                self.lost += 1
                continue
            for _ in range(2 if self._random.random() < self.double else 1):
                self._sock.sendto(data, address)
