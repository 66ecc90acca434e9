"""Simulated Sensirion SGP40: raw signal with humidity words, self-test, serial number, CRC.

    chip = SGP40(now_ms)
    chip.raw = 30000  # at 50 %RH and 25 degC
    chip.plate_ok = False  # the self-test fails

Written from the SGP40 datasheet, version 1.2: tables 9 and 10. Second source: adafruit_sgp40. A
word of a command whose CRC is wrong makes the command void. What humidity does to the signal is
not in the datasheet: here it is nothing. Faults beside those of i2c_chip.py: "crc" flips a bit.
"""

from .crc import crc8_msb
from .sensirion import SensirionChip

_MS = {0x260F: 30, 0x280E: 320, 0x3615: 1, 0x3682: 0}


class SGP40(SensirionChip):
    INPUTS = (("raw", "voc_raw", 1),)

    def __init__(self, now_ms):
        self.raw = 30000
        self.plate_ok = True
        self.serial = (0x0000, 0x0180, 0x97F8)
        SensirionChip.__init__(self, now_ms)

    def power_on(self):
        SensirionChip.power_on(self)
        self.heard = (50.0, 25.0)  # %RH and degC of the last measurement
        self.heater_on = False

    def execute(self, command):
        code = command[0] << 8 | command[1] if len(command) > 1 else 0
        if code not in _MS or not self._take_air(code, command):
            return
        self._busy_until_ms = self._now_ms() + _MS[code]
        self.heater_on = code == 0x260F or (self.heater_on and code != 0x3615)
        answers = {
            0x260F: (self.raw,),
            0x280E: (0xD400 if self.plate_ok else 0x4B00,),
            0x3682: self.serial,
        }
        self._words = answers.get(code, ())

    def _take_air(self, code, command):
        """False if measure_raw came without its two words or with a wrong CRC."""
        if code != 0x260F:
            return True
        if len(command) != 8:
            return False
        for i in (2, 5):
            if crc8_msb(command[i : i + 2], 0xFF) != command[i + 2]:
                return False
        humidity, temp = command[2] << 8 | command[3], command[5] << 8 | command[6]
        self.heard = (humidity * 100 / 65535, temp * 175 / 65535 - 45)
        return True
