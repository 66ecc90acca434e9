"""What a plan's actuators do on simulated pins: which level or pulse means that water flows.

    meter = connect(bench, actuator, pump.on_level)
    meter.advance(now_ms)  # if it is not None: its wheel turns while water flows

bench: as in scene.py. Servos, buzzers and lights move no water. Runs under both Pythons.
"""

_PULSES_PER_S = 4  # of a wheel that turns: any flow meter gives more, a guard asks for less


class Meter:
    """The flow meter of a pump, on a pin of the bench."""

    def __init__(self, bench, pin):
        self._bench, self._pin = bench, pin
        self._flows_since_ms = None
        self._given = 0
        bench.drive_pin(pin, 1)

    def flow(self, on, now_ms):
        self._flows_since_ms = now_ms if on else None
        self._given = 0

    def advance(self, now_ms):
        """Give the pulses of the time that has passed."""
        if self._flows_since_ms is None:
            return
        due = (now_ms - self._flows_since_ms) * _PULSES_PER_S // 1000
        for _ in range(due - self._given):
            self._bench.drive_pin(self._pin, 0)
            self._bench.drive_pin(self._pin, 1)
        self._given = due


def connect(bench, actuator, on_level, active_level):
    """Call on_level(active_level or its opposite) as water begins and ends; a Meter or None."""
    kind, where = actuator["bus"]
    if kind == "output_pin":
        bench.on_pin(where, on_level)
    elif actuator["module"] == "valve":
        _connect_latch(bench, where, on_level, active_level)
    elif actuator["module"] == "pump":
        bench.on_pin(where[0], on_level)
        return Meter(bench, where[1])
    return None


def _connect_latch(bench, pins, on_level, active_level):
    """A valve that a pulse opens and another closes."""
    levels = (active_level, 1 - active_level)
    for pin, meant in zip(pins, levels):
        bench.on_pin(pin, lambda level, meant=meant: on_level(meant) if level else None)
