"""Battery rows of current and voltage monitors."""

from hedge.core.errors import SensorError

_FAULTS = {"nack": OSError, "bus": OSError, "busy": SensorError}


def _power_down(chip):
    chip.words[0] &= ~7
    chip.words[5] = 0x1234


def _ina226_instead(chip):
    chip.RESET = 0x4127


def _other_die(chip):
    chip.IDENTITY = {0xFE: 0x5449, 0xFF: 0x2270}


def _supply(voltage_v, current_a, amp):
    return {"voltage_v": voltage_v, "current_a": current_a}, (voltage_v * 1000, current_a * amp)


def _three(volts, amps):
    out = []
    for i in range(3):
        out += [volts[i] * 1000, amps[i] * 10000]
    return {"volts": volts, "amps": amps}, out


def _four(*volts):
    return {"volts": volts}, [1000000 * volt for volt in volts]


def _other_range(chip):
    chip.words[1] = 0x0A83


def _cell(voltage_v, charge_pct):
    return {"voltage_v": voltage_v, "charge_pct": charge_pct}, (1000 * voltage_v, 100 * charge_pct)


def _max17043(chip):
    chip.version = 3
    chip.power_on()


def _asleep(chip):
    chip.regs[0x06] = 0x20
    chip.regs[0x0D] = 0x9C


ROWS = (
    {
        "driver": "ina219",
        "points": (
            _supply(11.98, 0.2, 10000),
            _supply(0.0, -3.1999, 10000),
            _supply(26.0, 3.1999, 10000),
            _supply(3.3, -0.0001, 10000),
        ),
        "tolerance": (2, 1),
        # DS table 8: 11.98 V, 20 mV across the shunt; here the shunt has 100 mohm.
        "examples": ((b"\x07\xd0\x5d\x98", (11980, 2000)),),
        "foreign": _ina226_instead,
        "disturb": _power_down,
        "faults": _FAULTS,
    },
    {
        "driver": "ina226",
        "points": (
            _supply(11.98, 0.2, 100000),
            _supply(0.0, -0.81915, 100000),
            _supply(36.0, 0.81915, 100000),
            _supply(3.3, -0.000025, 100000),
        ),
        "tolerance": (1, 5),
        # DS table 6-1: 11.98 V, 20 mV across the shunt; here the shunt has 100 mohm.
        "examples": ((b"\x1f\x40\x25\x70", (11980, 20000)),),
        "foreign": _other_die,
        "disturb": _power_down,
        "faults": _FAULTS,
    },
    {
        "driver": "ina3221",
        "points": (
            _three((12.0, 5.0, 3.296), (0.25, 0.1, 0.0)),
            _three((0.0, 0.0, 0.0), (-1.6376, -1.6376, -1.6376)),
            _three((26.0, 26.0, 26.0), (1.6376, 1.6376, 1.6376)),
            _three((1.0, 2.0, 3.0), (-0.0004, 0.5, 1.0)),
        ),
        "tolerance": (4, 4, 4, 4, 4, 4),
        # DS 8.6.2.2: -80 mV is C180h; bus steps of 8 mV from bit 3 up.
        "examples": (
            (b"\xc1\x80\x2e\xe0\x00\x08\x00\x08\x00\x00\x00\x00", (12000, -8000, 8, 4, 0, 0)),
        ),
        "foreign": _other_die,
        "disturb": _power_down,
        "faults": _FAULTS,
    },
    {
        "driver": "ads1115",
        "points": (
            _four(1.5, 0.0, 3.3, 0.2),
            _four(0.0, 0.0, 0.0, 0.0),
            _four(4.09575, 4.09575, 4.09575, 4.09575),
            _four(0.000125, 1.0, 2.0, 3.0),
        ),
        "tolerance": (63, 63, 63, 63),
        # DS: one step of the 4.096 V range is 125 uV; two's complement.
        "examples": ((b"\x00\x01\x40\x00\x00\x00\xff\xff", (125, 2048000, 0, 0)),),
        "foreign": None,
        "disturb": _other_range,
        "faults": _FAULTS,
    },
    {
        "driver": "max17048",
        "points": (
            _cell(3.85, 62.5),
            _cell(2.5, 0.0),
            _cell(5.0, 100.0),
            _cell(4.2, 99.609375),
        ),
        "tolerance": (1, 1),
        # DS: 78.125 uV and 1/256 % a step.
        "examples": ((b"\xc0\x80\x3e\x80", (3850, 6250)),),
        "foreign": _max17043,
        "disturb": _asleep,
        "faults": {"nack": None, "bus": OSError, "asleep": SensorError},
    },
)
