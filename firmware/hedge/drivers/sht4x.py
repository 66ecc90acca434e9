"""Sensirion SHT40, SHT41, SHT45 temperature and humidity over I2C.

    sensor = SHT4x(board.i2c("i2c0"))
    out = array.array("i", (0, 0))
    await sensor.read_into(out)  # centi-degC, centi-%RH

Source: "DS" is the Sensirion SHT4x datasheet, version 6 of 2023: commands (DS 4.5), conversion
(DS 4.6), times (DS table 5), CRC (DS 4.4). Second source of every command, of both formulas and of
the measurement time: Linux drivers/hwmon/sht4x.c; of the serial number: Adafruit_SHT4x.h.
"""

from micropython import const

from .i2c_sensor import I2CSensor

_CMD_MEASURE_HIGH = b"\xfd"
_CMD_SERIAL = b"\x89"
_CMD_RESET = b"\x94"

_RESET_MS = const(2)  # DS: 1 ms
_MEASURE_MS = const(9)  # DS: 8.3 ms at most
_GIVE_UP_MS = const(50)


class SHT4x(I2CSensor):
    """out: [centi-degC, centi-%RH]."""

    NAME = "sht4x"

    def __init__(self, i2c, addr=0x44):
        I2CSensor.__init__(self, i2c, addr, 6, _GIVE_UP_MS)

    def decode_into(self, data, out):
        """data: T msb lsb crc, RH msb lsb crc. Products stay below 2**30: small ints anywhere."""
        self._check_words(data)
        # 17500 / 65536 is 4375 / 16384, 12500 / 65536 is 3125 / 16384.
        out[0] = (4375 * (data[0] << 8 | data[1]) + 8192 >> 14) - 4500
        humidity = (3125 * (data[3] << 8 | data[4]) + 8192 >> 14) - 600
        out[1] = min(max(humidity, 0), 10000)  # DS 4.6: crop

    def _reset(self, step):
        if step:
            return 0
        self._command(_CMD_RESET)
        return _RESET_MS

    def _configure(self):
        """The serial number says nothing, but a chip of another kind has no CRC in it."""
        self._command(_CMD_SERIAL)
        self._i2c.readfrom_into(self._addr, self._buf)
        self._check_words(self._buf)

    def _trigger(self):
        self._command(_CMD_MEASURE_HIGH)
        return _MEASURE_MS


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Sensirion SHT40, SHT41, SHT45",
        "class": "SHT4x",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "Sensirion SHT4x air temperature and humidity",
        "params": {
            "addr": ("int", 0x44, 0x44, 0x46, "I2C address, fixed by the order code: 68, 69, 70"),
        },
        "channels": (("temp", "Cel", 100, -40, 125), ("humidity", "%RH", 100, 0, 100)),
        "resolution": (0.01, 0.01),
        "raw_bytes": 6,
        "first_ms": 11,
        "convert_ms": 9,
        "addrs": (0x44, 0x45, 0x46),
        "max_hz": 1000000,
        "who_am_i": "serial number with the CRC of both words",
        "active_ua": 320,
        "standby_ua": 0.4,
        "datasheet": "Sensirion SHT4x, version 6, 2023",
        "checked_against": "Linux drivers/hwmon/sht4x.c; Adafruit_SHT4x.h",
    }
