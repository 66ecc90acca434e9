"""Sensirion SPS30 particulate matter over I2C, a value every second while the fan runs.

    sensor = SPS30(board.i2c("i2c0"))
    out = array.array("i", (0, 0, 0, 0))
    await sensor.read_into(out)  # PM1.0, PM2.5, PM4, PM10, each in 0.1 ug/m3

Source: "DS" is the Sensirion SPS30 datasheet, version 1.0, March 2020: commands and times (DS
6.3), output as floats (DS 4.3), product type "00080000" (DS 6.3.8), SCL at most 100 kHz (DS 6).
Second source of every command and of the start argument 0x0300: Sensirion's embedded-sps sps30.c;
of the CRC: Linux drivers/hwmon/sht3x.c (the same one).

The fan runs from the first read on; stop() switches it off until the next. Values settle within 8
s at high concentrations, 30 s at low ones (DS table 1): read it for that long before trusting it.
"""

from micropython import const

from ..core.errors import SensorError
from .float32 import scaled
from .i2c_sensor import I2CSensor

_CMD_START = b"\x00\x10\x03\x00\xac"  # floats
_CMD_STOP = b"\x01\x04"
_CMD_READY = b"\x02\x02"
_CMD_READ = b"\x03\x00"
_CMD_PRODUCT = b"\xd0\x02"
_CMD_RESET = b"\xd3\x04"

_PRODUCT = b"00080000"
_RESET_MS = const(100)
_START_MS = const(20)
_FIRST_MS = const(1000)
_GIVE_UP_MS = const(3000)


class SPS30(I2CSensor):
    """out: [PM1.0, PM2.5, PM4, PM10] * 10 ug/m3."""

    NAME = "sps30"
    POLL_MS = 50

    def __init__(self, i2c):
        I2CSensor.__init__(self, i2c, 0x69, 24, _GIVE_UP_MS)
        self._answer = bytearray(12)
        self._ready = bytearray(3)
        self._first = True

    def stop(self):
        """Fan and laser off; the next read starts them again."""
        self._command(_CMD_STOP)
        self.forget()

    def decode_into(self, data, out):
        """data: the first four floats, 6 bytes each with their CRCs."""
        self._check_words(data)
        for i in range(4):
            self._check_range(scaled(data, 6 * i, 10), 0, 11000)
        for i in range(4):
            out[i] = min(scaled(data, 6 * i, 10), 10000)

    def _reset(self, step):
        if step == 0:
            self._command(_CMD_RESET)
            return _RESET_MS
        if step == 1:
            self._identify()
            self._command(_CMD_START)
            return _START_MS
        return 0

    def _identify(self):
        self._command(_CMD_PRODUCT)
        self._i2c.readfrom_into(self._addr, self._answer)
        self._check_words(self._answer)
        for i in range(8):
            if self._answer[i // 2 * 3 + i % 2] != _PRODUCT[i]:
                raise SensorError("sps30: another product type")

    def _configure(self):
        self._first = True

    def _trigger(self):
        wait_ms = _FIRST_MS if self._first else 0
        self._first = False
        return wait_ms

    def _collect(self, out):
        self._command(_CMD_READY)
        self._i2c.readfrom_into(self._addr, self._ready)
        self._check_words(self._ready)
        if not self._ready[1]:
            return False
        self._command(_CMD_READ)
        self._i2c.readfrom_into(self._addr, self._buf)  # the rest of its 60 bytes is left unread
        self.decode_into(self._buf, out)
        return True


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Sensirion SPS30",
        "class": "SPS30",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "Sensirion SPS30 particulate matter",
        "params": {},
        "channels": (
            ("pm1", "ug/m3", 10, 0, 1000),
            ("pm2_5", "ug/m3", 10, 0, 1000),
            ("pm4", "ug/m3", 10, 0, 1000),
            ("pm10", "ug/m3", 10, 0, 1000),
        ),
        "resolution": (0.1, 0.1, 0.1, 0.1),
        "raw_bytes": 24,
        "first_ms": 1200,
        "convert_ms": 1050,
        "addrs": (0x69,),
        "max_hz": 100000,
        "who_am_i": "product type 00080000",
        "datasheet": "Sensirion SPS30, version 1.0, March 2020",
        "checked_against": "Sensirion embedded-sps sps30.c",
    }
