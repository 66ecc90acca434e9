"""Simulated TE HTU21D: no-hold measurements, user register, soft reset, CRC.

    chip = HTU21D(now_ms)
    chip.temp_c, chip.humidity_pct = 21.5, 55.0

Written from the HTU21D(F) datasheet: commands, user register, times at full resolution, the
status bits in the low end of a reading (0 temperature, 2 humidity), reading refused until a
measurement is done. Second source: Linux iio/humidity/htu21.c. Hold mode is not simulated. Faults
beside those of i2c_chip.py: "crc" flips a bit.
"""

from .crc import with_crc
from .i2c_chip import CommandChip


class HTU21D(CommandChip):
    INPUTS = (("temp_c", "temp", None), ("humidity_pct", "humidity", None))
    FAULTS = CommandChip.FAULTS + ("crc",)
    TEMP_MS = 50  # at most, 14 bits
    HUMIDITY_MS = 16  # at most, 12 bits
    USER = 0x02
    nack_from = 0

    def __init__(self, now_ms):
        self.temp_c = 20.0
        self.humidity_pct = 50.0
        CommandChip.__init__(self, now_ms)

    def power_on(self):
        CommandChip.power_on(self)
        self.user = self.USER
        self._asleep_until_ms = self._now_ms()
        self._busy_until_ms = self._now_ms()
        self._data = b""

    def acks(self, reading):
        if self._now_ms() < self._asleep_until_ms:
            return False
        if not reading or self._command:
            return True
        return bool(self._data) and self._now_ms() >= self._busy_until_ms

    def execute(self, command):
        now_ms = self._now_ms()
        code = command[0]
        if code == 0xFE:
            self.power_on()
            self._asleep_until_ms = now_ms + 15
        elif code == 0xF3:
            self._busy_until_ms = now_ms + self.TEMP_MS
            self._measured((self.temp_c + 46.85) / 175.72, 0, 0xFFFC)
        elif code == 0xF5:
            self._busy_until_ms = now_ms + self.HUMIDITY_MS
            self._measured((self.humidity_pct + 6) / 125, 2, 0xFFF0)
        elif code == 0xE7:
            self._data = bytes((self.user,))
        elif code == 0xE6 and len(command) == 2:
            self.user = command[1]
        else:
            self._other(command)

    def _other(self, command):
        """Commands of relatives."""
        self.unknown_commands += 1

    def _measured(self, share, status, mask):
        raw = int(share * 65536 + (0x10000 - mask) / 2) & mask
        self._data = with_crc(raw | status, 0)

    def answer(self):
        data, self._data = bytearray(self._data), b""
        if self.fault == "crc" and data:
            data[0] ^= 4
        return data
