"""Silicon Labs Si7021 temperature and humidity over I2C, one after the other.

    sensor = SI7021(board.i2c("i2c0"))
    out = array.array("i", (0, 0))
    await sensor.read_into(out)  # centi-degC, centi-%RH

Source: "DS" is the Si7021-A20 data sheet revision 1.2, August 2016: commands (DS table 11),
electronic serial number (DS 5.5: first byte 0x15), conversion (DS 5.1.1, 5.1.2), times (DS table
2: 10.8 ms and 12 + 10.8 ms at most, reset 15 ms). Second source of commands and formulas: Linux
drivers/iio/humidity/si7020.c; of the id: Adafruit_Si7021. Formulas and CRC are those of
htu21d.py.
"""

from micropython import const

from .htu21d import HTU21D

_CMD_ID = b"\xfc\xc9"
_ID = const(0x15)


class SI7021(HTU21D):
    """out: [centi-degC, centi-%RH]."""

    NAME = "si7021"
    TEMP_MS = 11
    HUMIDITY_MS = 23

    def _configure(self):
        """The second half of the serial number begins with the type."""
        self._command(_CMD_ID)
        self._i2c.readfrom_into(self._addr, self._buf)
        self._expect("device id", self._buf[0], _ID)


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Silicon Labs Si7021",
        "class": "SI7021",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "Silicon Labs Si7021 air temperature and humidity",
        "params": {},
        "channels": (("temp", "Cel", 100, -40, 125), ("humidity", "%RH", 100, 0, 100)),
        "resolution": (0.0107, 0.031),
        "raw_bytes": 6,
        "first_ms": 49,
        "convert_ms": 34,
        "addrs": (0x40,),
        "max_hz": 400000,
        "who_am_i": "electronic id 0xFCC9: 0x15",
        "active_ua": 150,
        "standby_ua": 0.06,
        "datasheet": "Silicon Labs Si7021-A20 revision 1.2, August 2016",
        "checked_against": "Linux drivers/iio/humidity/si7020.c; Adafruit_Si7021",
    }
