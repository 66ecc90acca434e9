"""Battery rows of probes on ADC pins: current clamp, resistive soil probe, pH, conductivity."""

from hedge.core.errors import SensorError

_CABLE = {"open": SensorError, "short": SensorError, "supply": SensorError, "stuck": None}


def _clamp(current_a, third):
    return {"current_a": current_a, "third": third}, (current_a * 1000,)


ROWS = (
    {
        "driver": "current_clamp",
        "points": (_clamp(4.2, 0.0), _clamp(0.0, 0.0), _clamp(30.0, 0.0), _clamp(10.0, 0.3)),
        "tolerance": (15,),
        "examples": "the ratio is the clamp's; test_driver_probes.py has other waves",
        "foreign": None,
        "wrong": SensorError,
        "faults": {"open": SensorError, "short": SensorError, "supply": SensorError},
    },
    {
        "driver": "soil_resistive",
        "args": {"dry_mv": 2970, "wet_mv": 990},
        "points": (
            ({"wetness_pct": 40.0}, (4000,)),
            ({"wetness_pct": 0.0}, (0,)),
            ({"wetness_pct": 100.0}, (10000,)),
        ),
        "tolerance": (8,),
        "examples": "the scale is each probe's own calibration",
        "foreign": None,
        "wrong": SensorError,
        "faults": _CABLE,
    },
    {
        "driver": "ph_probe",
        "points": (({"ph": 6.2}, (6200,)), ({"ph": 0.0}, (0,)), ({"ph": 14.0}, (14000,))),
        "tolerance": (15,),
        "examples": "calibration points are in test_driver_probes.py",
        "foreign": None,
        "wrong": SensorError,
        "faults": _CABLE,
    },
    {
        "driver": "ec_probe",
        "points": (
            ({"ec_s_per_m": 0.1413}, (1413,)),
            ({"ec_s_per_m": 0.01}, (100,)),
            ({"ec_s_per_m": 1.95}, (19500,)),
        ),
        "tolerance": (12,),
        "examples": "calibration points are in test_driver_probes.py",
        "foreign": None,
        "wrong": SensorError,
        "faults": _CABLE,
    },
)
