"""TE Connectivity HTU21D temperature and humidity over I2C, one after the other.

    sensor = HTU21D(board.i2c("i2c0"))
    out = array.array("i", (0, 0))
    await sensor.read_into(out)  # centi-degC, centi-%RH

Source: "DS" is the Measurement Specialties HTU21D(F) datasheet HPC199: commands (DS, Sensor
interface), user register and its default 0x02, no-hold sequence, CRC (0x683A: 0x7C), conversion,
times at 14 and 12 bits (50 and 16 ms at most), soft reset 15 ms. Second source of reset and
times: Linux drivers/iio/humidity/htu21.c and common/ms_sensors; of the register after reset:
Adafruit_HTU21DF.
"""

from micropython import const

from .i2c_sensor import I2CSensor

_CMD_TEMP = b"\xf3"  # no hold: NACK until it is done
_CMD_HUMIDITY = b"\xf5"
_CMD_RESET = b"\xfe"
_CMD_READ_USER = const(0xE7)

_USER_DEFAULT = const(0x02)
_USER_MASK = const(0x87)  # resolution, heater, OTP: not battery and reserved bits

_RESET_MS = const(15)
_GIVE_UP_MS = const(200)


class HTU21D(I2CSensor):
    """out: [centi-degC, centi-%RH]."""

    NAME = "htu21d"
    TEMP_MS = 50
    HUMIDITY_MS = 16

    def __init__(self, i2c):
        I2CSensor.__init__(self, i2c, 0x40, 6, _GIVE_UP_MS)
        self._temp = memoryview(self._buf)[:3]
        self._humidity = memoryview(self._buf)[3:]
        self._has_temp = False

    def decode_into(self, data, out):
        """data: T msb lsb crc, RH msb lsb crc; the two lowest bits are status."""
        self._check_crc(data, 0, 2, 0)
        self._check_crc(data, 3, 5, 0)
        temp = data[0] << 8 | data[1] & 0xFC
        humidity = data[3] << 8 | data[4] & 0xFC
        temp = (4393 * temp + 8192 >> 14) - 4685  # 17572 / 65536
        self._check_range(temp, -4100, 12600)
        out[0] = min(max(temp, -4000), 12500)
        humidity = (3125 * humidity + 8192 >> 14) - 600
        out[1] = min(max(humidity, 0), 10000)

    def _reset(self, step):
        if step:
            return 0
        self._command(_CMD_RESET)
        return _RESET_MS

    def _configure(self):
        user = self._read_byte(_CMD_READ_USER) & _USER_MASK
        self._expect("user register", user, _USER_DEFAULT)

    def _trigger(self):
        self._has_temp = False
        self._command(_CMD_TEMP)
        return self.TEMP_MS

    def _collect(self, out):
        if not self._has_temp:
            self._i2c.readfrom_into(self._addr, self._temp)
            self._has_temp = True
            self._command(_CMD_HUMIDITY)
            return self._again(self.HUMIDITY_MS)
        self._i2c.readfrom_into(self._addr, self._humidity)
        self.decode_into(self._buf, out)
        return True


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "TE HTU21D, HTU21DF, SHT21",
        "class": "HTU21D",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "TE HTU21D air temperature and humidity",
        "params": {},
        "channels": (("temp", "Cel", 100, -40, 125), ("humidity", "%RH", 100, 0, 100)),
        "resolution": (0.0107, 0.031),
        "raw_bytes": 6,
        "first_ms": 81,
        "convert_ms": 66,
        "addrs": (0x40,),
        "max_hz": 400000,
        "who_am_i": "user register 0x02 after reset",
        "active_ua": 450,
        "standby_ua": 0.02,
        "datasheet": "Measurement Specialties HTU21D(F), HPC199",
        "checked_against": "Linux drivers/iio/humidity/htu21.c; Adafruit_HTU21DF",
    }
