"""Battery rows of sensors on two pins: HX711, HC-SR04."""

from hedge.core.errors import SensorError


def _stopped_us():
    return 0  # simulated pins are slower than a board's; test_driver_lines.py has long pulses


class _Level:
    """A pin that gives one recorded level after the other, without allocating."""

    IN, OUT, PULL_UP = 0, 1, 1

    def __init__(self, levels):
        self._levels = levels
        self._next = 0

    def init(self, *args, value=None):
        pass

    def value(self, level=None):
        if level is not None or not self._levels:
            return 0
        self._next = (self._next + 1) % len(self._levels)
        return self._levels[self._next - 1]


def _recorded_hx711():
    """Ready, 672000 with the most significant bit first, DOUT high at the 25th pulse."""
    bits = bytes([672000 >> 23 - i & 1 for i in range(24)])
    return (_Level(b"\x00" + bits + b"\x01"), _Level(b"")), (3200,)


class _Echo:
    def pulse_us(self, timeout_us):
        return 5824


def _recorded_hcsr04():
    return _Echo(), (1000,)


ROWS = (
    {
        "driver": "hx711",
        "args": {"ticks_us": _stopped_us},
        "points": (
            ({"mass_kg": 3.2}, (3200,)),
            ({"mass_kg": -39.0}, (-39000,)),
            ({"mass_kg": 39.0}, (39000,)),
        ),
        "tolerance": (1,),
        "examples": "bits, not bytes; the data sheet has none",
        "foreign": None,
        "faults": {"overload": SensorError, "dead": OSError, "low": SensorError},
        "recorded": _recorded_hx711,
    },
    {
        "driver": "hcsr04",
        "points": (
            ({"distance_m": 1.25}, (1250,)),
            ({"distance_m": 0.02}, (20,)),
            ({"distance_m": 4.0}, (4000,)),
        ),
        "tolerance": (3,),
        "examples": "a pulse, not bytes; test_driver_lines.py has the data sheet's 58 us per cm",
        "foreign": None,
        "faults": {"deaf": SensorError},
        "recorded": _recorded_hcsr04,
    },
)
