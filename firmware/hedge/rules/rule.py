"""One rule: a condition, an actuator, and how often it may act."""


class Rule:
    """Starts its actuator when the condition is true.

    on_s: longest run of one start, 0 = as long as the actuator allows. hold_off_s: from the end of
    one run of this rule to its next start. max_per_day: most starts in a local day, 0 = no limit.
    """

    def __init__(self, name, actuator, condition, on_s=0, hold_off_s=0, max_per_day=0):
        self.name = name
        self.actuator = actuator
        self.condition = condition
        self.on_s = on_s
        self.hold_off_s = hold_off_s
        self.max_per_day = max_per_day
        self.starts_today = 0
        self.blocked_by = None  # why a true condition did not act at the last tick
        self._ended_s = None

    def blocked(self, now_s):
        """Why it must not start now although its condition is true, or None."""
        if self._ended_s is not None and now_s - self._ended_s < self.hold_off_s:
            return "held off for %d s more" % (self.hold_off_s - (now_s - self._ended_s))
        if self.max_per_day and self.starts_today >= self.max_per_day:
            return "%d of %d a day done" % (self.starts_today, self.max_per_day)
        return None

    def started(self):
        self.starts_today += 1

    def ended(self, now_s):
        self._ended_s = now_s

    def new_day(self):
        self.starts_today = 0

    def state(self, now_s, running):
        """[starts today, seconds of hold-off left]; a run under way counts as ending now."""
        left_s = self.hold_off_s
        if not running:
            left_s = 0 if self._ended_s is None else left_s - (now_s - self._ended_s)
        return [self.starts_today, max(left_s, 0)]

    def restore(self, state, now_s):
        self.starts_today = state[0]
        self._ended_s = now_s - self.hold_off_s + min(state[1], self.hold_off_s)
