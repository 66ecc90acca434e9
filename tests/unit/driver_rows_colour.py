"""Battery rows of colour and ultraviolet sensors."""

from hedge.core.errors import SensorError

_FAULTS = {"nack": OSError, "bus": OSError, "busy": SensorError}


def _light(*shares):
    return {"light": shares}, [share * 65535 for share in shares]


def _sun(light_lx, uv_index):
    return {"light_lx": light_lx, "uv_index": uv_index}, (light_lx * 10, uv_index * 100)


def _long_and_strong(chip):
    chip.regs[0x00] = 0x03
    chip.regs[0x01] = 0x00
    chip.regs[0x0F] = 0x03


def _tcs3400(chip):
    chip.chip_id = 0x90


def _uv_mode(chip):
    chip.store(0x04, 0x55)
    chip.store(0x05, 0x02)
    chip.store(0x00, 0x0A)


def _ltr329(chip):
    chip.part_id = 0xA0


ROWS = (
    {
        "driver": "tcs34725",
        "points": (
            _light(0.5, 0.2, 0.2, 0.1),
            _light(0.0, 0.0, 0.0, 0.0),
            _light(0.99999, 0.99999, 0.99999, 0.99999),
            _light(0.01, 0.002, 0.004, 0.003),
        ),
        "tolerance": (1, 1, 1, 1),
        "examples": "the datasheet has no reading with its light",
        "foreign": _tcs3400,
        "disturb": _long_and_strong,
        "faults": _FAULTS,
    },
    {
        "driver": "ltr390",
        "points": (
            _sun(35000.0, 5.5),
            _sun(0.0, 0.0),
            _sun(128000.0, 20.0),
            _sun(12.0, 0.1),
        ),
        "tolerance": (3, 1),
        # DS: 2300 counts are UV index 1; 0.6 * 1000 counts are 600 lx at gain 1 in 100 ms.
        "examples": ((b"\xe8\x03\x00\xfc\x08\x00", (6000, 100)),),
        "foreign": _ltr329,
        "disturb": _uv_mode,
        "faults": _FAULTS,
    },
)
