"""Simulated PCF8563: counters in BCD, VL flag, STOP.

    chip = PCF8563(now_ms)
    machine.attach_i2c(0, 0x51, chip)
    chip.day, chip.second = 9459, 43200

Written from the PCF8563 datasheet Rev. 10 (tables 4 to 17). Second source: Linux
drivers/rtc/rtc-pcf8563.c. Alarm, timer and clock output do nothing; bits without function read 1,
as they may.
Faults: "flat" VL is set; "halted" STOP is set; and those of I2CChip. `backup`:
see clock_chip.py.
"""

from .clock_chip import ClockChip, bcd, number

_FIELD = {2: 0, 3: 1, 4: 2, 5: 3, 7: 4, 8: 5}  # register -> field
_UNUSED = {3: 0x80, 4: 0xC0, 5: 0xC0, 6: 0xF8, 7: 0x60}


class PCF8563(ClockChip):
    FAULTS = ClockChip.FAULTS + ("flat", "halted")
    _kept = None

    def power_on(self):
        ClockChip.power_on(self)
        if self._kept is None or not self.backup:
            self._kept = {0x00: 0x08, 0x01: 0, 0x06: 6, 0x0D: 0x80, 0x0E: 0x03}

    def after(self, reg):
        return (reg + 1) & 0x0F

    def load(self, reg):
        unused = _UNUSED.get(reg, 0)
        if reg in _FIELD:
            lost = 0x80 if reg == 2 and (self.lost or self.fault == "flat") else 0
            return unused | lost | bcd(self.fields()[_FIELD[reg]])
        if reg == 0:
            return self._kept[0] | (0x20 if self.fault == "halted" else 0)
        return self._kept.get(reg, 0) | unused

    def store(self, reg, value):
        if reg in _FIELD:
            if reg == 2:
                self.lost = bool(value & 0x80)
            self.set_field(_FIELD[reg], number(value & 0x7F & ~_UNUSED.get(reg, 0)))
        else:
            self._kept[reg] = value
            if reg == 0:
                self.halt(bool(value & 0x20))
