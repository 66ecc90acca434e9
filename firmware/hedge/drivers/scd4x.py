"""Sensirion SCD40 and SCD41 CO2, temperature and humidity over I2C, measuring every 5 s.

    sensor = SCD4x(board.i2c("i2c0"))
    out = array.array("i", (0, 0, 0))
    await sensor.read_into(out)  # ppm, centi-degC, centi-%RH

Source: "DS" is the Sensirion SCD4x datasheet, version 1.1: commands and times (DS table 9), read
measurement with its example (DS 3.5.2: 500 ppm, 25 degC, 37 %RH), data ready (DS 3.8.2), stop (DS
3.5.3: 500 ms), serial number (DS 3.9.2), SCL at most 100 kHz (DS table 7). Second source of every
command: adafruit_scd4x.py 1.4.13; of formulas and CRC: those of sht3x.py.

The chip goes on measuring between the reads. A sample that lies ready is dropped and the next one
awaited, up to 5 s.
"""

from micropython import const

from .i2c_sensor import I2CSensor

_CMD_START = b"\x21\xb1"
_CMD_STOP = b"\x3f\x86"
_CMD_READY = b"\xe4\xb8"
_CMD_READ = b"\xec\x05"
_CMD_SERIAL = b"\x36\x82"

_READY_MASK = const(0x07FF)  # DS 3.8.2: the lowest 11 bits are 0 while there is no new data

_STOP_MS = const(500)
_FIRST_MS = const(5000)
_GIVE_UP_MS = const(7000)


class SCD4x(I2CSensor):
    """out: [ppm, centi-degC, centi-%RH]."""

    NAME = "scd4x"
    POLL_MS = 100

    def __init__(self, i2c):
        I2CSensor.__init__(self, i2c, 0x62, 9, _GIVE_UP_MS)
        self._ready = bytearray(3)
        self._first = True

    def decode_into(self, data, out):
        """data: CO2, T and RH, each msb lsb crc. Products stay below 2**30."""
        self._check_words(data)
        out[0] = data[0] << 8 | data[1]
        out[1] = (4375 * (data[3] << 8 | data[4]) + 8192 >> 14) - 4500
        out[2] = 625 * (data[6] << 8 | data[7]) + 2048 >> 12

    def _reset(self, step):
        if step:
            return 0
        self._command(_CMD_STOP)  # the only command beside reading that it takes while measuring
        return _STOP_MS

    def _configure(self):
        self._command(_CMD_SERIAL)
        self._i2c.readfrom_into(self._addr, self._buf)
        self._check_words(self._buf)
        self._command(_CMD_START)
        self._first = True

    def _trigger(self):
        if self._first:
            self._first = False
            return _FIRST_MS
        if self._has_data():
            self._read()  # of unknown age: dropped
        return 0

    def _has_data(self):
        self._command(_CMD_READY)
        self._i2c.readfrom_into(self._addr, self._ready)
        self._check_words(self._ready)
        return (self._ready[0] << 8 | self._ready[1]) & _READY_MASK

    def _read(self):
        self._command(_CMD_READ)
        self._i2c.readfrom_into(self._addr, self._buf)

    def _collect(self, out):
        if not self._has_data():
            return False
        self._read()
        self.decode_into(self._buf, out)
        return True


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Sensirion SCD40, SCD41",
        "class": "SCD4x",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "Sensirion SCD4x CO2, air temperature and humidity",
        "params": {},
        "channels": (
            ("co2", "/", 1000000, 0, 0.04),
            ("temp", "Cel", 100, -10, 60),
            ("humidity", "%RH", 100, 0, 100),
        ),
        "resolution": (0.000001, 0.01, 0.01),
        "raw_bytes": 9,
        "first_ms": 5600,
        "convert_ms": 5100,
        "addrs": (0x62,),
        "max_hz": 100000,
        "who_am_i": "serial number with the CRC of its three words",
        "datasheet": "Sensirion SCD4x, version 1.1",
        "checked_against": "adafruit_scd4x.py 1.4.13; Linux drivers/hwmon/sht3x.c",
    }
