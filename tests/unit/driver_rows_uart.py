"""Battery rows of sensors on a UART: MH-Z19B, PMS5003, LD2410, GPS, TF-Luna."""

from hedge.core.errors import SensorError

# Noise between frames is skipped; all else that goes on spoils every frame.
_LINE = {
    "silent": OSError,
    "crc": SensorError,
    "noise": None,
    "cut": SensorError,
    "slow": SensorError,
}


def _dust(pm1, pm2_5, pm10):
    return {"pm1_ug": pm1, "pm2_5_ug": pm2_5, "pm10_ug": pm10}, (pm1, pm2_5, pm10)


_RADAR = ("state", "moving_cm", "moving_pct", "still_cm", "still_pct", "detected_cm")


def _seen(*values):
    return dict(zip(_RADAR, values)), values


def _at(lat, lon, alt_m, speed_mps, satellites):
    names = ("lat", "lon", "alt_m", "speed_mps", "satellites")
    inputs = dict(zip(names, (lat, lon, alt_m, speed_mps, satellites)))
    return inputs, (lat * 1e6, lon * 1e6, alt_m * 10, speed_mps * 100, satellites)


def _seen_at(distance_m, strength, temp_c):
    inputs = {"distance_m": distance_m, "strength": strength, "temp_c": temp_c}
    return inputs, (distance_m * 1000, strength, temp_c * 100)


ROWS = (
    {
        "driver": "gps",
        "points": (
            _at(51.4779, -0.0015, 46.9, 1.23, 8),
            _at(-90.0, -180.0, -1000.0, 0.0, 0),
            _at(90.0, 180.0, 18000.0, 500.0, 40),
        ),
        "tolerance": (1, 1, 1, 1, 0),
        "examples": "test_driver_gps.py has recorded sentences",
        "foreign": None,
        "faults": dict(_LINE, nofix=SensorError),
    },
    {
        "driver": "mhz19",
        "points": (
            ({"co2_ppm": 800}, (800,)),
            ({"co2_ppm": 0}, (0,)),
            ({"co2_ppm": 10000}, (10000,)),
        ),
        "tolerance": (0,),
        # DS, 0x86 read CO2 concentration: 544 ppm.
        "examples": ((b"\xff\x86\x02\x20\x00\x00\x00\x00\x58", (544,)),),
        "foreign": None,
        # It hears half the question at half the speed, and does not answer.
        "faults": dict(_LINE, slow=OSError),
    },
    {
        "driver": "pms5003",
        "points": (_dust(5, 12, 20), _dust(0, 0, 0), _dust(1000, 1000, 1000)),
        "tolerance": (0, 0, 0),
        "examples": "the manual has a table of positions only",
        "foreign": None,
        "faults": _LINE,
    },
    {
        "driver": "ld2410",
        "points": (
            _seen(1, 180, 70, 0, 0, 180),
            _seen(0, 0, 0, 0, 0, 0),
            _seen(3, 800, 100, 800, 100, 800),
        ),
        "tolerance": (0,) * 6,
        # DS 2.3.2: a still target, energy 59.
        "examples": (
            (
                b"\xf4\xf3\xf2\xf1\x0d\x00\x02\xaa\x02\x51\x00\x00\x00\x00\x3b\x00\x00\x55\x00"
                b"\xf8\xf7\xf6\xf5",
                (2, 81, 0, 0, 59, 0),
            ),
        ),
        "foreign": None,
        "faults": dict(_LINE, tail=SensorError),
    },
    {
        "driver": "tf_luna",
        "points": (
            _seen_at(1.25, 1200, 30.5),
            _seen_at(0.0, 100, -20.0),
            _seen_at(8.0, 65534, 75.0),
        ),
        "tolerance": (0, 0, 1),
        "examples": "the manual has a table of positions only",
        "foreign": None,
        "faults": dict(_LINE, blind=SensorError),
    },
)
