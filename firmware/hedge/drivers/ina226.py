"""TI INA226 current and voltage monitor over I2C, one triggered measurement per read.

    sensor = INA226(board.i2c("i2c0"), shunt_uohm=100000)
    out = array.array("i", (0, 0))
    await sensor.read_into(out)  # mV, 10 uA

Source: "DS" is the INA226 datasheet, SBOS547B, September 2024: registers and identification
(DS table 7-1), configuration (DS 7.1.1), steps (DS 7.1.2, 7.1.3), CVRF (DS 7.1.7), example
(DS table 6-1). Second source of registers, steps and averages: Linux drivers/hwmon/ina2xx.c;
of CVRF: Apache Mynewt hw/drivers/sensors/ina226; of times and bits: first edition, SBOS547.

The current comes from the shunt voltage, so no calibration register can be lost in a brown-out.
16 samples are averaged.
"""

from micropython import const

from ..core.errors import SensorError
from .i2c_sensor import signed16
from .shunt import ShuntMonitor

# Shunt 2.5 uV, bus 1.25 mV a step.
_REG_MASK = const(0x06)

_DIE = const(0x2260)
_CONFIG_TRIGGER = const(0x4523)  # 16 samples, 1.1 ms each, shunt and bus triggered
_MASK_READY = const(0x08)  # CVRF, cleared by reading

_MEASURE_MS = const(39)  # DS 5.5: 16 * 2 * 1.21 ms at most
_GIVE_UP_MS = const(400)


class INA226(ShuntMonitor):
    """See I2CSensor. Currents beyond 81.92 mV / shunt raise SensorError."""

    NAME = "ina226"
    TRIGGER, MEASURE_MS, DIE = _CONFIG_TRIGGER, _MEASURE_MS, _DIE
    STATUS, READY = _REG_MASK, _MASK_READY

    def __init__(self, i2c, addr=0x40, shunt_uohm=100000):
        # 2.5 uV in 10 uA
        ShuntMonitor.__init__(self, i2c, addr, 2, _GIVE_UP_MS, 250000, shunt_uohm)

    def decode_into(self, data, out):
        """Shunt and bus register, 4 bytes. Does not allocate."""
        shunt = signed16(data[0] << 8 | data[1])
        if shunt in (-32768, 32767):
            raise SensorError("ina226: more than 81.92 mV across the shunt")
        out[0] = (data[2] << 8 | data[3]) * 5 + 2 >> 2
        out[1] = self._current(shunt)


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "TI INA226",
        "class": "INA226",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "TI INA226 supply voltage and current; the range is 81.92 mV / shunt",
        "params": {
            "addr": ("int", 0x40, 0x40, 0x4F, "I2C address: 64 (0x40) if A0 and A1 are low"),
            "shunt_uohm": ("int", 100000, 100, 10000000, "shunt resistor in micro-ohm"),
        },
        "channels": (("voltage", "V", 1000, 0, 36), ("current", "A", 100000, -0.8192, 0.8192)),
        "resolution": (0.00125, 0.000025),
        "raw_bytes": 4,
        "first_ms": 39,
        "convert_ms": 39,
        "addrs": (64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79),
        "max_hz": 400000,
        "who_am_i": "register 0xFE = 0x5449, register 0xFF = 0x2260",
        "datasheet": "TI SBOS547B, 2024-09",
        "checked_against": "Linux drivers/hwmon/ina2xx.c, Apache Mynewt ina226.h",
    }
