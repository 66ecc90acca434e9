"""Simulated MAX30102: FIFO of 32 samples with pointers and overflow counter, rates, averaging,
reset.

    chip = MAX30102(now_ms)
    machine.attach_i2c(0, 0x57, chip)
    chip.red, chip.infrared = 0.5, 0.6  # parts of full scale at 7.2 mA; or functions of ms

Written from 19-7740 Rev 1 (register map, FIFO description, sample rates). Second source:
SparkFun_MAX3010x_Sensor_Library. No temperature, proximity, multi-LED mode or interrupts but
"power ready"; what the overflow counter does with rollover is a guess; resolution is 18 bits at
any pulse width.
Faults: "busy" takes no samples; and those of I2CChip.
"""

from .i2c_chip import RegisterChip

_RATES_HZ = (50, 100, 200, 400, 800, 1000, 1600, 3200)
_RESET_MS = 1


class MAX30102(RegisterChip):
    FAULTS = RegisterChip.FAULTS + ("busy",)
    red = 0.0
    infrared = 0.0
    part_id = 0x15

    def power_on(self):
        RegisterChip.power_on(self)
        self.regs[0x00] = 0x01  # PWR_RDY
        self._fifo = [(0, 0)] * 32
        self._full = False
        self._bytes = []  # of the sample that is being read
        self._next_ms = self._reset_ms = None
        self._summed = (0, 0, 0)

    def after(self, reg):
        return reg if reg == 0x07 else reg + 1 & 0xFF

    def begin(self, reading):
        RegisterChip.begin(self, reading)
        self._bytes = []

    def load(self, reg):
        if reg == 0x07:
            return self._pop()
        if reg == 0xFF:
            return self.part_id
        value = self.regs[reg]
        if reg == 0x00:
            self.regs[reg] = 0  # reading clears the flags
        return value

    def store(self, reg, value):
        if reg == 0x09 and value & 0x40:
            self.power_on()
            self.regs[0x09] = 0x40
            self._reset_ms = self._now_ms() + _RESET_MS
        elif reg in (0x04, 0x05, 0x06):
            self.regs[reg] = value & 0x1F
            self._full = False
        elif reg <= 0x21:
            self.regs[reg] = value
            if reg in (0x09, 0x0A):
                self._next_ms = self._now_ms() + self._period_ms() if self._runs() else None

    def _runs(self):
        return self.regs[0x09] & 0x87 in (2, 3)

    def _period_ms(self):
        return 1000 / _RATES_HZ[self.regs[0x0A] >> 2 & 7]

    def settle(self):
        now_ms = self._now_ms()
        if self._reset_ms is not None and now_ms >= self._reset_ms:
            self._reset_ms = None
            self.regs[0x09] = 0
        while self._next_ms is not None and now_ms >= self._next_ms:
            if self.fault != "busy":
                self._sample(self._next_ms)
            self._next_ms += self._period_ms()

    def _sample(self, at_ms):
        n, red, infrared = self._summed
        self._summed = (n + 1, red + self._counts(0x0C, self.red, at_ms),
                        infrared + self._counts(0x0D, self.infrared, at_ms))  # fmt: skip
        wanted = 1 << min(self.regs[0x08] >> 5, 5)
        if n + 1 >= wanted:
            self._push((self._summed[1] // wanted, self._summed[2] // wanted))
            self._summed = (0, 0, 0)

    def _counts(self, led_reg, share, at_ms):
        share = share(at_ms) if callable(share) else share
        return min(int(share * 262143 * self.regs[led_reg] / 36 + 0.5), 262143)

    def _push(self, sample):
        write = self.regs[0x04]
        if self._full:
            self.regs[0x05] = min(self.regs[0x05] + 1, 31)
            if not self.regs[0x08] & 0x10:
                return
            self.regs[0x06] = self.regs[0x06] + 1 & 31
        self._fifo[write] = sample
        self.regs[0x04] = write + 1 & 31
        self._full = self.regs[0x04] == self.regs[0x06]

    def _pop(self):
        if not self._bytes:
            read = self.regs[0x06]
            for count in self._fifo[read]:
                self._bytes += [count >> 16, count >> 8 & 0xFF, count & 0xFF]
            self.regs[0x06] = read + 1 & 31
            self.regs[0x05] = 0
            self._full = False
        return self._bytes.pop(0)
