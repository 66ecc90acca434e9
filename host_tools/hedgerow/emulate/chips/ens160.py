"""Simulated ScioSense ENS160: operating modes, validity, one value a second.

    chip = ENS160(now_ms)
    chip.aqi, chip.tvoc_ppb, chip.eco2_ppm = 2, 120, 700
    chip.warm_ms = 0  # no 3 minutes of warming up

Written from SC-001224-DS-7: table 16, sections 16.2.2 to 16.2.10. Second source:
ScioSense_ENS160.h. After a reset or power-on it warms up for warm_ms (validity 1). Reading eCO2
clears new data. The compensation inputs appear in DATA_T and DATA_RH with the next value and
change nothing else. Initial start-up, raw resistances and MISR: not simulated. Faults beside
those of i2c_chip.py: "busy" never has data, "error" sets STATER.
"""

from .i2c_chip import RegisterChip

_PERIOD_MS = 1000


class ENS160(RegisterChip):
    INPUTS = (("aqi", "aqi", 1), ("tvoc_ppb", "tvoc", 1000000000), ("eco2_ppm", "eco2", 1000000))
    FAULTS = RegisterChip.FAULTS + ("busy", "error")
    max_hz = 1000000

    def __init__(self, now_ms):
        self.aqi = 1
        self.tvoc_ppb = 0
        self.eco2_ppm = 400
        self.warm_ms = 180000
        self.part_id = 0x0160
        RegisterChip.__init__(self, now_ms)

    def power_on(self):
        RegisterChip.power_on(self)
        self._next_ms = None
        self._new = False
        self.regs[0x13:0x17] = b"\x8a\x4a\x00\x64"  # 25 degC, 50 %RH
        self._since_ms = self._now_ms()

    def settle(self):
        now_ms = self._now_ms()
        if self._next_ms is None or now_ms < self._next_ms or self.fault == "busy":
            return
        self._next_ms += (now_ms - self._next_ms) // _PERIOD_MS * _PERIOD_MS + _PERIOD_MS
        self.regs[0x21] = self.aqi
        self.regs[0x22], self.regs[0x23] = self.tvoc_ppb & 255, self.tvoc_ppb >> 8
        self.regs[0x24], self.regs[0x25] = self.eco2_ppm & 255, self.eco2_ppm >> 8
        self.regs[0x30:0x34] = self.regs[0x13:0x17]
        self._new = True

    def load(self, reg):
        if reg < 2:
            return self.part_id >> 8 * reg & 0xFF
        if reg == 0x20:
            runs = 0x80 if self.regs[0x10] == 2 else 0
            error = 0x40 if self.fault == "error" else 0
            warming = self._now_ms() - self._since_ms < self.warm_ms
            return runs | error | (4 if warming else 0) | (2 if self._new else 0)
        if reg == 0x25:
            self._new = False
        return self.regs[reg]

    def store(self, reg, value):
        if reg == 0x10 and value == 0xF0:
            self.power_on()
        elif reg == 0x10 and value in (0, 1, 2):
            self.regs[reg] = value
            self._next_ms = self._now_ms() + _PERIOD_MS if value == 2 else None
        elif 0x11 <= reg <= 0x16:
            self.regs[reg] = value
