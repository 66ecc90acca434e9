"""The control path of a node: filter -> features -> model -> rule -> actuator, in one call.

From -> to (DESIGN.md): takes what the sensors left in the value vector, ends with commands to the
actuators. Synchronous: nothing in here waits, neither for the network nor for a sensor.
"""

from .core import log
from .rules import Controller, Facts


class Control:
    """Facts of the current tick, and everything that turns them into commands.

    drivers: one per guard, each with on(ms), off(), poll(). before_on(): called before an actuator
    goes on, to make durable that it did: a reset right after must not water again.
    """

    def __init__(self, filters, model, rules, guards, drivers, before_on):
        self.facts = Facts([], [])
        self.model = model
        self.controller = Controller(rules, guards)
        self.actuations = 0
        self._filters = filters
        self._drivers = drivers
        self._before_on = before_on

    def step(self, epoch_s, local_s, now_s):
        """One tick; returns (decisions, True if the model was due). local_s: None if unknown."""
        model_ran = self._infer(epoch_s, local_s)
        self._set_time(local_s)
        decisions = self.controller.step(self.facts, now_s, local_s)
        self._command(decisions, now_s)
        return decisions, model_ran

    def poll(self, now_s):
        """Between ticks: end what is over; returns the decisions."""
        for driver in self._drivers:
            driver.poll()
        decisions = self.controller.poll(now_s)
        self._command(decisions, now_s)
        return decisions

    def stop(self, now_s, cause):
        """Everything off; returns the decisions that this took."""
        decisions = self.controller.stop_all(now_s, cause)
        for driver in self._drivers:
            driver.off()
        return decisions

    def _infer(self, epoch_s, local_s):
        values = self.facts.values
        for i, sample_filter in self._filters:
            values[i] = sample_filter.update(values[i])
        if self.model is None:
            return False
        self.model.push(epoch_s, values)
        due = self.model.due(local_s)
        if due:
            self.model.run()
        self.model.scores_into(values)
        return due

    def _set_time(self, local_s):
        if local_s is None:
            self.facts.minute = -1
            return
        self.facts.minute = local_s % 86400 // 60
        self.facts.weekday = (local_s // 86400 + 3) % 7  # 1970-01-01 was a Thursday

    def _command(self, decisions, now_s):
        for decision in decisions:
            driver = self._drivers[decision.actuator]
            name = self.controller.guards[decision.actuator].name
            if decision.on:
                self._before_on()
                driver.on(decision.on_s * 1000)
                self.actuations += 1
            else:
                driver.off()
            log.info("rule", "%s %s: %s", name, "on" if decision.on else "off", decision.cause)
