"""TI INA219 current and voltage monitor over I2C, one triggered measurement per read.

    sensor = INA219(board.i2c("i2c0"), shunt_uohm=100000)
    out = array.array("i", (0, 0))
    await sensor.read_into(out)  # mV, 0.1 mA

Source: "DS" is the INA219 datasheet, SBOS448G, December 2015: registers (DS table 2),
configuration (DS 8.6.2.1), ADC settings (DS table 5), CNVR (DS 8.6.3.2), example (DS table 8).
Second source of registers, reset value and steps: Linux drivers/hwmon/ina2xx.c; of bits and
ranges: Adafruit_INA219.h.

The current comes from the shunt voltage, not from the current register: that one needs the
calibration register, which a brown-out clears. 16 samples are averaged.
"""

from micropython import const

from ..core.errors import SensorError
from .i2c_sensor import signed16
from .shunt import ShuntMonitor

_REG_CONFIG = const(0x00)
_REG_BUS = const(0x02)  # 4 mV in bits 15 to 3, CNVR in bit 1; the shunt before it: 10 uV

_CONFIG_AFTER_RESET = const(0x399F)  # DS table 2; an INA226 has 0x4127
# 32 V, gain /8 (320 mV), 16 samples of 12 bits for both, shunt and bus triggered
_CONFIG_TRIGGER = const(0x3E63)
_BUS_READY = const(0x02)

_SHUNT_END = const(32000)  # DS table 4: 320 mV
_MEASURE_MS = const(19)  # DS table 5: 2 * 8.51 ms, and a tenth (DS 7.5: 586 us for 532 us)
_GIVE_UP_MS = const(200)


class INA219(ShuntMonitor):
    """See I2CSensor. Currents beyond 0.32 V / shunt raise SensorError."""

    NAME = "ina219"
    TRIGGER, MEASURE_MS = _CONFIG_TRIGGER, _MEASURE_MS
    STATUS, READY = _REG_BUS, _BUS_READY

    def __init__(self, i2c, addr=0x40, shunt_uohm=100000):
        # 10 uV in 0.1 mA
        ShuntMonitor.__init__(self, i2c, addr, 2, _GIVE_UP_MS, 100000, shunt_uohm)

    def _configure(self):
        config = self._read_word(_REG_CONFIG)
        self._expect("configuration after reset", config, _CONFIG_AFTER_RESET)

    def decode_into(self, data, out):
        """Shunt and bus register, 4 bytes. Does not allocate."""
        shunt = signed16(data[0] << 8 | data[1])
        if not -_SHUNT_END < shunt < _SHUNT_END:
            raise SensorError("ina219: more than 320 mV across the shunt")
        out[0] = (data[2] << 8 | data[3]) >> 3 << 2
        out[1] = self._current(shunt)


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "TI INA219",
        "class": "INA219",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "TI INA219 supply voltage and current; the range is 0.32 V / shunt",
        "params": {
            "addr": ("int", 0x40, 0x40, 0x4F, "I2C address: 64 (0x40) if A0 and A1 are low"),
            "shunt_uohm": ("int", 100000, 100, 10000000, "shunt resistor in micro-ohm"),
        },
        "channels": (("voltage", "V", 1000, 0, 26), ("current", "A", 10000, -3.2, 3.2)),
        "resolution": (0.004, 0.0001),
        "raw_bytes": 4,
        "first_ms": 19,
        "convert_ms": 19,
        "addrs": (64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79),
        "max_hz": 400000,
        "who_am_i": "configuration register = 0x399F after a reset",
        "datasheet": "TI SBOS448G, 2015-12",
        "checked_against": "Linux drivers/hwmon/ina2xx.c, Adafruit_INA219.h",
    }
