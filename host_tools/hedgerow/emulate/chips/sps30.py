"""Simulated Sensirion SPS30: fan on and off, one sample of ten floats a second, product type.

    chip = SPS30(now_ms)
    chip.pm2_5_ugm3 = 12.5

Written from the SPS30 datasheet, version 1.0: sections 4.3, 6.3. Second source: Sensirion
embedded-sps. Number concentrations are zero; sleep, cleaning and the integer format are not
simulated.
Faults beside those of i2c_chip.py: "crc" flips a bit, "busy" never has a sample.
"""

from .sensirion import PeriodicFloats


class SPS30(PeriodicFloats):
    INPUTS = (
        ("pm1_ugm3", "pm1", None),
        ("pm2_5_ugm3", "pm2_5", None),
        ("pm4_ugm3", "pm4", None),
        ("pm10_ugm3", "pm10", None),
    )
    PERIOD_MS = 1000
    RESET_MS = 100
    START = b"\x03\x00"

    def __init__(self, now_ms):
        self.pm1_ugm3 = 3.0
        self.pm2_5_ugm3 = 5.0
        self.pm4_ugm3 = 6.0
        self.pm10_ugm3 = 7.0
        self.product = b"00080000"
        PeriodicFloats.__init__(self, now_ms)

    def values(self):
        mass = (self.pm1_ugm3, self.pm2_5_ugm3, self.pm4_ugm3, self.pm10_ugm3)
        return mass + (0.0,) * 6

    def identity(self, code):
        return self.product if code == 0xD002 else b""
