"""Simulated Aosong DHT22 (AM2302): a frame of 40 bits with a sum, the measurement before.

    chip = DHT22(now_ms)
    machine.attach_dht(14, chip)
    chip.temp_c, chip.humidity_pct = 21.5, 55.0

Written from the AM2302 product manual. A transfer gives the measurement that the transfer before
it started; within 2 s of that the chip gives the same one again. At power-on it has measured once.
Faults: "sum" flips a bit, "short" holds the line low (all zeros), "silent" does not answer.
"""

from .chip import Chip


class DHT22(Chip):
    FAULTS = ("sum", "short", "silent")
    INPUTS = (("temp_c", "temp", None), ("humidity_pct", "humidity", None))
    PERIOD_MS = 2000

    def __init__(self, now_ms):
        Chip.__init__(self)
        self._now_ms = now_ms
        self.temp_c = 20.0
        self.humidity_pct = 50.0
        self.power_on()

    def power_on(self):
        self._measured = (self.temp_c, self.humidity_pct)
        self._ready_ms = self._now_ms()

    def frame(self):
        """5 bytes; starts the next measurement."""
        if not self.present or self.fault == "silent":
            return None
        if self.fault == "short":
            return bytes(5)
        now_ms = self._now_ms()
        data = bytearray(self.pack(*self._measured))
        data.append(sum(data) & 0xFF)
        if now_ms >= self._ready_ms:
            self._measured = (self.temp_c, self.humidity_pct)
            self._ready_ms = now_ms + self.PERIOD_MS
        if self.fault == "sum":
            data[1] ^= 1
        return data

    def pack(self, temp_c, humidity_pct):
        """Tenths; bit 15 of the temperature is its sign."""
        humidity = int(humidity_pct * 10 + 0.5)
        temp = int(abs(temp_c) * 10 + 0.5) | (0x8000 if temp_c < 0 else 0)
        return bytes((humidity >> 8, humidity & 0xFF, temp >> 8, temp & 0xFF))
