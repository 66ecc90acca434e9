"""Battery rows of contacts on a pin and of the wind vane."""

from hedge.core.errors import SensorError
from hedgerow.emulate.chips import pulses

_ANY = 10**9  # tolerance of a total: it has grown since power-on


def _flow(l_per_s):
    return {"flow_l_per_s": l_per_s}, (l_per_s * 10000, 0)


def _rain(mm_per_h):
    return {"rain_mm_per_h": mm_per_h}, (mm_per_h * 1000, 0)


def _wind(mps):
    return {"wind_mps": mps}, (mps * 100, mps * 100)


def _from(degrees):
    return {"direction_deg": degrees}, (degrees * 17.453293,)


ROWS = (
    {
        "driver": "flow_meter",
        "make_chip": pulses.FlowMeter,
        "points": (_flow(0.2), _flow(0.5), _flow(0.0), _flow(0.03)),
        "tolerance": (23, _ANY),
        "partial_range": "the volume only grows",
        "examples": "pulses have no bytes",
        "foreign": None,
        "faults": {},
    },
    {
        "driver": "rain_gauge",
        "make_chip": pulses.RainGauge,
        "pass_ms": 3600000 // 60,
        "points": (
            ({"rain_mm_per_h": 0.0}, (0, 0)),
            ({"rain_mm_per_h": 60.0}, (1000, 0)),
            ({"rain_mm_per_h": 400.0}, (6667, 0)),
        ),
        "tolerance": (300, _ANY),
        "partial_range": "the total only grows",
        "examples": "pulses have no bytes",
        "foreign": None,
        "faults": {"bounce": None},
    },
    {
        "driver": "anemometer",
        "make_chip": pulses.Anemometer,
        "points": (_wind(5.0), _wind(60.0), _wind(0.0)),
        "tolerance": (67, 67),
        "examples": "pulses have no bytes",
        "foreign": None,
        "faults": {"bounce": None},
    },
    {
        "driver": "pir",
        "make_chip": pulses.PIR,
        "args": {"settle_ms": 0},
        "pass_ms": 7000,
        "points": (
            ({"moving": False}, (0, 0)),
            ({"moving": True}, (1, 0)),
            ({"moving": True}, (1, 0)),
        ),
        "tolerance": (0, _ANY),
        "partial_range": "the total only grows",
        "examples": "a level has no bytes",
        "foreign": None,
        "faults": {},
    },
    {
        "driver": "wind_vane",
        "points": (_from(90.0), _from(0.0), _from(337.5), _from(292.5)),
        "tolerance": (2,),
        "examples": "the resistance table is checked by test_driver_contacts.py",
        "foreign": None,
        "wrong": SensorError,
        "faults": {
            "open": SensorError,
            "short": SensorError,
            "supply": SensorError,
            "stuck": None,
        },
    },
)
