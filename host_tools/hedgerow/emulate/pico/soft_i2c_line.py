"""I2C chips on two pins that the program drives itself: SoftI2C, and scan() of the hardware buses.

Bits by UM10204 (NXP, rev. 7) section 3.1: SDA falls while SCL is high: start; rises: stop; a bit
is valid while SCL is high and changes while it is low; the ninth is the acknowledge.
"""

from collections.abc import Callable
from typing import Any

_IDLE, _ADDRESS, _WRITE, _READ = range(4)
_BYTE_BITS = 8


class SoftI2CLine:
    """drive_sda(level): 0, or 1 to let go. Chips: as in unix/fake_machine/i2c.py, by address."""

    def __init__(self, drive_sda: Callable[[int], None]) -> None:
        self._drive_sda = drive_sda
        self.chips: dict[int, Any] = {}
        self._scl, self._sda = 1, 1  # as the master leaves them
        self._chip: Any = None
        self._state = _IDLE
        self._n_bits = 0
        self._byte = 0

    def on_sda(self, level: int | None) -> None:
        """Listener for the data pin."""
        before, self._sda = self._sda, 1 if level is None else level
        if not self._scl or self._sda == before:
            return
        if self._sda:
            self._stop()
        else:
            self._enter(_ADDRESS)

    def on_scl(self, level: int | None) -> None:
        """Listener for the clock pin."""
        before, self._scl = self._scl, 1 if level is None else level
        if self._state == _IDLE or self._scl == before:
            return
        if self._scl:
            self._n_bits += 1
            if self._state != _READ and self._n_bits <= _BYTE_BITS:
                self._byte = self._byte << 1 | self._sda
        elif self._state == _READ:
            self._give()
        else:
            self._take()

    def _enter(self, state: int) -> None:
        self._state, self._n_bits, self._byte = state, 0, 0

    def _stop(self) -> None:
        if self._chip is not None:
            self._chip.stop()
        self._chip = None
        self._enter(_IDLE)

    def _take(self) -> None:
        """SCL fell while the master sends."""
        if self._n_bits == _BYTE_BITS:
            self._drive_sda(0 if self._acknowledges() else 1)
        elif self._n_bits > _BYTE_BITS:
            self._drive_sda(1)
            reads = self._state == _ADDRESS and self._byte & 1
            self._enter(_READ if reads else _WRITE)
            if reads:
                self._give()

    def _acknowledges(self) -> bool:
        """Hand the byte on; whoever does not acknowledge hears no more."""
        if self._state == _WRITE:
            accepted = bool(self._chip.write(self._byte))
        else:
            self._chip = self.chips.get(self._byte >> 1)
            accepted = self._chip is not None and bool(self._chip.start(bool(self._byte & 1)))
            if not accepted:
                self._chip = None
        if not accepted:
            self._state = _IDLE
        return accepted

    def _give(self) -> None:
        """SCL fell while the chip sends: its next bit, or room for the master's acknowledge."""
        if self._n_bits > _BYTE_BITS:
            if self._sda:  # not acknowledged: that was the last byte
                self._state = _IDLE
                return
            self._n_bits = 0
        if self._n_bits == _BYTE_BITS:
            self._drive_sda(1)
            return
        if self._n_bits == 0:
            self._byte = self._chip.read() & 0xFF
        self._drive_sda(self._byte >> _BYTE_BITS - 1 - self._n_bits & 1)
