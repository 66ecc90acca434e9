"""Bulk transfer to a device: fragments with forward error correction, on port 201.

Source: LoRa Alliance TS004-1.0.0. The device's half is hedge.net.lorawan.bulk. One transfer per
device: set up, every fragment once, then parity and questions until nothing is missing.
"""

import zlib
from dataclasses import dataclass, field

from hedge.net.lorawan import bulk as wire
from hedge.net.lorawan import frag

_ASK_EVERY = 8  # parity fragments between two questions
_MOST_BYTES = 222 - wire.HEAD_BYTES  # RP002-1.0.3: what the fastest LoRa rates carry in EU868
_MOST_REDUNDANCY = 3.0  # parity per fragment; then the transfer has failed


@dataclass
class Transfer:
    """data is padded to whole fragments of size bytes.

    state: "setup", "sending", "asking", "done", "failed"; error: why it failed.
    """

    data: bytes
    size: int
    index: int = 0
    state: str = "setup"
    error: str = ""
    sent: int = 0
    missing: int | None = None
    _padded: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if not self.data:
            raise ValueError("nothing to send")
        if not 1 <= self.size <= _MOST_BYTES:
            raise ValueError(f"fragments of {self.size} bytes; expected 1 to {_MOST_BYTES}")
        self._padded = self.data + bytes(-len(self.data) % self.size)
        if self.count > wire.MAX_COUNT:
            raise ValueError(f"{self.count} fragments: at most {wire.MAX_COUNT}")

    @property
    def count(self) -> int:
        return len(self._padded) // self.size

    @property
    def active(self) -> bool:
        return self.state in ("setup", "sending", "asking")

    def next(self, room: int) -> bytes | None:
        """The next downlink on the port, None if it does not fit or nothing is left to say."""
        if not self.active:
            return None
        if self.state == "setup":
            padding = len(self._padded) - len(self.data)
            crc = zlib.crc32(self.data)
            return bytes(wire.setup_req(self.index, self.count, self.size, padding, crc))
        if self.state == "asking":
            return bytes(wire.status_req(self.index))
        return self._fragment() if room >= self.size + wire.HEAD_BYTES else None

    def _fragment(self) -> bytes:
        self.sent += 1
        parity = self.sent - self.count
        if parity > self.count * _MOST_REDUNDANCY + _ASK_EVERY:
            self.state, self.error = "failed", f"{self.missing} fragments still missing"
        elif parity >= 0 and parity % _ASK_EVERY == 0:
            self.state = "asking"
        body = frag.fragment(self._padded, self.size, self.sent)
        return bytes(wire.data_fragment(self.index, self.sent, body))

    def take(self, answer: bytes) -> None:
        """An uplink on the port. Raises FrameError."""
        for command, body in wire.split_answers(answer):
            if command == wire.SETUP and self.state == "setup":
                if body[0] & 0x0F:
                    self.state = "failed"
                    self.error = f"the device refuses, status {body[0]:02x}"
                else:
                    self.state = "sending"
            elif command == wire.STATUS and self.state in ("asking", "sending"):
                self.missing = body[2]
                self.state = "done" if self.missing == 0 else "sending"
                if body[3] & 1:
                    self.state, self.error = "failed", "the device has no memory for the matrix"
