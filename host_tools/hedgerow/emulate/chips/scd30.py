"""Simulated Sensirion SCD30: continuous measurement every 2 s, data ready, firmware version.

    chip = SCD30(now_ms)
    chip.co2_ppm, chip.temp_c, chip.humidity_pct = 800, 21.5, 55.0

Written from the Interface Description SCD30, version 1.0: sections 1.1, 1.4, 1.5. Second source:
adafruit_scd30.py. An answer read within 3 ms of its command, or by a repeated start, is refused;
after a reset it is deaf for 2 s. The interval stays at 2 s; calibration, pressure and clock
stretching are not simulated.
Faults beside those of i2c_chip.py: "crc" flips a bit, "busy" never has a sample.
"""

from .sensirion import PeriodicFloats


class SCD30(PeriodicFloats):
    INPUTS = (
        ("co2_ppm", "co2", 1000000),
        ("temp_c", "temp", None),
        ("humidity_pct", "humidity", None),
    )
    PERIOD_MS = 2000
    RESET_MS = 2000
    TURN_MS = 3
    START = b"\x00\x00"

    def __init__(self, now_ms):
        self.co2_ppm = 420
        self.temp_c = 20.0
        self.humidity_pct = 50.0
        self.version = b"\x03\x42"
        PeriodicFloats.__init__(self, now_ms)

    def values(self):
        return (self.co2_ppm, self.temp_c, self.humidity_pct)

    def identity(self, code):
        return self.version if code == 0xD100 else b""
