"""Where a node's time goes, by phase, and what that costs: the energy ledger.

    ledger = Ledger(ua, loads_ua)      # currents of the plan, microamperes, None: not known
    ledger.add(SENSE, 812)
    ledger.day_entries()               # once a day, for two diag records; then it starts anew

Phases are apart from each other: their times add up to all time, wake and actuators excepted.
Sensors are part of the current while sensing; what they draw at rest is "standby", over all time.
"""

PHASES = ("sense", "infer", "store", "link", "idle", "sleep")
SENSE, INFER, STORE, LINK, IDLE, SLEEP = range(6)
_MAH_US_UA = 3.6e12  # microseconds * microamperes in a milliampere-hour


class Ledger:
    """ua: {phase: current of the whole node in that phase, "standby": of resting sensors}.

    loads_ua: current of each actuator while it is on. wake_ms: from the end of a sleep to the
    first line of the program, at idle's current, or None if not known. Times are kept in
    microseconds below a second and in seconds above, so that ints stay small on boards.
    """

    def __init__(self, ua, loads_ua=(), wake_ms=None):
        self._ua = ua
        self._loads_ua = loads_ua
        self._wake_ms = wake_ms
        self.clear()

    def clear(self):
        """Begin anew."""
        self._s = [0] * len(PHASES)
        self._us = [0] * len(PHASES)
        self.on_s = [0] * len(self._loads_ua)
        self.wakes = 0

    def add(self, phase, ms):
        """Count milliseconds; a clock that went back counts nothing."""
        self.add_us(phase, ms % 1000 * 1000, ms // 1000)

    def add_us(self, phase, us, seconds=0):
        """Count microseconds, fewer than 2**29, and seconds."""
        if us < 0 or seconds < 0:
            return
        us += self._us[phase]
        self._s[phase] += seconds + us // 1000000
        self._us[phase] = us % 1000000

    def seconds(self, phase):
        """Time in a phase since the last clear(), as a float."""
        return self._s[phase] + self._us[phase] / 1e6

    def mah(self, phase):
        """Charge of a phase in mAh, None if its current is not known."""
        return _mah(self.seconds(phase), self._ua.get(PHASES[phase]))

    def wake_s(self):
        """Time from reset to program of all wake-ups; 0.0 while one is not known."""
        return self.wakes * (self._wake_ms or 0) / 1000

    def day_entries(self):
        """([(name, unit, seconds)], [(name, None, mAh)]): SenML entries of what is known."""
        times = [
            ("power.s." + name, "s", _short(self.seconds(i))) for i, name in enumerate(PHASES)
        ]
        charges = []
        for i, name in enumerate(PHASES):
            _put(charges, name, self.mah(i))
        awake_s = sum([self.seconds(i) for i in range(len(PHASES))])
        _put(charges, "standby", _mah(awake_s, self._ua.get("standby")))
        if self._wake_ms is not None and self.wakes:
            _put(charges, "wake", _mah(self.wake_s(), self._ua.get("idle")))
        for on_s, ua in zip(self.on_s, self._loads_ua):
            if on_s:
                _put(charges, "actuator", _mah(on_s, ua))
        times.append(("power.wakes", None, self.wakes))
        return times, charges

    def state(self):
        """For the ticket of a deep sleep."""
        return [self._s, self._us, self.on_s, self.wakes]

    def restore(self, state):
        self._s, self._us, self.on_s, self.wakes = state


def _mah(seconds, ua):
    return None if ua is None else seconds * 1e6 * ua / _MAH_US_UA


def _put(entries, name, mah):
    if mah is None:
        return
    name = "power.mah." + name
    if entries and entries[-1][0] == name:  # two actuators are one load
        mah += entries.pop()[2]
    entries.append((name, None, _short(mah)))


def _short(x):
    """Four digits: fewer bytes on the air, and no figure here is known better."""
    return float("%.4g" % x)
