"""TI ADS1115 16-bit converter over I2C: its four inputs against ground, one after the other.

    adc = ADS1115(board.i2c("i2c0"), full_mv=4096)
    out = array.array("i", (0,) * 4)
    await adc.read_into(out)  # microvolts at AIN0 to AIN3

Source: "DS" is the ADS111x datasheet, SBAS444E, December 2024: configuration and its power-on
value 0x8583 (DS config register), steps (DS full-scale ranges), output codes (DS data format),
clock within 10 % (DS electrical characteristics). Second source of registers and bits:
Adafruit_ADS1X15.h; of rates, ranges and the 10 %: Linux drivers/iio/adc/ti-ads1015.c.

No input may be above the supply or below ground. The general call reset is not used: it would
reset other chips too. Settings are read back with each value, so a brown-out is noticed.
"""

from micropython import const

from ..core.errors import ConfigError, SensorError
from .i2c_sensor import I2CSensor, signed16

_REG_CONVERSION = const(0x00)
_REG_CONFIG = const(0x01)

_IDLE = const(0x8000)  # written: start; read: no conversion runs
_AIN0 = const(0x4000)  # against ground; the next inputs follow in steps of 0x1000
_SINGLE = const(0x0183)  # one conversion then power-down, 128 per second, no comparator

_CONVERT_MS = const(9)  # 1/128 s and a tenth
_GIVE_UP_MS = const(100)  # each input

_RANGES_MV = (6144, 4096, 2048, 1024, 512, 256)  # by PGA bits


class ADS1115(I2CSensor):
    """See I2CSensor. A voltage at or above the range raises SensorError."""

    NAME = "ads1115"

    def __init__(self, i2c, addr=0x48, full_mv=4096):
        """full_mv: 256, 512, 1024, 2048, 4096 or 6144. Raises ConfigError."""
        I2CSensor.__init__(self, i2c, addr, 8, _GIVE_UP_MS)
        if full_mv not in _RANGES_MV:
            raise ConfigError("ads1115: full_mv %d: one of %s" % (full_mv, _RANGES_MV))
        self._config = _SINGLE | _AIN0 | _RANGES_MV.index(full_mv) << 9
        self._scale = full_mv // 256 * 125  # microvolts * 16 a step
        self._input = 0
        view = memoryview(self._buf)
        self._words = [view[i : i + 2] for i in range(0, 8, 2)]

    def _trigger(self):
        self._input = 0
        return self._convert()

    def _convert(self):
        self._write_word(_REG_CONFIG, _IDLE | self._config | self._input << 12)
        return _CONVERT_MS

    def _collect(self, out):
        config = self._read_word(_REG_CONFIG)
        self._expect("configuration", config & 0x7FFF, self._config | self._input << 12)
        if not config & _IDLE:
            return False
        self._i2c.readfrom_mem_into(self._addr, _REG_CONVERSION, self._words[self._input])
        if self._input < 3:
            self._input += 1
            return self._again(self._convert())
        self.decode_into(self._buf, out)
        return True

    def decode_into(self, data, out):
        """The conversion register of each input, 8 bytes. Does not allocate."""
        for i in range(4):
            if data[2 * i] == 0x7F and data[2 * i + 1] == 0xFF:
                raise SensorError("ads1115: input %d is above the range" % i)
        for i in range(4):
            raw = signed16(data[2 * i] << 8 | data[2 * i + 1])
            out[i] = max(raw, 0) * self._scale + 8 >> 4  # at 0 V the offset may give a small minus


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "TI ADS1115",
        "class": "ADS1115",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "TI ADS1115 four voltages against ground, 16 bits; the range is full_mv",
        "params": {
            "addr": ("int", 0x48, 0x48, 0x4B, "I2C address: 72 (0x48) if ADDR is low"),
            "full_mv": ("int", 4096, 256, 6144, "range: 256, 512, 1024, 2048, 4096 or 6144 mV"),
        },
        "channels": (
            ("a0", "V", 1000000, 0, 4.09575),
            ("a1", "V", 1000000, 0, 4.09575),
            ("a2", "V", 1000000, 0, 4.09575),
            ("a3", "V", 1000000, 0, 4.09575),
        ),
        "resolution": (0.000125, 0.000125, 0.000125, 0.000125),
        "raw_bytes": 8,
        "first_ms": 36,
        "convert_ms": 36,
        "addrs": (0x48, 0x49, 0x4A, 0x4B),
        "max_hz": 400000,
        "who_am_i": "",
        "datasheet": "TI SBAS444E, 2024-12",
        "checked_against": "Adafruit_ADS1X15.h, Linux drivers/iio/adc/ti-ads1015.c",
    }
