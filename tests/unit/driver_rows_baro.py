"""Battery row of the BMP388 air pressure sensor."""

from hedge.core.errors import SensorError


def _other_settings(chip):
    chip.store(0x1C, 0x2D)
    chip.store(0x1F, 0x0E)


def _foreign(chip):
    chip.chip_id = 0x58


def _air(temp_c, pressure_pa):
    return {"temp_c": temp_c, "pressure_pa": pressure_pa}, (temp_c * 100, pressure_pa)


ROWS = (
    {
        "driver": "bmp388",
        "points": (
            _air(25.08, 100653),
            _air(-40.0, 30000),
            _air(85.0, 125000),
            _air(0.0, 101325),
        ),
        "tolerance": (1, 1),
        "examples": "Bosch prints none; the simulated chip inverts the floating-point formulas",
        "foreign": _foreign,
        "disturb": _other_settings,
        "faults": {
            "nack": OSError,
            "bus": OSError,
            "busy": SensorError,
            "stuck": None,
            "slow": None,
            "blank": None,  # trimming values are read once after a reset, and kept
        },
    },
)
