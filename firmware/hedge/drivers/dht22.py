"""Aosong DHT22 (AM2302) temperature and humidity on one pin.

    sensor = DHT22(board.bus("dht", 14))
    out = array.array("i", (0, 0))
    await sensor.read_into(out)  # centi-degC, centi-%RH

Source: "DS" is the Aosong AM2302 product manual: frame, sum, sign bit, examples (DS 7.3: 65.2 %RH
and 35.1 degC, -10.1 degC), at least 2 s between transfers, and that a transfer gives the
measurement made after the one before. Second source of the frame: micropython-lib dht.py (DHT22).

So the driver runs two transfers: the first starts a measurement, the second, 2 s later, fetches
it. Each takes 5 ms, during 4 of which MicroPython has interrupts off. Within 2 s of another
transfer, and of power-on, the driver waits before the first, too.
"""

from micropython import const

from ..core import clock
from ..core.errors import SensorError

_IDLE = const(0)
_WAITING = const(1)  # for the first transfer
_MEASURING = const(2)


class DHT22:
    """One sensor. readinto: function(buf) that fills 5 bytes, e.g. Board.bus("dht", pin)."""

    NAME = "dht22"
    PERIOD_MS = 2000

    def __init__(self, readinto):
        self._readinto = readinto
        self._buf = bytearray(5)
        self._state = _IDLE
        self._last_ms = clock.ticks_ms()  # of the last transfer, here for all one knows

    async def read_into(self, out):
        """Measure and write [centi-degC, centi-%RH] into out.

        Raises OSError if nothing answers, SensorError if the sum or the values are wrong; out is
        left untouched.
        """
        wait_ms = self.start()
        await clock.sleep_ms(wait_ms)
        while not self.poll(out):
            await clock.sleep_ms(self.PERIOD_MS if self._state == _MEASURING else wait_ms)

    def start(self):
        """Begin a measurement; returns the ms until poll is to be called. Does not allocate."""
        left_ms = self._left_ms()
        if left_ms > 0:
            self._state = _WAITING
            return left_ms
        self._transfer()
        self._state = _MEASURING
        return self.PERIOD_MS

    def poll(self, out):
        """True once out is written, False before its time; errors as read_into."""
        state = self._state
        if state == _IDLE:
            raise SensorError(self.NAME + ": poll without start")
        if self._left_ms() > 0:
            return False
        self._state = _IDLE
        self._transfer()
        if state == _WAITING:
            self._state = _MEASURING
            return False
        self.decode_into(self._buf, out)
        return True

    def _left_ms(self):
        """Until the next transfer may begin."""
        return self.PERIOD_MS - clock.ticks_diff(clock.ticks_ms(), self._last_ms)

    def _transfer(self):
        self._last_ms = clock.ticks_ms()
        self._readinto(self._buf)

    def decode_into(self, data, out):
        """data: 5 bytes: RH, T, sum."""
        if data[0] + data[1] + data[2] + data[3] & 0xFF != data[4]:
            raise SensorError(self.NAME + ": sum mismatch")
        if not (data[0] or data[1] or data[2] or data[3]):
            raise SensorError(self.NAME + ": line shorted")
        self._values(data, out)

    def _values(self, data, out):
        humidity = (data[0] << 8 | data[1]) * 10
        temp = ((data[2] & 0x7F) << 8 | data[3]) * 10
        self._put(-temp if data[2] & 0x80 else temp, -4000, 8000, humidity, 0, 10000, out)

    def _put(self, temp, coldest, hottest, humidity, driest, wettest, out):
        if not (coldest <= temp <= hottest and driest <= humidity <= wettest):
            raise SensorError("%s: %d centi-degC, %d centi-%%RH" % (self.NAME, temp, humidity))
        out[0] = temp
        out[1] = humidity


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Aosong DHT22, AM2302",
        "class": "DHT22",
        "kind": "sensor",
        "bus": "dht",
        "doc": "Aosong DHT22 air temperature and humidity on one pin",
        "params": {},
        "channels": (("temp", "Cel", 100, -40, 80), ("humidity", "%RH", 100, 0, 100)),
        "resolution": (0.1, 0.1),
        "raw_bytes": 5,
        "first_ms": 4000,
        "convert_ms": 4000,
        "who_am_i": "",
        "datasheet": "Aosong AM2302 product manual",
        "checked_against": "micropython-lib dht.py",
    }
