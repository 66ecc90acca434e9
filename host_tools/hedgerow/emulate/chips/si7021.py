"""Simulated Silicon Labs Si7021: as the HTU21D, with its own times and electronic id.

    chip = SI7021(now_ms)
    chip.temp_c, chip.humidity_pct = 21.5, 55.0

Written from the Si7021-A20 data sheet revision 1.2: tables 2 and 11, section 5.5. Second source:
Linux iio/humidity/si7020.c. Inputs and faults: see htu21d.py.
"""

from .crc import with_crc
from .htu21d import HTU21D


class SI7021(HTU21D):
    TEMP_MS = 10.8
    HUMIDITY_MS = 22.8  # a temperature comes with it
    USER = 0x3A
    snb3 = 0x15

    def _other(self, command):
        if command == b"\xfc\xc9":
            self._data = with_crc(self.snb3 << 8 | 0xFF, 0) + with_crc(0xB5FF, 0)
