"""ASAIR AHT20, AHT21, DHT20 temperature and humidity over I2C.

    sensor = AHT20(board.i2c("i2c0"))
    out = array.array("i", (0, 0))
    await sensor.read_into(out)  # centi-degC, centi-%RH

Source: "DS" is Aosong's DHT20 datasheet V1.0, May 2021, sections 7.3 and 7.4, the same interface:
status bits, measurement, CRC. Second source of every command, bit and formula: Linux
drivers/hwmon/aht10.c and adafruit_ahtx0.py; of initialisation 0xBE, which the AHT10 has not:
PTSolns_AHTx. Polynomial and start of the CRC are proven by frames that others recorded, see the
tests.
"""

from micropython import const

from ..core.errors import SensorError
from .i2c_sensor import I2CSensor

_CMD_RESET = b"\xba"
_CMD_INIT = b"\xbe\x08\x00"
_CMD_MEASURE = b"\xac\x33\x00"

_STATUS_BUSY = const(0x80)
_STATUS_CALIBRATED = const(0x08)

_RESET_MS = const(20)
_INIT_MS = const(10)
_MEASURE_MS = const(80)
_GIVE_UP_MS = const(300)


class AHT20(I2CSensor):
    """out: [centi-degC, centi-%RH]."""

    NAME = "aht20"

    def __init__(self, i2c):
        I2CSensor.__init__(self, i2c, 0x38, 7, _GIVE_UP_MS)

    def decode_into(self, data, out):
        """data: status, 20 bits RH, 20 bits T, crc. Products stay below 2**30."""
        self._check_crc(data, 0, 6)
        humidity = data[1] << 10 | data[2] << 2 | data[3] >> 6  # the upper 18 of 20 bits
        temp = (data[3] & 15) << 14 | data[4] << 6 | data[5] >> 2
        temp = (temp * 1250 + 8192 >> 14) - 5000  # 20000 / 2**18
        self._check_range(temp, -4100, 8600)
        out[0] = min(max(temp, -4000), 8500)
        out[1] = humidity * 625 + 8192 >> 14  # 10000 / 2**18

    def _reset(self, step):
        if step == 0:
            self._command(_CMD_RESET)
            return _RESET_MS
        if step == 1 and not self._is_calibrated():
            self._command(_CMD_INIT)
            return _INIT_MS
        return 0

    def _configure(self):
        if not self._is_calibrated():
            raise SensorError("aht20: not calibrated after initialisation")

    def _is_calibrated(self):
        self._i2c.readfrom_into(self._addr, self._byte)
        return self._byte[0] & _STATUS_CALIBRATED

    def _trigger(self):
        self._command(_CMD_MEASURE)
        return _MEASURE_MS

    def _collect(self, out):
        self._i2c.readfrom_into(self._addr, self._buf)
        if self._buf[0] & _STATUS_BUSY:
            return False
        if not self._buf[0] & _STATUS_CALIBRATED:
            raise SensorError("aht20: lost its calibration, restarted?")
        self.decode_into(self._buf, out)
        return True


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "ASAIR AHT20, AHT21, DHT20",
        "class": "AHT20",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "ASAIR AHT20 air temperature and humidity",
        "params": {},
        "channels": (("temp", "Cel", 100, -40, 85), ("humidity", "%RH", 100, 0, 100)),
        "resolution": (0.01, 0.01),
        "raw_bytes": 7,
        "first_ms": 110,
        "convert_ms": 80,
        "addrs": (0x38,),
        "max_hz": 400000,
        "who_am_i": "status: calibrated after initialisation",
        "active_ua": 980,
        "standby_ua": 0.25,
        "datasheet": "Aosong DHT20 V1.0, May 2021; ASAIR AHT20 V1.0",
        "checked_against": "Linux drivers/hwmon/aht10.c; adafruit_ahtx0.py; PTSolns_AHTx",
    }
