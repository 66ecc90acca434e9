"""Simulated Bosch BMP388: sleep and forced mode, trimming memory, data-ready bits, timing.

    chip = BMP388(now_ms)
    machine.attach_i2c(0, 0x76, chip)
    chip.temp_c, chip.pressure_pa = 21.5, 101325.0

Written from BST-BMP388-DS001-01: memory map with reset values (CHIP_ID 0x50, STATUS 0x10, OSR
0x02), measurement time (3.9.2), data-ready bits cleared by reading the data. The raw values are
found by halving intervals of the datasheet's floating-point formulas (appendix 9), not from the
integer ones of the driver. Second source of both: Bosch BMP3_SensorAPI. The trimming words are of
the usual size, own choice. Not simulated: FIFO, filter, normal mode, interrupts, SPI, start-up
after power-on (after a reset it is).

Faults: "busy" never finishes; "stuck" keeps its first result; "slow" takes 4 times as long;
"blank" has empty trimming memory.
"""

import struct

from .i2c_chip import RegisterChip

TRIM = (27500, 18900, -7, 1250, -3900, 35, 0, 25100, 30100, 3, -7, 15000, 28, -60)


def temp_of(raw, trim):
    """degC of a raw value, DS appendix 9.2."""
    t1, t2, t3 = trim[0] * 256.0, trim[1] / 2.0**30, trim[2] / 2.0**48
    return (raw - t1) * t2 + (raw - t1) ** 2 * t3


def pressure_of(raw, t, trim):
    """Pa of a raw value at t degC, DS appendix 9.3."""
    p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11 = trim[3:]
    offset = p5 * 8.0 + p6 / 2.0**6 * t + p7 / 2.0**8 * t**2 + p8 / 2.0**15 * t**3
    slope = (p1 - 16384) / 2.0**20 + (p2 - 16384) / 2.0**29 * t
    slope += p3 / 2.0**32 * t**2 + p4 / 2.0**37 * t**3
    bend = raw * raw * (p9 / 2.0**48 + p10 / 2.0**48 * t)
    return offset + raw * slope + bend + raw * raw * raw * (p11 / 2.0**65)


def _invert(function, wanted):
    """24-bit argument of a monotone function."""
    low, high = 0, (1 << 24) - 1
    rising = function(high) > function(low)
    while low < high:
        middle = (low + high) // 2
        if (function(middle) < wanted) == rising:
            low = middle + 1
        else:
            high = middle
    return low


class BMP388(RegisterChip):
    """I2C slave; bursts read the registers that follow, writes are pairs of address and value."""

    FAULTS = RegisterChip.FAULTS + ("busy", "stuck", "slow", "blank")
    max_hz = 3400000

    def __init__(self, now_ms, trim=TRIM):
        self._trim = trim
        self.temp_c = 20.0
        self.pressure_pa = 101325.0
        self.chip_id = 0x50
        self._measured = False
        RegisterChip.__init__(self, now_ms)

    def power_on(self):
        RegisterChip.power_on(self)
        self.regs[0x03] = 0x10
        self.regs[0x06] = self.regs[0x09] = 0x80
        self.regs[0x1C] = 0x02
        self._done_ms = None
        self._ready_ms = self._now_ms()

    def acks(self, reading):
        return self._now_ms() >= self._ready_ms

    def write(self, byte):
        """Pairs of address and value (DS 5.2.1); only reading counts up."""
        acked = RegisterChip.write(self, byte)
        self._pair = not self._pair
        self._awaiting = not self._pair
        return acked

    def begin(self, reading):
        self._pair = False
        RegisterChip.begin(self, reading)

    def store(self, reg, value):
        if reg == 0x7E:
            if value == 0xB6:
                self.power_on()
                self._ready_ms = self._now_ms() + 2
        elif 0x15 <= reg <= 0x1F:
            self.regs[reg] = value
            if reg == 0x1B and value >> 4 & 3 in (1, 2):
                self._begin()

    def load(self, reg):
        if reg == 0x00:
            return self.chip_id
        if 0x31 <= reg <= 0x45:
            packed = struct.pack("<HHbhhbbHHbbhbb", *self._trim)
            return 0 if self.fault == "blank" else packed[reg - 0x31]
        value = self.regs[reg]
        if reg in (0x06, 0x09):
            self.regs[0x03] &= ~(0x20 if reg == 0x06 else 0x40)
        return value

    def _begin(self):
        osr_p, osr_t = self.regs[0x1C] & 7, self.regs[0x1C] >> 3 & 7
        took_ms = 0.234 + 0.392 + (1 << osr_p) * 2.02 + 0.163 + (1 << osr_t) * 2.02
        self._done_ms = self._now_ms() + took_ms * (4 if self.fault == "slow" else 1)

    def settle(self):
        if self._done_ms is None or self.fault == "busy" or self._now_ms() < self._done_ms:
            return
        self._done_ms = None
        self.regs[0x1B] &= ~0x30
        self.regs[0x03] |= 0x60
        if self.fault != "stuck" or not self._measured:
            self._convert()
        self._measured = True

    def _convert(self):
        raw_t = _invert(lambda raw: temp_of(raw, self._trim), self.temp_c)
        t = temp_of(raw_t, self._trim)
        raw_p = _invert(lambda raw: pressure_of(raw, t, self._trim), self.pressure_pa)
        for i in range(3):
            self.regs[0x04 + i] = raw_p >> 8 * i & 0xFF
            self.regs[0x07 + i] = raw_t >> 8 * i & 0xFF
