"""Simulated ASAIR AHT20 / Aosong DHT20: status, initialisation, 20-bit readings, CRC.

    chip = AHT20(now_ms)
    chip.temp_c, chip.humidity_pct = 21.5, 55.0
    chip.calibrates = False  # its memory is empty: initialisation does not help

Written from the DHT20 datasheet V1.0 (May 2021), sections 7.3 and 7.4. Second source: Linux
hwmon/aht10.c. Reading never fails with NACK: while it measures the status says busy.
Faults beside those of i2c_chip.py: "crc" flips a bit, "busy" never finishes, "slow" takes 3 times
as long.
"""

from .crc import crc8_msb
from .i2c_chip import CommandChip

_RESET_MS = 20
_MEASURE_MS = 75


class AHT20(CommandChip):
    INPUTS = (("temp_c", "temp", None), ("humidity_pct", "humidity", None))
    FAULTS = CommandChip.FAULTS + ("crc", "busy", "slow")

    def __init__(self, now_ms):
        self.temp_c = 20.0
        self.humidity_pct = 50.0
        self.calibrates = True
        CommandChip.__init__(self, now_ms)

    def power_on(self):
        CommandChip.power_on(self)
        self._calibrated = False
        self._done_ms = None
        self._asleep_until_ms = self._now_ms()
        self._raw = (0, 0)

    def acks(self, reading):
        return self._now_ms() >= self._asleep_until_ms

    def settle(self):
        if self._done_ms is None or self.fault == "busy" or self._now_ms() < self._done_ms:
            return
        self._done_ms = None
        top = 1 << 20
        humidity = int(self.humidity_pct / 100 * top + 0.5)
        temp = int((self.temp_c + 50) / 200 * top + 0.5)
        self._raw = (min(humidity, top - 1), temp)

    def execute(self, command):
        if command == b"\xba":
            self.power_on()
            self._asleep_until_ms = self._now_ms() + _RESET_MS
        elif command == b"\xbe\x08\x00":
            self._calibrated = self.calibrates
        elif command == b"\xac\x33\x00" and self._done_ms is None:
            factor = 3 if self.fault == "slow" else 1
            self._done_ms = self._now_ms() + _MEASURE_MS * factor
        else:
            self.unknown_commands += 1

    def answer(self):
        status = 0x10 | (0x08 if self._calibrated else 0)
        if self._done_ms is not None:
            status |= 0x80
        bits = self._raw[0] << 20 | self._raw[1]
        data = bytearray((status,)) + bytes(bits >> shift & 0xFF for shift in (32, 24, 16, 8, 0))
        data.append(crc8_msb(data, 0xFF))
        if self.fault == "crc":
            data[3] ^= 0x10
        return data
