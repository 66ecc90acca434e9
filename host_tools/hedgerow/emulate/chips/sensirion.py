"""What Sensirion's chips share: answers of words with CRCs; without one a read is refused.

Faults beside those of i2c_chip.py: "crc" flips a bit.
"""

import struct

from .crc import crc8_msb, with_crc
from .i2c_chip import CommandChip


class SensirionChip(CommandChip):
    """execute() sets self._words, the answer, and self._busy_until_ms, the end of its work."""

    FAULTS = CommandChip.FAULTS + ("crc",)

    def power_on(self):
        CommandChip.power_on(self)
        self._words = ()
        self._busy_until_ms = self._now_ms()

    def acks(self, reading):
        if self._now_ms() < self._busy_until_ms:
            return False
        return not reading or bool(self._words) or bool(self._command)

    def answer(self):
        data = bytearray()
        for word in self._words:
            data += with_crc(word)
        self._words = ()
        if self.fault == "crc" and data:
            data[0] ^= 1
        return data


class PeriodicFloats(CommandChip):
    """SCD30 and SPS30: 16-bit commands with arguments, periodic samples of floats.

    A subclass gives PERIOD_MS, START, RESET_MS, values(), identity(); see scd30.py.
    """

    FAULTS = CommandChip.FAULTS + ("crc", "busy")
    max_hz = 100000
    TURN_MS = 0  # least time between a command and reading its answer

    def power_on(self):
        CommandChip.power_on(self)
        self._next_ms = None  # of the running measurement
        self._sample = b""
        self._deaf_until_ms = self._now_ms()
        self._spoken_ms = self._now_ms()
        self._data = b""

    def acks(self, reading):
        now_ms = self._now_ms()
        if now_ms < self._deaf_until_ms:
            return False
        if not reading:
            return True
        if self._command:
            return not self.TURN_MS  # a repeated start is too soon
        return bool(self._data) and now_ms - self._spoken_ms >= self.TURN_MS

    def settle(self):
        now_ms = self._now_ms()
        if self._next_ms is None or now_ms < self._next_ms or self.fault == "busy":
            return
        self._next_ms += (
            now_ms - self._next_ms
        ) // self.PERIOD_MS * self.PERIOD_MS + self.PERIOD_MS
        self._sample = b""
        for value in self.values():
            self._sample += self._words(struct.pack(">f", value))

    def _words(self, data):
        return b"".join([with_crc(data[i] << 8 | data[i + 1]) for i in range(0, len(data), 2)])

    def execute(self, command):
        self._spoken_ms = self._now_ms()
        self._data = b""
        code = command[0] << 8 | command[1] if len(command) > 1 else 0
        if len(command) == 5 and crc8_msb(command[2:4], 0xFF) != command[4]:
            return
        if code == 0x0010 and command[2:4] == self.START:
            self._next_ms = self._now_ms() + self.PERIOD_MS
        elif code == 0x0104:
            self._next_ms, self._sample = None, b""
        elif code == 0x0202:
            self._data = with_crc(1 if self._sample else 0)
        elif code == 0x0300:
            self._data, self._sample = self._sample, b""
        elif code == 0xD304:
            self.power_on()
            self._deaf_until_ms = self._now_ms() + self.RESET_MS
        else:
            self._data = self._words(self.identity(code))

    def answer(self):
        data, self._data = bytearray(self._data), b""
        if self.fault == "crc" and data:
            data[1] ^= 8
        return data
