"""Sensirion SGP40 VOC sensor over I2C: the raw signal, compensated for the air's humidity.

    sensor = SGP40(board.i2c("i2c0"))
    sensor.compensate(5500, 2150)  # centi-%RH, centi-degC from another sensor
    out = array.array("i", (0,))
    await sensor.read_into(out)  # ticks, about the logarithm of the resistance; falls with VOC

Source: "DS" is the Sensirion SGP40 datasheet, version 1.2: commands, durations and answers (DS
table 9), parameters of measure_raw and their conversion (DS table 10), self-test (DS 3.3:
0xD400), serial number (DS 3.5). Second source of every command, the default words (0x8000,
0x6666) and the test's result: adafruit_sgp40 and Ant2000CZ's SGP40 library; of conversion:
ESP-IDF component sgp40.

Sensirion's VOC index is floating point with an hour of state and is not part of this driver: use
the tick with hedge.learn, e.g. running statistics. Read it once a second for a stable hot plate.
"""

from micropython import const

from ..core.errors import SensorError
from .crc8 import crc8
from .i2c_sensor import I2CSensor

_CMD_TEST = b"\x28\x0e"
_CMD_SERIAL = b"\x36\x82"
_CMD_HEATER_OFF = b"\x36\x15"
_TEST_PASSED = const(0xD4)  # high byte; the low one is to be ignored

_TEST_MS = const(320)  # DS table 9, at most
_MEASURE_MS = const(30)
_GIVE_UP_MS = const(200)


class SGP40(I2CSensor):
    """out: [ticks]."""

    NAME = "sgp40"

    def __init__(self, i2c):
        I2CSensor.__init__(self, i2c, 0x59, 3, _GIVE_UP_MS)
        self._serial = bytearray(9)
        self._measure = bytearray(b"\x26\x0f\x80\x00\xa2\x66\x66\x93")  # 50 %RH, 25 degC

    def compensate(self, centi_pct, centi_c):
        """Relative humidity and temperature for the readings to come; clamped to 0..100, -45..130.

        Does not allocate."""
        centi_c = min(max(centi_c, -4500), 13000)
        centi_pct = min(max(centi_pct, 0), 10000)
        self._put(2, min((centi_pct * 65536 + 5000) // 10000, 65535))
        # 65535 / 17500 is 13107 / 3500
        self._put(5, (centi_c + 4500) * 13107 // 3500)

    def off(self):
        """Switch the hot plate off until the next read."""
        self._command(_CMD_HEATER_OFF)

    def decode_into(self, data, out):
        """data: msb lsb crc."""
        self._check_words(data)
        out[0] = data[0] << 8 | data[1]

    def _put(self, at, word):
        data = self._measure
        data[at], data[at + 1] = word >> 8, word & 0xFF
        data[at + 2] = crc8(data, at, at + 2)

    def _reset(self, step):
        if step == 0:
            self._command(_CMD_TEST)
            return _TEST_MS
        return 0

    def _configure(self):
        """The self-test of the hot plate, and the serial number with its CRCs."""
        self._i2c.readfrom_into(self._addr, self._buf)
        self._check_words(self._buf)
        if self._buf[0] != _TEST_PASSED:
            raise SensorError("sgp40: self-test failed: 0x%02x" % self._buf[0])
        self._command(_CMD_SERIAL)
        self._i2c.readfrom_into(self._addr, self._serial)
        self._check_words(self._serial)

    def _trigger(self):
        self._command(self._measure)
        return _MEASURE_MS


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Sensirion SGP40",
        "class": "SGP40",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "Sensirion SGP40 VOC, raw signal",
        "params": {},
        "channels": (("voc_raw", "count", 1, 0, 65535),),
        "resolution": (1,),
        "raw_bytes": 3,
        "first_ms": 350,
        "convert_ms": 30,
        "addrs": (0x59,),
        "max_hz": 400000,
        "who_am_i": "self-test 0xD4xx and serial number with CRCs",
        "datasheet": "Sensirion SGP40, version 1.2",
        "checked_against": "adafruit_sgp40; SGP40 library with sgp40_measure_test",
    }
