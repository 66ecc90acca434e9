"""Analog Devices (Maxim) MAX30102 pulse sensor over I2C: red and infrared, 18 bits, 100 a second.

    sensor = MAX30102(board.i2c("i2c0"))
    out = array.array("i", (0, 0))
    await sensor.read_into(out)  # the next red and infrared sample; 262143 is full scale
    n = sensor.take(red, infrared)  # or from now on all samples since the last call, 32 at most

Source: "DS" is the MAX30102 datasheet, 19-7740 Rev 1, 10/18: register map, FIFO and its pointers,
overflow counter (up to 31, 0 after a read), mode and SpO2 configuration, LED current of 0.2 mA a
step, part id 0x15. Second source of registers and bits: SparkFun_MAX3010x_Sensor_Library
MAX30105.cpp; of registers, current steps and sample format: Linux drivers/iio/health/max30102.c.

These are counts of light, no heart rate; that is what a model is for.
"""

from micropython import const

from ..core.errors import ConfigError, SensorError
from .i2c_sensor import I2CSensor

_REG_FIFO_WRITE = const(0x04)  # then overflow counter, read pointer
_REG_FIFO_DATA = const(0x07)  # stays while it is read
_REG_FIFO_CONFIG = const(0x08)
_REG_MODE = const(0x09)
_REG_SPO2 = const(0x0A)
_REG_LED_RED = const(0x0C)
_REG_LED_INFRARED = const(0x0D)
_REG_PART = const(0xFF)

_PART = const(0x15)
_RESET = const(0x40)  # clears itself
_MODE_SPO2 = const(0x03)  # red and infrared
_FIFO_KEEP = const(0x00)  # no averaging; a full FIFO keeps the old samples and counts the lost
_SPO2_CONFIG = const(0x27)  # 4096 nA full scale, 100 samples a second, 411 us: 18 bits

_RESET_MS = const(10)
_SAMPLE_MS = const(11)  # 10 ms, clock within some percent
_GIVE_UP_MS = const(300)
_DEPTH = const(32)
_FULL = const(0x3FFFF)


class MAX30102(I2CSensor):
    """See I2CSensor. A sample at full scale makes read_into raise SensorError."""

    NAME = "max30102"

    def __init__(self, i2c, led_ua=7200):
        """led_ua: current of both LEDs in microampere, 0 to 51000. Raises ConfigError."""
        if not 0 <= led_ua <= 51000:
            raise ConfigError("max30102: led_ua %d: 0 to 51000" % led_ua)
        I2CSensor.__init__(self, i2c, 0x57, 6, _GIVE_UP_MS)
        self._led = led_ua // 200
        self._pointers = bytearray(3)
        self._empty = bytes((_REG_FIFO_WRITE, 0, 0, 0))
        self.lost = 0  # at least so many samples take() came too late for

    def take(self, red, infrared):
        """Copy the waiting samples, oldest first; returns their number.

        red, infrared: writable sequences of at least 32 ints. Call it every 0.3 s, and read_into
        before the first time and after a brown-out (0 for longer than 20 ms). Raises OSError. Does
        not allocate.
        """
        waiting = self._waiting()  # its pointers and counter in one transfer
        self.lost += self._pointers[1]
        for i in range(waiting):
            self._i2c.readfrom_mem_into(self._addr, _REG_FIFO_DATA, self._buf)
            red[i], infrared[i] = self._sample(self._buf, 0), self._sample(self._buf, 3)
        return waiting

    def _reset(self, step):
        if step:
            return 0
        self._write_byte(_REG_MODE, _RESET)
        return _RESET_MS

    def _configure(self):
        self._expect("part id", self._read_byte(_REG_PART), _PART)
        self._write_byte(_REG_FIFO_CONFIG, _FIFO_KEEP)
        self._write_byte(_REG_SPO2, _SPO2_CONFIG)
        self._write_byte(_REG_LED_RED, self._led)
        self._write_byte(_REG_LED_INFRARED, self._led)
        self._write_byte(_REG_MODE, _MODE_SPO2)

    def _trigger(self):
        self._command(self._empty)  # the FIFO
        return _SAMPLE_MS

    def _collect(self, out):
        if not self._waiting():
            return False
        self._expect("mode", self._read_byte(_REG_MODE), _MODE_SPO2)  # no brown-out since
        self._i2c.readfrom_mem_into(self._addr, _REG_FIFO_DATA, self._buf)
        self.decode_into(self._buf, out)
        return True

    def decode_into(self, data, out):
        """One sample of the FIFO, 6 bytes. Does not allocate."""
        red, infrared = self._sample(data, 0), self._sample(data, 3)
        if red == _FULL or infrared == _FULL:
            raise SensorError("max30102: too bright, lower led_ua")
        out[0] = red
        out[1] = infrared

    def _waiting(self):
        """Number of samples in the FIFO."""
        self._i2c.readfrom_mem_into(self._addr, _REG_FIFO_WRITE, self._pointers)
        if self._pointers[1]:
            return _DEPTH  # samples were lost, so equal pointers are full; else they are empty
        return self._pointers[0] - self._pointers[2] & _DEPTH - 1

    def _sample(self, data, i):
        return (data[i] & 3) << 16 | data[i + 1] << 8 | data[i + 2]


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Analog Devices MAX30102",
        "class": "MAX30102",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "Analog Devices MAX30102 pulse sensor: red and infrared as parts of full scale",
        "params": {
            "led_ua": ("int", 7200, 0, 51000, "current of both LEDs, microampere"),
        },
        "channels": (("red", "/", 262143, 0, 1), ("infrared", "/", 262143, 0, 1)),
        "resolution": (0.0000038, 0.0000038),
        "raw_bytes": 6,
        "first_ms": 23,
        "convert_ms": 12,
        "addrs": (0x57,),
        "max_hz": 400000,
        "who_am_i": "register 0xFF = 0x15",
        "datasheet": "Maxim 19-7740 Rev 1, 2018-10",
        "checked_against": "SparkFun_MAX3010x_Sensor_Library, Linux drivers/iio/health/max30102.c",
    }
