"""Simulated DS3231: counters in BCD, 12 and 24 hours, OSF, forced temperature conversion.

    chip = DS3231(now_ms)
    machine.attach_i2c(0, 0x68, chip)
    chip.day, chip.second, chip.temp_c = 9459, 43200, 21.25

Written from 19-5170 Rev 10 (figure 1, control, status and temperature registers). Second source:
Linux drivers/rtc/rtc-ds3232.c. Alarms and square wave do nothing.
Faults: "busy" never finishes a conversion; "flat" the oscillator stop flag is set; and those of
I2CChip. See clock_chip.py for `backup`.
"""

from .clock_chip import ClockChip, bcd, number

_FIELD = {0: 0, 1: 1, 2: 2, 4: 3, 5: 4, 6: 5}  # register -> field
_CONVERT_MS = 125


class DS3231(ClockChip):
    FAULTS = ClockChip.FAULTS + ("busy", "flat")
    temp_c = 20.0
    twelve_hours = False
    _kept = None

    def power_on(self):
        ClockChip.power_on(self)
        if self._kept is None or not self.backup:
            self._kept = {3: 1, 0x0E: 0x1C, 0x0F: 0x08, 0x10: 0, 0x11: 0, 0x12: 0}
            self._done_ms = None

    def after(self, reg):
        return (reg + 1) % 0x13  # wraps after 0x12

    def load(self, reg):
        if reg == 2 and self.twelve_hours:
            hour = self.fields()[2]
            return 0x40 | (0x20 if hour >= 12 else 0) | bcd((hour + 11) % 12 + 1)
        if reg in _FIELD:
            return bcd(self.fields()[_FIELD[reg]])
        if reg == 0x0F:
            lost = 0x80 if self.lost or self.fault == "flat" else 0
            return self._kept[reg] | lost | (0x04 if self._done_ms is not None else 0)
        return self._kept.get(reg, 0)

    def store(self, reg, value):
        if reg == 2:
            self.twelve_hours = bool(value & 0x40)
            hour = number(value & 0x3F)
            if self.twelve_hours:
                hour = number(value & 0x1F) % 12 + (12 if value & 0x20 else 0)
            self.set_field(2, hour)
        elif reg in _FIELD:
            self.set_field(_FIELD[reg], number(value & 0x7F))
        elif reg == 0x0F:
            self.lost = self.lost and bool(value & 0x80)  # can be cleared, not set
            self._kept[reg] = value & 0x0B
        elif reg not in (0x11, 0x12):
            self._kept[reg] = value
            if reg == 0x0E and value & 0x20 and self._done_ms is None:
                self._done_ms = self._now_ms() + _CONVERT_MS

    def settle(self):
        if self._done_ms is None or self.fault == "busy" or self._now_ms() < self._done_ms:
            return
        self._done_ms = None
        self._kept[0x0E] &= ~0x20
        quarters = int(self.temp_c * 4 + 1000.5) - 1000
        self._kept[0x11], self._kept[0x12] = quarters >> 2 & 0xFF, quarters << 6 & 0xC0
