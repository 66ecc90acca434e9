"""Chips that speak in pulses on one pin: PWM, WS2812, DHT, echoes."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

_US = 1000
_MS = 1000000
_STREAM_ENDS_NS = 50 * _US  # low for longer: a WS2812 shows what it has got
_NOT_PWM_NS = 200 * _MS  # without an edge

Now = Callable[[], int]
Drive = Callable[[int, int], None]  # level, after_ns


class PulseMeter:
    """Frequency and duty on a pin, with the names of machine.PWM: what a simulated servo sees."""

    def __init__(self, now_ns: Now) -> None:
        self._now_ns = now_ns
        self._rose_ns: int | None = None
        self._fell_ns = 0
        self.high_ns = 0
        self.period_ns = 0

    def on_level(self, level: int | None) -> None:
        now_ns = self._now_ns()
        if level:
            if self._rose_ns is not None:
                self.period_ns = now_ns - self._rose_ns
            self._rose_ns = now_ns
        elif self._rose_ns is not None:
            self.high_ns, self._fell_ns = now_ns - self._rose_ns, now_ns

    def freq(self) -> float:
        """Hz, 0 if there are no pulses now."""
        is_old = self._now_ns() - self._fell_ns > _NOT_PWM_NS
        return 0.0 if is_old or not self.period_ns else 1e9 / self.period_ns

    def duty_u16(self) -> float:
        return 65535 * self.high_ns / self.period_ns if self.freq() else 0.0


class BitStreamLine:
    """Collects pulses for chip.receive([(high ns, low ns), ...]); the last low is the reset."""

    def __init__(self, now_ns: Now, chip: Any) -> None:
        self._now_ns = now_ns
        self._chip = chip
        self._pulses: list[tuple[int, int]] = []
        self._rose_ns: int | None = None
        self._fell_ns: int | None = None

    def on_level(self, level: int | None) -> None:
        now_ns = self._now_ns()
        if level:
            self._end_of_pulse(now_ns)
            self._rose_ns = now_ns
        elif self._rose_ns is not None:
            self._fell_ns = now_ns

    def tick(self) -> None:
        """Once a millisecond: a stream that has ended is received."""
        now_ns = self._now_ns()
        if self._fell_ns is not None and now_ns - self._fell_ns >= _STREAM_ENDS_NS:
            self._end_of_pulse(now_ns)
            pulses, self._pulses = self._pulses, []
            self._chip.receive(pulses)

    def _end_of_pulse(self, now_ns: int) -> None:
        if self._rose_ns is not None and self._fell_ns is not None:
            self._pulses.append((self._fell_ns - self._rose_ns, now_ns - self._fell_ns))
        self._rose_ns = self._fell_ns = None


class LowPulses(ABC):
    """A pin with a pull-up that a master pulls low for a while: 1-Wire, DHT."""

    def __init__(self, now_ns: Now, drive: Drive) -> None:
        self._now_ns = now_ns
        self._drive = drive
        self._fell_ns: int | None = None
        drive(1, 0)  # the pull-up

    def on_level(self, level: int | None) -> None:
        """Listener for the pin, which the master pulls low or does not drive."""
        if level == 0:
            self._fell_ns = self._now_ns()
        elif self._fell_ns is not None:
            low_ns, self._fell_ns = self._now_ns() - self._fell_ns, None
            self._released(low_ns)

    @abstractmethod
    def _released(self, low_ns: int) -> None:
        """The master has let go after this time."""


class DHTLine(LowPulses):
    """A DHT sensor: chip.frame() -> 5 bytes or None, told in pulses after a start signal.

    Times: AM2302 product manual (Aosong), section 7.4: 80 us low, 80 us high, then for each bit
    50 us low and 26 us (0) or 70 us (1) high.
    """

    START_NS = 900 * _US  # manual: 0.8 ms at least

    def __init__(self, now_ns: Now, drive: Drive, chip: Any) -> None:
        super().__init__(now_ns, drive)
        self._chip = chip

    def _released(self, low_ns: int) -> None:
        if low_ns >= self.START_NS:
            self._answer()

    def _answer(self) -> None:
        frame = self._chip.frame()
        if frame is None:
            return
        at_ns = 30 * _US
        for low_us, high_us in [(80, 80), *_bits(frame), (50, 0)]:
            self._drive(0, at_ns)
            self._drive(1, at_ns + low_us * _US)
            at_ns += (low_us + high_us) * _US


def _bits(frame: bytes) -> list[tuple[int, int]]:
    return [(50, 70 if byte >> bit & 1 else 26) for byte in frame for bit in range(7, -1, -1)]
