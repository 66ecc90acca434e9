"""Simulated ROHM BH1750FVI: instructions, one-time and continuous modes, measurement time.

    chip = BH1750(now_ms)
    chip.light_lx = 320.0

Written from the BH1750FVI technical note 2009.04 revision B: instructions (page 5), times and
sensitivity (page 2), measurement time (page 11). Second source: Linux iio/light/bh1750.c. The data
register is 0 at power-on and keeps its value while asleep; reading never waits.
Faults: those of i2c_chip.py, "stuck" keeps its first result.
"""

from .i2c_chip import CommandChip

_MEASURE_MS = {0: 120, 1: 120, 3: 16}  # by the low two bits: H, H2, L


class BH1750(CommandChip):
    INPUTS = (("light_lx", "light", None),)
    FAULTS = CommandChip.FAULTS + ("stuck",)
    nack_from = 0

    def __init__(self, now_ms):
        self.light_lx = 100.0
        CommandChip.__init__(self, now_ms)

    def power_on(self):
        CommandChip.power_on(self)
        self.time_register = 69
        self._mode = 0
        self._done_ms = None
        self._count = 0

    def settle(self):
        if self._done_ms is None or self._now_ms() < self._done_ms:
            return
        if self.fault != "stuck" or not self._count:
            factor = 1.2 * self.time_register / 69 * (2 if self._mode & 3 == 1 else 1)
            self._count = min(int(self.light_lx * factor + 0.5), 0xFFFF)
        if self._mode & 0x20:
            self._done_ms = None
        else:
            self._begin(self._mode)

    def _begin(self, mode):
        self._mode = mode
        self._done_ms = self._now_ms() + _MEASURE_MS[mode & 3] * self.time_register / 69

    def execute(self, command):
        if len(command) > 1:
            return  # DS page 10: one instruction a transfer
        code = command[0]
        if code in (0x10, 0x11, 0x13, 0x20, 0x21, 0x23):
            self._begin(code)
        elif code == 0x00:
            self._done_ms = None
        elif code == 0x07 and self._done_ms is not None:
            self._count = 0
        elif code >> 3 == 0x08:
            self.time_register = self.time_register & 0x1F | (code & 7) << 5
        elif code >> 5 == 3:
            self.time_register = self.time_register & 0xE0 | code & 0x1F
        elif code not in (0x01, 0x07):
            self.unknown_commands += 1

    def answer(self):
        return bytes((self._count >> 8, self._count & 0xFF))
