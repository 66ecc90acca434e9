"""Limits of one actuator that no rule can pass, and the local day they are counted in.

Times are seconds of a clock that only runs forward (`now_s`, the node counts it); the wall clock
is used for one thing only, to say that a new local day began.
"""

_DAY_S = 86400
_NEW_DAY_S = _DAY_S // 2  # a day's allowance is given out at most once in this running time


class Day:
    """Tells when a new local day begins, whatever the clock does.

    A clock that jumps back never begins a day anew, one that flaps to and fro not more often than
    every 12 hours of running time; a clock that was never set begins none. So a wrong clock can
    cost a watering, but never doubles a day's water.
    """

    def __init__(self):
        self.number = None  # days since 1970-01-01, local
        self.since_s = 0  # now_s at which the day of the count began

    def begins(self, local_s, now_s):
        """True if the counts of the day are to start from zero.

        local_s: seconds since 1970-01-01 in local time, None while the clock was never set.
        """
        if local_s is None or local_s // _DAY_S == self.number:
            return False
        first = self.number is None
        forward = first or local_s // _DAY_S > self.number
        self.number = local_s // _DAY_S
        if not forward or (not first and now_s - self.since_s < _NEW_DAY_S):
            return False
        self.since_s = now_s - local_s % _DAY_S
        return not first


class Guard:
    """Longest time on, shortest time off, most time on per day; 0 of the last two = no limit."""

    def __init__(self, name, max_on_s, min_off_s=0, max_s_per_day=0):
        self.name = name
        self.max_on_s = max_on_s
        self.min_off_s = min_off_s
        self.max_s_per_day = max_s_per_day
        self.is_on = False
        self.used_s = 0  # today; while on, without the present run
        self._changed_s = None  # now_s of the last change, None before the first

    def blocked(self, now_s):
        """Why it must not go on now, or None."""
        if self._changed_s is not None and now_s - self._changed_s < self.min_off_s:
            return "off for %d s more" % (self.min_off_s - (now_s - self._changed_s))
        if self.max_s_per_day and self.used_s >= self.max_s_per_day:
            return "%d s of %d s a day used" % (self.used_s, self.max_s_per_day)
        return None

    def allowed_s(self, wanted_s):
        """wanted_s cut to what the limits leave."""
        allowed = min(wanted_s or self.max_on_s, self.max_on_s)
        if self.max_s_per_day:
            allowed = min(allowed, self.max_s_per_day - self.used_s)
        return allowed

    def started(self, now_s):
        self.is_on = True
        self._changed_s = now_s

    def on_s(self, now_s):
        """Seconds on by now, 0 while off."""
        return now_s - self._changed_s if self.is_on else 0

    def stopped(self, now_s):
        """Count the run; returns its seconds, at least 1."""
        ran_s = max(self.on_s(now_s), 1)
        self.is_on = False
        self.used_s += ran_s
        self._changed_s = now_s
        return ran_s

    def new_day(self):
        self.used_s = 0

    def state(self, now_s, granted_s=0):
        """[seconds used today, seconds it must stay off]; a run under way counts as granted_s."""
        if self.is_on:
            return [self.used_s + granted_s, self.min_off_s]
        if self._changed_s is None:
            return [self.used_s, 0]
        return [self.used_s, max(self.min_off_s - (now_s - self._changed_s), 0)]

    def restore(self, state, now_s):
        self.used_s = state[0]
        self._changed_s = now_s - self.min_off_s + min(state[1], self.min_off_s)
