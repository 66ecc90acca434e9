"""Simulated ams CCS811: bootloader, application, measurement every second, errors.

    chip = CCS811(now_ms)
    chip.eco2_ppm, chip.tvoc_ppb = 600, 30

Written from the CCS811 datasheet (2016-Dec v1-00): figures 14 to 23. Second source:
Adafruit_CCS811.h. In the bootloader only status, ids, reset and APP_START work; the result is 0
until the first measurement; a read of the result clears data ready. Baseline, environment data
and the other modes: not simulated. Faults beside those of i2c_chip.py: "busy" never has data,
"heater" reports error 0x20 (heater supply).
"""

from .i2c_chip import RegisterChip

_PERIOD_MS = 1000


class CCS811(RegisterChip):
    INPUTS = (("eco2_ppm", "eco2", 1000000), ("tvoc_ppb", "tvoc", 1000000000))
    FAULTS = RegisterChip.FAULTS + ("busy", "heater")

    def __init__(self, now_ms):
        self.eco2_ppm = 400
        self.tvoc_ppb = 0
        self.hw_id = 0x81
        RegisterChip.__init__(self, now_ms)

    def power_on(self):
        RegisterChip.power_on(self)
        self._runs = False
        self._mode = 0
        self._next_ms = None
        self._ready = False
        self._result = bytearray(4)
        self._reset_word = b""

    def after(self, reg):
        """Mailboxes, not a map: a longer transfer goes on in the same mailbox."""
        return reg

    def begin(self, reading):
        RegisterChip.begin(self, reading)
        self._at = 0

    def settle(self):
        now_ms = self._now_ms()
        if self._next_ms is None or now_ms < self._next_ms or self.fault == "busy":
            return
        self._next_ms += (now_ms - self._next_ms) // _PERIOD_MS * _PERIOD_MS + _PERIOD_MS
        self._result = bytearray(
            (self.eco2_ppm >> 8, self.eco2_ppm & 255, self.tvoc_ppb >> 8, self.tvoc_ppb & 255)
        )
        self._ready = True

    def _status(self):
        status = 0x10 | (0x80 if self._runs else 0) | (0x08 if self._ready else 0)
        return status | (1 if self.fault == "heater" and self._runs else 0)

    def write(self, byte):
        first = self._awaiting
        acked = RegisterChip.write(self, byte)
        if acked and first and byte == 0xF4:
            self._runs = True
        return acked

    def store(self, reg, value):
        if reg == 0xFF:
            self._reset_word = (self._reset_word + bytes((value,)))[-4:]
            if self._reset_word == b"\x11\xe5\x72\x8a":
                self.power_on()
        elif reg == 0x01 and self._runs:
            self._mode = value
            self._next_ms = self._now_ms() + _PERIOD_MS if value >> 4 == 1 else None

    def load(self, reg):
        at, self._at = self._at, self._at + 1
        if reg == 0x20:
            return self.hw_id
        if reg == 0x00:
            return self._status()
        if reg == 0x02 and self._runs:
            return self._load_result(at)
        return 0

    def _load_result(self, at):
        if at < 4:
            return self._result[at]
        if at == 4:
            status, self._ready = self._status(), False
            return status
        return 0x20 if self.fault == "heater" else 0
