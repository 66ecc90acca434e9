"""An emulated board's serial line, served to whoever connects to its endpoints."""

import select
import time
from collections.abc import Sequence
from typing import Protocol

from hedgerow.emulate.endpoints import Endpoint

_RETRY_S = 0.02  # until a full endpoint is looked at again


class Machine(Protocol):
    """A board that runs while it is asked to."""

    def filenos(self) -> list[int]:
        """Readable when step() has something to do, beside time and input."""

    def step(self, received: bytes) -> tuple[bytes, float | None]:
        """Run a little, some 20 ms. What it wrote; s until the next step, None: none due."""


def serve(machine: Machine, endpoints: Sequence[Endpoint]) -> None:
    """Carry bytes both ways until an exception ends it, Ctrl-C say."""
    wait_s: float | None = 0.0
    while True:
        filenos = [fd for endpoint in endpoints for fd in endpoint.filenos()]
        select.select(filenos + machine.filenos(), [], [], wait_s)
        received = b"".join(endpoint.receive() for endpoint in endpoints)
        written, wait_s = b"", _RETRY_S
        if received or not any(endpoint.is_full for endpoint in endpoints):
            written, wait_s = machine.step(received)
        for endpoint in endpoints:
            endpoint.send(written)


class Pace:
    """Chip time against wall time: speed times as fast, None: as fast as it goes.

    A chip that cannot keep up falls behind for good; it does not hurry afterwards.
    """

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._anchor_ns = 0
        self._anchor_s = time.monotonic()

    def left_ns(self, now_ns: int) -> int | None:
        """How far a chip at now_ns may run now; negative: it is ahead. None: no limit."""
        if self._speed is None:
            return None
        passed_s = time.monotonic() - self._anchor_s
        return self._anchor_ns + int(passed_s * self._speed * 1e9) - now_ns

    def fell_behind(self, now_ns: int) -> None:
        """Time goes on from here."""
        self._anchor_ns, self._anchor_s = now_ns, time.monotonic()

    def wait_s(self, now_ns: int, sleeps_ns: int | None) -> float | None:
        """Until a chip at now_ns that sleeps so long has something to do."""
        left_ns = self.left_ns(now_ns)
        if sleeps_ns is None:
            return None
        if left_ns is None or self._speed is None:
            return 0.0
        return max(0.0, (sleeps_ns - left_ns) / 1e9 / self._speed)
