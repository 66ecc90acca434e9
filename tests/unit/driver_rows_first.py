"""Battery rows of the soil node's sensors: BME280, DS18B20, soil probe, battery."""

from hedge.core.errors import SensorError
from hedgerow.emulate.chips import battery as battery_chip
from hedgerow.emulate.chips import bme280, ds18b20, soil_probe


def _set_id(chip):
    chip._regs[0xD0] = 0x58  # a BMP280


def _ds18s20(chip):
    chip._pad[4] = 0xFF  # its scratchpad has no configuration byte


def _other_settings(chip):
    chip._regs[0xF5] = 0xA0
    chip._regs[0xF2] = 5


def _trim(sensor):
    # BST-BMP280-DS001 3.12 prints these trimming values with the raw values of the example.
    low, high = bme280.pack_trimming(bme280.TRIM_T, bme280.TRIM_P, bme280.TRIM_H)
    sensor.set_trimming(low, high)


def _air(temp_c, humidity_pct, pressure_pa):
    return (
        {"temp_c": temp_c, "humidity_pct": humidity_pct, "pressure_pa": pressure_pa},
        (temp_c * 100, humidity_pct * 100, pressure_pa),
    )


ROWS = (
    {
        "driver": "bme280",
        "points": (
            _air(25.08, 45.0, 100653.0),
            _air(-40.0, 0.0, 30000.0),
            _air(85.0, 100.0, 110000.0),
            _air(0.0, 33.3, 101325.0),
        ),
        "tolerance": (1, 2, 3),
        "examples": ((b"\x65\x5a\xc0\x7e\xed\x00\x6e\x00", (2508,)),),
        "prepare": _trim,
        "foreign": _set_id,
        "disturb": _other_settings,
        "faults": {
            "busy": SensorError,
            "stuck": None,
            "slow": None,
            "nack": OSError,
            "bus": OSError,
            "blank": None,  # trimming values are read once after a reset, and kept
        },
    },
    {
        "driver": "ds18b20",
        "make_chip": lambda now_ms: ds18b20.DS18B20(now_ms, serial=5),
        "points": (
            ({"temp_c": 25.0625}, (2506,)),
            ({"temp_c": -55.0}, (-5500,)),
            ({"temp_c": 125.0}, (12500,)),
            ({"temp_c": -10.125}, (-1012,)),
        ),
        "tolerance": (1,),
        "examples": (  # DS table Temperature/Data Relationship, scratchpads after a conversion
            (b"\xd0\x07\x4b\x46\x7f\xff\x10\x10", (12500,)),
            (b"\x91\x01\x4b\x46\x7f\xff\x0f\x10", (2506,)),
            (b"\x5e\xff\x4b\x46\x7f\xff\x02\x10", (-1012,)),
            (b"\x90\xfc\x4b\x46\x7f\xff\x10\x10", (-5500,)),
        ),
        "foreign": _ds18s20,
        "faults": {
            "crc": SensorError,
            "stuck": None,
            "slow": SensorError,
            "short": SensorError,
            "brownout": SensorError,
        },
    },
    {
        "driver": "soil_probe",
        "make_chip": lambda now_ms: soil_probe.SoilProbe(wet_pct=100),
        "args": {"wet_pct": 100},
        "points": (
            ({"vwc_pct": 23.4}, (2340,)),
            ({"vwc_pct": 0.0}, (0,)),
            ({"vwc_pct": 100.0}, (10000,)),
        ),
        "tolerance": (8,),
        "examples": "the curve is each probe's own calibration",
        "foreign": None,
        "wrong": SensorError,
        "faults": {
            "open": SensorError,
            "short": SensorError,
            "supply": SensorError,
            "stuck": None,
        },
    },
    {
        "driver": "battery",
        "make_chip": lambda now_ms: battery_chip.Battery(),
        "points": (
            ({"charge_pct": 60.0}, (3850,)),
            ({"charge_pct": 0.0}, (3000,)),
            ({"charge_pct": 100.0}, (4200,)),
        ),
        "tolerance": (3,),
        "examples": "a divider; test_driver_analog.py has worked values",
        "foreign": None,
        "wrong": SensorError,
        "partial_range": "one lithium cell is simulated, the divider is any",
        "faults": {"open": SensorError},
    },
)
