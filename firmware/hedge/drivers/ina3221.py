"""TI INA3221 three-channel current and voltage monitor over I2C, one triggered round per read.

    sensor = INA3221(board.i2c("i2c0"), shunt_uohm=100000)
    out = array.array("i", (0,) * 6)
    await sensor.read_into(out)  # mV and 0.1 mA of channel 1, 2, 3

Source: "DS" is the INA3221 datasheet, SBOS576B, March 2016: registers and identification
(DS table 4), configuration (DS 8.6.2.1), formats (DS 8.6.2.2, 8.6.2.3), CVRF (DS 8.6.2.16).
Second source of registers, bits, steps and times: Linux drivers/hwmon/ina3221.c; of the
identification: Adafruit_INA3221.h. 4 samples are averaged.
"""

from micropython import const

from ..core.errors import SensorError
from .i2c_sensor import signed16
from .shunt import ShuntMonitor

_REG_MASK = const(0x0F)

_DIE = const(0x3220)
_CONFIG_TRIGGER = const(0x7323)  # channels 1 to 3, 4 samples, 1.1 ms each, shunt and bus triggered
_MASK_READY = const(0x01)  # CVRF, cleared by reading

_SHUNT_END = const(0x7FF8)  # DS 8.6.2.2: 163.8 mV
_MEASURE_MS = const(30)  # DS 7.5: 4 * 3 * 2 * 1.21 ms at most
_GIVE_UP_MS = const(300)


class INA3221(ShuntMonitor):
    """See I2CSensor. Currents beyond 163.8 mV / shunt raise SensorError."""

    NAME = "ina3221"
    TRIGGER, MEASURE_MS, DIE = _CONFIG_TRIGGER, _MEASURE_MS, _DIE
    STATUS, READY = _REG_MASK, _MASK_READY

    def __init__(self, i2c, addr=0x40, shunt_uohm=100000):
        """shunt_uohm: of all three channels."""
        # 40 uV in the bits from 3 up are 5 uV for the whole word; the unit is 0.1 mA.
        ShuntMonitor.__init__(self, i2c, addr, 6, _GIVE_UP_MS, 50000, shunt_uohm)

    def decode_into(self, data, out):
        """Shunt and bus register of each channel, 12 bytes. Does not allocate."""
        for i in range(0, 12, 4):
            shunt = signed16(data[i] << 8 | data[i + 1])
            if not -_SHUNT_END < shunt < _SHUNT_END:
                raise SensorError("ina3221: more than 163.8 mV across shunt %d" % (i // 4 + 1))
        for i in range(0, 12, 4):
            shunt = signed16(data[i] << 8 | data[i + 1])
            bus = signed16(data[i + 2] << 8 | data[i + 3])  # 8 mV from bit 3 up: 1 mV for the word
            out[i // 2] = max(bus, 0)
            out[i // 2 + 1] = self._current(shunt)


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "TI INA3221",
        "class": "INA3221",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "TI INA3221 three supply voltages and currents; the range is 163.8 mV / shunt",
        "params": {
            "addr": ("int", 0x40, 0x40, 0x43, "I2C address: 64 (0x40) if A0 is low"),
            "shunt_uohm": ("int", 100000, 100, 10000000, "each shunt resistor in micro-ohm"),
        },
        "channels": (
            ("voltage1", "V", 1000, 0, 26),
            ("current1", "A", 10000, -1.638, 1.638),
            ("voltage2", "V", 1000, 0, 26),
            ("current2", "A", 10000, -1.638, 1.638),
            ("voltage3", "V", 1000, 0, 26),
            ("current3", "A", 10000, -1.638, 1.638),
        ),
        "resolution": (0.008, 0.0004, 0.008, 0.0004, 0.008, 0.0004),
        "raw_bytes": 12,
        "first_ms": 30,
        "convert_ms": 30,
        "addrs": (0x40, 0x41, 0x42, 0x43),
        "max_hz": 400000,
        "who_am_i": "register 0xFE = 0x5449, register 0xFF = 0x3220",
        "datasheet": "TI SBOS576B, 2016-03",
        "checked_against": "Linux drivers/hwmon/ina3221.c, Adafruit_INA3221.h",
    }
