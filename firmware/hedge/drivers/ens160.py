"""ScioSense ENS160 gas sensor over I2C, one value a second.

    sensor = ENS160(board.i2c("i2c0"))
    out = array.array("i", (0, 0, 0))
    await sensor.read_into(out)  # air quality index 1 to 5, TVOC ppb, equivalent CO2 ppm

Source: "DS" is the ScioSense ENS160 datasheet, SC-001224-DS-7: registers and reset values (DS
table 16), OPMODE (DS 16.2.2), DEVICE_STATUS with the validity flag (DS 16.2.7), data (DS 16.2.8
to 16.2.10). Second source of every register and mode: ScioSense_ENS160.h and Zephyr
drivers/sensor/ens160.

For 3 minutes after power-on, and for an hour when it is new, the chip calls its values not valid
and a read raises SensorError.
"""

from micropython import const

from ..core.errors import SensorError
from .i2c_sensor import I2CSensor

_REG_PART_ID = const(0x00)  # 2 bytes, low first
_REG_OPMODE = const(0x10)
_REG_TEMP_IN = const(0x13)  # K * 64, low first
_REG_RH_IN = const(0x15)  # %RH * 512, low first
_REG_DATA = const(0x20)  # status, AQI, TVOC low high, eCO2 low high

_PART_ID = const(0x0160)
_MODE_RESET = const(0xF0)
_MODE_STANDARD = const(0x02)

_STATUS_RUNS = const(0x80)
_STATUS_ERROR = const(0x40)
_STATUS_NEW_DATA = const(0x02)

_RESET_MS = const(10)
_PERIOD_MS = const(1010)
_GIVE_UP_MS = const(2500)


class ENS160(I2CSensor):
    """out: [index, ppb, ppm]."""

    NAME = "ens160"
    POLL_MS = 20

    def __init__(self, i2c, addr=0x53):
        I2CSensor.__init__(self, i2c, addr, 6, _GIVE_UP_MS)
        self._first = True

    def decode_into(self, data, out):
        """data: 6 bytes from DEVICE_STATUS on."""
        if data[0] & _STATUS_ERROR or not data[0] & _STATUS_RUNS:
            raise SensorError("ens160: status 0x%02x" % data[0])
        validity = data[0] >> 2 & 3
        if validity:
            raise SensorError(
                "ens160: %s" % ("", "warming up", "first start-up", "no valid output")[validity]
            )
        out[0] = data[1] & 7
        out[1] = data[3] << 8 | data[2]
        out[2] = data[5] << 8 | data[4]

    def compensate(self, centi_pct, centi_c):
        """Relative humidity and temperature for the readings to come, from another sensor."""
        kelvin_64 = ((centi_c + 27315) * 16 + 12) // 25
        humidity_512 = (centi_pct * 128 + 12) // 25
        self._put(_REG_TEMP_IN, kelvin_64)
        self._put(_REG_RH_IN, humidity_512)

    def _put(self, reg, value):
        self._write_word(reg, (value & 0xFF) << 8 | value >> 8)  # least significant byte first

    def _reset(self, step):
        """No reset of a chip that measures already: it would warm up anew."""
        if step:
            return 0
        word = self._read_word(_REG_PART_ID)
        self._expect("part id", (word & 0xFF) << 8 | word >> 8, _PART_ID)
        if self._read_byte(_REG_OPMODE) == _MODE_STANDARD:
            return 0
        self._write_byte(_REG_OPMODE, _MODE_RESET)
        return _RESET_MS

    def _configure(self):
        if self._read_byte(_REG_OPMODE) != _MODE_STANDARD:
            self._write_byte(_REG_OPMODE, _MODE_STANDARD)
        self._first = True

    def _trigger(self):
        wait_ms = _PERIOD_MS if self._first else 0
        self._first = False
        return wait_ms

    def _collect(self, out):
        self._i2c.readfrom_mem_into(self._addr, _REG_DATA, self._buf)
        if self._buf[0] & _STATUS_RUNS and not self._buf[0] & _STATUS_NEW_DATA:
            return False
        self.decode_into(self._buf, out)
        return True


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "ScioSense ENS160",
        "class": "ENS160",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "ScioSense ENS160 air quality index, VOC and equivalent CO2, estimates",
        "params": {
            "addr": ("int", 0x53, 0x52, 0x53, "I2C address: 82 (0x52) if ADDR is low, else 83"),
        },
        "channels": (
            ("aqi", "count", 1, 1, 5),
            ("tvoc", "/", 1000000000, 0, 0.000065),
            ("eco2", "/", 1000000, 0.0004, 0.065),
        ),
        "resolution": (1, 0.000000001, 0.000001),
        "raw_bytes": 6,
        "first_ms": 1050,
        "convert_ms": 1030,
        "addrs": (0x53, 0x52),
        "max_hz": 1000000,
        "who_am_i": "register 0x00 = 0x0160",
        "datasheet": "ScioSense SC-001224-DS-7",
        "checked_against": "ScioSense_ENS160.h; Zephyr drivers/sensor/ens160",
    }
