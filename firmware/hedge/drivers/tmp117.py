"""Texas Instruments TMP117 thermometer over I2C, one-shot, mean of 8.

    sensor = TMP117(board.i2c("i2c0"))
    out = array.array("i", (0,))
    await sensor.read_into(out)  # milli-degC

Source: "DS" is TI SNOSD82D, September 2022: register map (DS 7.6), result format and examples (DS
table 7-1), conversion time (DS 6.5: 15.5 ms, 17.5 at most, times 8). Second source of registers,
id and resolution: Linux drivers/iio/temperature/tmp117.c; of mode, averaging, ready and reset
bits: adafruit_tmp117.py. An offset stored in the chip's EEPROM stays in force.
"""

from micropython import const

from ..core.errors import SensorError
from .i2c_sensor import I2CSensor, signed16

_REG_TEMP = const(0x00)
_REG_CONFIG = const(0x01)
_REG_ID = const(0x0F)

_ID = const(0x0117)
_SOFT_RESET = const(0x0002)
_ONE_SHOT_AVG8 = const(0x0C20)
_DATA_READY = const(0x2000)
_NO_RESULT = const(-0x8000)  # DS: until the first conversion after a reset is complete

_RESET_MS = const(3)  # DS: 2 ms
_MEASURE_MS = const(140)
_GIVE_UP_MS = const(400)


class TMP117(I2CSensor):
    """out: [milli-degC]."""

    NAME = "tmp117"

    def __init__(self, i2c, addr=0x48):
        I2CSensor.__init__(self, i2c, addr, 2, _GIVE_UP_MS)

    def decode_into(self, data, out):
        """data: 2 bytes of the temperature register, 1/128 degC."""
        raw = signed16(data[0] << 8 | data[1])
        if raw == _NO_RESULT:
            raise SensorError("tmp117: no measurement")
        milli_c = raw * 125 + 8 >> 4
        self._check_range(milli_c, -56000, 151000)
        out[0] = min(max(milli_c, -55000), 150000)

    def _reset(self, step):
        if step:
            return 0
        self._expect("device id", self._read_word(_REG_ID) & 0xFFF, _ID)  # bits 15:12: revision
        self._write_word(_REG_CONFIG, _SOFT_RESET)
        return _RESET_MS

    def _trigger(self):
        self._write_word(_REG_CONFIG, _ONE_SHOT_AVG8)
        return _MEASURE_MS

    def _collect(self, out):
        if not self._read_word(_REG_CONFIG) & _DATA_READY:
            return False
        self._i2c.readfrom_mem_into(self._addr, _REG_TEMP, self._buf)
        self.decode_into(self._buf, out)
        return True


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Texas Instruments TMP117",
        "class": "TMP117",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "TI TMP117 thermometer, 0.1 degC without calibration",
        "params": {
            "addr": ("int", 0x48, 0x48, 0x4B, "I2C address: 72 to 75, ADD0 to GND, V+, SDA, SCL"),
        },
        "channels": (("temp", "Cel", 1000, -55, 150),),
        "resolution": (0.0078125,),
        "raw_bytes": 2,
        "first_ms": 143,
        "convert_ms": 140,
        "addrs": (0x48, 0x49, 0x4A, 0x4B),
        "max_hz": 400000,
        "who_am_i": "register 0x0F = 0x0117",
        "active_ua": 135,
        "standby_ua": 0.15,
        "datasheet": "TI SNOSD82D, September 2022",
        "checked_against": "Linux drivers/iio/temperature/tmp117.c; adafruit_tmp117.py",
    }
