"""Rules and actuator limits together: facts of one tick in, decisions out.

    controller = Controller(rules, guards)
    for decision in controller.step(facts, now_s, local_s):
        ...  # switch decision.actuator; record decision.cause
    controller.poll(now_s)  # between ticks: runs that are over

From -> to (DESIGN.md): model -> rule is the value vector, rule -> actuator a command with a time
limit and a cause. Pure: no clock, no pins, no files; `now_s` only runs forward; `local_s`
is the local wall clock in seconds since 1970-01-01, or None while the clock was never set.
"""

from .guard import Day


class Decision:
    """Switch actuator (index) on for at most on_s, or off; cause says why in words.

    ran_s: seconds the run took, if this ends one.
    """

    def __init__(self, actuator, on, on_s, cause, ran_s=0):
        self.actuator = actuator
        self.on = on
        self.on_s = on_s
        self.cause = cause
        self.ran_s = ran_s


class _Run:
    """A run under way: which rule started it and for how long."""

    def __init__(self, rule, granted_s):
        self.rule = rule
        self.granted_s = granted_s


class Controller:
    """Owns the state of rules and guards. Rules come in order of preference per actuator."""

    def __init__(self, rules, guards):
        self.rules = rules
        self.guards = guards
        self._runs = [None] * len(guards)
        self._day = Day()

    def step(self, facts, now_s, local_s):
        """Decide on the facts of this tick; returns a list of Decision, mostly empty."""
        self._roll(local_s, now_s)
        for rule in self.rules:
            rule.condition.evaluate(facts)
        decisions = []
        for actuator in range(len(self.guards)):
            decision = self._decide(actuator, now_s)
            if decision:
                decisions.append(decision)
        return decisions

    def poll(self, now_s):
        """Decisions that only time makes: runs that reached their limit."""
        decisions = []
        for actuator, run in enumerate(self._runs):
            if run and self.guards[actuator].on_s(now_s) >= run.granted_s:
                decisions.append(self._stop(actuator, now_s, "%d s done" % run.granted_s))
        return decisions

    def next_s(self, now_s):
        """Seconds until poll() will have something to do, or None."""
        waits = [
            run.granted_s - self.guards[actuator].on_s(now_s)
            for actuator, run in enumerate(self._runs)
            if run
        ]
        return max(min(waits), 0) if waits else None

    def stop_all(self, now_s, cause):
        """End every run, e.g. before the node stops."""
        running = [actuator for actuator, run in enumerate(self._runs) if run]
        return [self._stop(actuator, now_s, cause) for actuator in running]

    def why(self, actuator):
        """What the first rule of this actuator that has an answer says, and its reason."""
        mine = [rule for rule in self.rules if rule.actuator == actuator]
        known = [rule for rule in mine if rule.condition.result is not None]
        return self._why((known or mine)[0]) if mine else ""

    def _why(self, rule):
        verdict = {1: "yes", 0: "no", None: "unknown"}[rule.condition.result]
        text = "%s %s: %s" % (rule.name, verdict, rule.condition.why())
        return "%s, but %s" % (text, rule.blocked_by) if rule.blocked_by else text

    def _roll(self, local_s, now_s):
        if self._day.begins(local_s, now_s):
            for part in self.rules + self.guards:
                part.new_day()

    def _decide(self, actuator, now_s):
        run = self._runs[actuator]
        if not run:
            return self._start_one(actuator, now_s)
        if self.guards[actuator].on_s(now_s) >= run.granted_s:
            return self._stop(actuator, now_s, "%d s done" % run.granted_s)
        if not run.rule.condition.result:
            return self._stop(actuator, now_s, "stop, " + run.rule.condition.why())
        return None

    def _start_one(self, actuator, now_s):
        for rule in self.rules:
            rule_is_mine = rule.actuator == actuator
            if rule_is_mine:
                rule.blocked_by = None
            if rule_is_mine and rule.condition.result:
                rule.blocked_by = rule.blocked(now_s) or self.guards[actuator].blocked(now_s)
                if not rule.blocked_by:
                    return self._start(actuator, rule, now_s)
        return None

    def _start(self, actuator, rule, now_s):
        guard = self.guards[actuator]
        granted_s = guard.allowed_s(rule.on_s)
        self._runs[actuator] = _Run(rule, granted_s)
        guard.started(now_s)
        rule.started()
        cause = "%s: %s" % (rule.name, rule.condition.why())
        return Decision(actuator, True, granted_s, cause)

    def _stop(self, actuator, now_s, cause):
        rule = self._runs[actuator].rule
        self._runs[actuator] = None
        rule.ended(now_s)
        ran_s = self.guards[actuator].stopped(now_s)
        return Decision(actuator, False, 0, "%s: %s" % (rule.name, cause), ran_s)

    def state(self, now_s):
        """What must survive a reset, by name, JSON-able: {"day", "rules", "guards"}.

        A run under way is stored as if it would use all it was granted: after a reset in the
        middle of it, the field is not watered twice.
        """
        running = [run.rule for run in self._runs if run]
        return {
            "day": self._day.number,
            "day_s": now_s - self._day.since_s,
            "rules": {rule.name: rule.state(now_s, rule in running) for rule in self.rules},
            "guards": {
                guard.name: guard.state(now_s, run.granted_s if run else 0)
                for guard, run in zip(self.guards, self._runs)
            },
        }

    def restore(self, state, now_s, away_s=0):
        """Take back state(); away_s: seconds known to have passed since, 0 if unknown.

        Names that no longer exist are left out, new ones start fresh.
        """
        then_s = now_s - away_s
        self._day.number = state["day"]
        self._day.since_s = then_s - state["day_s"]
        for rule in self.rules:
            if rule.name in state["rules"]:
                rule.restore(state["rules"][rule.name], then_s)
        for guard in self.guards:
            if guard.name in state["guards"]:
                guard.restore(state["guards"][guard.name], then_s)
