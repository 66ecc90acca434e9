"""Simulated Sensirion SCD4x: periodic measurement, data ready, stop, serial number, CRC.

    chip = SCD4x(now_ms)
    chip.co2_ppm, chip.temp_c, chip.humidity_pct = 800, 21.5, 55.0

Written from the SCD4x datasheet, version 1.1: table 9, sections 3.5 to 3.9. Second source:
adafruit_scd4x.py. While measuring only read, data ready and stop are taken; a read clears the
data; after stop the chip is deaf for 500 ms. Single shot, offsets and calibration: not simulated.
Faults beside those of i2c_chip.py: "crc" flips a bit, "busy" never has data.
"""

from .sensirion import SensirionChip
from .sht4x import ticks

_PERIOD_MS = 5000
_STOP_MS = 500


class SCD4x(SensirionChip):
    INPUTS = (
        ("co2_ppm", "co2", 1000000),
        ("temp_c", "temp", None),
        ("humidity_pct", "humidity", None),
    )
    FAULTS = SensirionChip.FAULTS + ("busy",)
    max_hz = 100000

    def __init__(self, now_ms):
        self.co2_ppm = 420
        self.temp_c = 20.0
        self.humidity_pct = 50.0
        self.serial = (0xF896, 0x9F07, 0x3BBE)  # datasheet, example of 3.9.2
        SensirionChip.__init__(self, now_ms)

    def power_on(self):
        SensirionChip.power_on(self)
        self._next_ms = None  # of the running periodic measurement
        self._data = None

    def settle(self):
        now_ms = self._now_ms()
        if self._next_ms is None or now_ms < self._next_ms or self.fault == "busy":
            return
        self._next_ms += (now_ms - self._next_ms) // _PERIOD_MS * _PERIOD_MS + _PERIOD_MS
        self._data = (
            self.co2_ppm,
            ticks(self.temp_c, -45, 175),
            ticks(self.humidity_pct, 0, 100),
        )

    def execute(self, command):
        code = command[0] << 8 | command[-1]
        self._words = ()
        if code == 0x3F86:
            self._next_ms = self._data = None
            self._busy_until_ms = self._now_ms() + _STOP_MS
        elif code == 0xE4B8:
            self._words = (0x8006 if self._data else 0x8000,)
        elif code == 0xEC05:
            self._words, self._data = self._data or (), None
        elif self._next_ms is None:
            self._idle_command(code)

    def _idle_command(self, code):
        if code == 0x21B1:
            self._next_ms = self._now_ms() + _PERIOD_MS
        elif code == 0x3682:
            self._words = self.serial
        elif code == 0x3646:
            self.power_on()
