"""Battery row of the pulse sensor."""

from hedge.core.errors import SensorError

_BRIGHTEST = 262142 / 262143  # one count less than "too bright"


def _seen(red, infrared):
    return {"red": red, "infrared": infrared}, (red * 262143, infrared * 262143)


def _max30100(chip):
    chip.part_id = 0x11


def _averaging_and_full(chip):
    chip.store(0x08, 0xA0)
    chip.store(0x04, 7)
    chip.store(0x09, 2)


ROWS = (
    {
        "driver": "max30102",
        "points": (
            _seen(0.5, 0.6),
            _seen(0.0, 0.0),
            _seen(_BRIGHTEST, _BRIGHTEST),
            _seen(0.001, 0.99),
        ),
        "tolerance": (1, 1),
        # DS: FIFO data, most significant bits first; bits 18 to 23 are not used.
        "examples": ((b"\xfe\x00\x01\x01\x02\x03", (131073, 66051)),),
        "foreign": _max30100,
        "disturb": _averaging_and_full,
        "faults": {"nack": OSError, "bus": OSError, "busy": SensorError},
    },
)
