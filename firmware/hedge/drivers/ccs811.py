"""ams CCS811 gas sensor over I2C, one measurement a second.

    sensor = CCS811(board.i2c("i2c0"))
    out = array.array("i", (0, 0))
    await sensor.read_into(out)  # equivalent CO2 ppm, TVOC ppb

Source: "DS" is the ams CCS811 datasheet, 2016-Dec v1-00: registers (DS figure 14), STATUS,
MEAS_MODE, ALG_RESULT_DATA (DS figures 15 to 17), ERROR_ID (DS figure 23), SW_RESET word 11 E5 72
8A, bootloader (APP_START 0xF4), times. Second source of every register, bit and the reset word:
Adafruit_CCS811.h and RT-Thread's ccs811 package (found as public sources).

The chip stretches the clock: the bus must allow 100 us and more. Let it run 20 minutes before
trusting it, 48 hours when new. Its values are estimates from one hot plate, no measured CO2.
"""

from micropython import const

from ..core.errors import SensorError
from .i2c_sensor import I2CSensor

_REG_STATUS = const(0x00)
_REG_MEAS_MODE = const(0x01)
_REG_RESULT = const(0x02)  # eCO2 hi lo, TVOC hi lo, status, error id
_REG_HW_ID = const(0x20)

_HW_ID = const(0x81)
_RESET = b"\xff\x11\xe5\x72\x8a"
_APP_START = b"\xf4"
_MODE_EVERY_SECOND = const(0x10)

_STATUS_APP_RUNS = const(0x80)
_STATUS_APP_VALID = const(0x10)
_STATUS_DATA_READY = const(0x08)
_STATUS_ERROR = const(0x01)

_RESET_MS = const(20)  # DS: 2 ms after a reset, 20 ms after power-on
_APP_START_MS = const(2)  # DS: 1 ms
_PERIOD_MS = const(1010)
_GIVE_UP_MS = const(2500)


class CCS811(I2CSensor):
    """out: [eCO2 ppm, TVOC ppb]."""

    NAME = "ccs811"
    POLL_MS = 20

    def __init__(self, i2c, addr=0x5A):
        I2CSensor.__init__(self, i2c, addr, 6, _GIVE_UP_MS)
        self._first = True

    def decode_into(self, data, out):
        """data: 6 bytes of ALG_RESULT_DATA."""
        if data[4] & _STATUS_ERROR:
            raise SensorError("ccs811: error id 0x%02x" % data[5])
        eco2 = data[0] << 8 | data[1]
        if eco2 < 400:
            raise SensorError("ccs811: no measurement yet")  # 0 until the first one
        out[0] = eco2
        out[1] = data[2] << 8 | data[3]

    def _reset(self, step):
        if step == 0:
            self._expect("hardware id", self._read_byte(_REG_HW_ID), _HW_ID)
            self._command(_RESET)
            return _RESET_MS
        if step == 1:
            if not self._read_byte(_REG_STATUS) & _STATUS_APP_VALID:
                raise SensorError("ccs811: no firmware in it")
            self._command(_APP_START)
            return _APP_START_MS
        return 0

    def _configure(self):
        if not self._read_byte(_REG_STATUS) & _STATUS_APP_RUNS:
            raise SensorError("ccs811: its firmware does not start")
        self._write_byte(_REG_MEAS_MODE, _MODE_EVERY_SECOND)
        self._first = True

    def _trigger(self):
        wait_ms = _PERIOD_MS if self._first else 0
        self._first = False
        return wait_ms

    def _collect(self, out):
        status = self._read_byte(_REG_STATUS)
        if not status & _STATUS_APP_RUNS:
            raise SensorError("ccs811: restarted")
        if not status & _STATUS_DATA_READY:
            return False
        self._i2c.readfrom_mem_into(self._addr, _REG_RESULT, self._buf)
        self.decode_into(self._buf, out)
        return True


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "ams CCS811",
        "class": "CCS811",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "ams CCS811 equivalent CO2 and total VOC, estimates",
        "params": {
            "addr": ("int", 0x5A, 0x5A, 0x5B, "I2C address: 90 (0x5A) if ADDR is low, else 91"),
        },
        "channels": (
            ("eco2", "/", 1000000, 0.0004, 0.032768),
            ("tvoc", "/", 1000000000, 0, 0.000032768),
        ),
        "resolution": (0.000001, 0.000000001),
        "raw_bytes": 6,
        "first_ms": 1060,
        "convert_ms": 1030,
        "addrs": (0x5A, 0x5B),
        "max_hz": 400000,
        "who_am_i": "register 0x20 = 0x81",
        "datasheet": "ams CCS811, 2016-Dec v1-00",
        "checked_against": "Adafruit_CCS811.h; RT-Thread ccs811 package",
    }
