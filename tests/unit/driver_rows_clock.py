"""Battery rows of clock chips."""

from hedge.core.errors import SensorError


def _at(day, second, *temp_c):
    inputs = {"day": day, "second": second}
    if temp_c:
        inputs["temp_c"] = temp_c[0]
    return inputs, [day, second] + [100 * t for t in temp_c]


def _twelve_hours(chip):
    chip.twelve_hours = True
    chip._kept[0x0E] = 0x9F


def _alarms(chip):
    chip._kept[0x01] = 0x1F
    chip._kept[0x0D] = 0x83


ROWS = (
    {
        "driver": "ds3231",
        "points": (
            _at(9459, 43200, 25.25),
            _at(0, 0, -40.0),
            _at(36524, 86399 - 60, 85.0),
            _at(59, 86399 - 3, -0.25),
            _at(36524, 86399, 0.0),
        ),
        "tolerance": (0, 1, 0),
        # DS, temperature registers (and DS3232M): 0001 1001 01 is 25.25 degC. The date is ours.
        "examples": (
            (
                b"\x59\x59\x23\x03\x29\x02\x24\0\0\0\0\0\0\0\x1c\x08\0\x19\x40",
                (8825, 86399, 2525),  # 2024-02-29
            ),
        ),
        "foreign": None,
        "disturb": _twelve_hours,
        "faults": {"nack": OSError, "bus": OSError, "busy": SensorError, "flat": SensorError},
    },
    {
        "driver": "pcf8563",
        "points": (_at(9459, 43200), _at(0, 0), _at(36524, 86399), _at(59, 86397)),
        "tolerance": (0, 1),
        # DS table 9: x101 1001 is second 59. The date is ours, 2024-02-29 23:59:59.
        "examples": ((b"\x08\x00\x59\xd9\xe3\xe9\xfc\x62\x24", (8825, 86399)),),
        "foreign": None,
        "disturb": _alarms,
        "faults": {
            "nack": None,  # a read writes nothing
            "bus": OSError,
            "flat": SensorError,
            "halted": SensorError,
        },
    },
)
