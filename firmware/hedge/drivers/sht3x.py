"""Sensirion SHT30, SHT31, SHT35 temperature and humidity over I2C.

    sensor = SHT3x(board.i2c("i2c0"))
    out = array.array("i", (0, 0))
    await sensor.read_into(out)  # centi-degC, centi-%RH

Source: "DS" is the Sensirion SHT3x-DIS datasheet, May 2018, version 5: single shot commands (DS
table 9), break and reset (DS 4.8, 4.9), status (DS tables 17 and 18), CRC (DS table 20, example
CRC(0xBEEF) = 0x92), conversion (DS 4.13), 1 ms between commands. Second source of commands, CRC
and formulas: Linux drivers/hwmon/sht3x.c, by Sensirion; of the soft reset: Adafruit_SHT31.h.
"""

from micropython import const

from ..core.errors import SensorError
from .i2c_sensor import I2CSensor

_CMD_MEASURE_HIGH = b"\x24\x00"  # without clock stretching
_CMD_BREAK = b"\x30\x93"  # ends periodic measurement, in which no reset is taken
_CMD_RESET = b"\x30\xa2"
_CMD_STATUS = b"\xf3\x2d"

_STATUS_RESET_SEEN = const(0x10)  # in the low byte
_STATUS_HEATER_ON = const(0x20)  # in the high byte

_BETWEEN_MS = const(2)  # DS 4.1: 1 ms
_RESET_MS = const(3)  # DS table 4: 1.5 ms
_MEASURE_MS = const(16)  # DS table 4: 15 ms at most at 2.4 V and more, 15.5 below
_GIVE_UP_MS = const(50)


class SHT3x(I2CSensor):
    """out: [centi-degC, centi-%RH]."""

    NAME = "sht3x"

    def __init__(self, i2c, addr=0x44):
        I2CSensor.__init__(self, i2c, addr, 6, _GIVE_UP_MS)
        self._status = bytearray(3)

    def decode_into(self, data, out):
        """data: T msb lsb crc, RH msb lsb crc. Products stay below 2**30: small ints anywhere."""
        self._check_words(data)
        # 17500 / 65536 is 4375 / 16384, 10000 / 65536 is 625 / 4096.
        out[0] = (4375 * (data[0] << 8 | data[1]) + 8192 >> 14) - 4500
        out[1] = 625 * (data[3] << 8 | data[4]) + 2048 >> 12

    def _reset(self, step):
        if step == 0:
            self._command(_CMD_BREAK)
            return _BETWEEN_MS
        if step == 1:
            self._command(_CMD_RESET)
            return _RESET_MS
        if step == 2:
            self._identify()
            return _BETWEEN_MS
        return 0

    def _identify(self):
        """After a reset the status says so, with a CRC, and the heater is off."""
        self._command(_CMD_STATUS)
        self._i2c.readfrom_into(self._addr, self._status)
        self._check_words(self._status)
        if not self._status[1] & _STATUS_RESET_SEEN or self._status[0] & _STATUS_HEATER_ON:
            raise SensorError("sht3x: no status of a reset chip")

    def _trigger(self):
        self._command(_CMD_MEASURE_HIGH)
        return _MEASURE_MS


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Sensirion SHT30, SHT31, SHT35",
        "class": "SHT3x",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "Sensirion SHT3x-DIS air temperature and humidity",
        "params": {
            "addr": ("int", 0x44, 0x44, 0x45, "I2C address: 68 (0x44) if ADDR is low, else 69"),
        },
        "channels": (("temp", "Cel", 100, -40, 125), ("humidity", "%RH", 100, 0, 100)),
        "resolution": (0.01, 0.01),
        "raw_bytes": 6,
        "first_ms": 23,
        "convert_ms": 16,
        "addrs": (0x44, 0x45),
        "max_hz": 1000000,
        "who_am_i": "status after reset with its CRC",
        "active_ua": 600,
        "standby_ua": 0.2,
        "datasheet": "Sensirion SHT3x-DIS, version 5, May 2018",
        "checked_against": "Linux drivers/hwmon/sht3x.c; Adafruit_SHT31.h",
    }
