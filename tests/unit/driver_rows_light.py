"""Battery rows of light sensors."""

from hedge.core.errors import SensorError


def light(lx):
    return ({"light_lx": lx}, (lx * 10,))


def _slow_and_continuous(chip):
    chip.time_register = 254
    chip._begin(0x11)


def _is_tsl2561(chip):
    chip.regs[0x12] = 0x0A


def _high_gain(chip):
    chip.regs[0] = 3
    chip.regs[1] = 0x35


ROWS = (
    {
        "driver": "bh1750",
        "points": (light(320.0), light(0.0), light(54612.0), light(28067.0)),
        "tolerance": (5,),
        "examples": ((b"\x83\x90", (280667,)),),  # DS page 10: 28067 lx
        "foreign": None,
        "disturb": _slow_and_continuous,
        "faults": {"nack": OSError, "bus": OSError, "stuck": None},
    },
    {
        "driver": "tsl2591",
        "points": (light(320.0), light(0.0), light(60000.0), light(7000.0)),
        "tolerance": (120,),  # gain 1 has steps of 4 lx
        "examples": "the datasheet has no lux formula",
        "foreign": _is_tsl2561,
        "disturb": _high_gain,
        "faults": {"nack": OSError, "bus": OSError, "busy": SensorError},
    },
)
