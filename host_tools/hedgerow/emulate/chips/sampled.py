"""Registers of a chip that measures by itself at a fixed rate once it is switched on."""

from .i2c_chip import RegisterChip


class SampledChip(RegisterChip):
    """A subclass says `period_ms()`, None while it does not measure, and `latch()`s a sample.

    Faults: "busy" never has a new sample; "stuck" keeps its last one (and says it is new).
    """

    FAULTS = RegisterChip.FAULTS + ("busy", "stuck")

    def power_on(self):
        RegisterChip.power_on(self)
        self.fresh = False  # a sample that nobody has read
        self._next_ms = None

    def period_ms(self):
        raise NotImplementedError("a chip has a rate")

    def latch(self):
        raise NotImplementedError("a chip has samples")

    def restart(self, settle_ms=0):
        """Measuring begins (or ends) now; the first sample comes after settle_ms and a period."""
        period_ms = self.period_ms()
        self._next_ms = None if period_ms is None else self._now_ms() + settle_ms + period_ms

    def settle(self):
        if self._next_ms is None or self.fault == "busy":
            return
        now_ms, period_ms = self._now_ms(), self.period_ms()
        if now_ms < self._next_ms:
            return
        self._next_ms += ((now_ms - self._next_ms) // period_ms + 1) * period_ms
        if self.fault != "stuck":
            self.latch()
        self.fresh = True


def clip16(value):
    """Nearest 16-bit two's complement number, as 0 to 65535."""
    rounded = int(value + 100000.5) - 100000
    return min(max(rounded, -32768), 32767) & 0xFFFF
