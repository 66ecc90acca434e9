"""The records a node writes about itself and its decisions; README.md lists their names.

    journal = Journal(recorder, channels)
    journal.decisions(decisions, guards, epoch_s)

Everything goes through one Recorder, which never stops the node.
"""

from . import VERSION
from .recorder import DIAG, EVENTS, MAX_TEXT, TELEMETRY

_DAY_S = 86400


class Journal:
    """recorder: Recorder. Channel values themselves are recorded by it, not here."""

    def __init__(self, recorder):
        self._recorder = recorder
        self._day = None

    def boot(self, boot, about, model_error, state_damaged):
        """First record of a life: why it began, with which firmware and settings."""
        entries = [("boot", None, boot), ("reason", None, about["cause"])]
        entries.append(("firmware", None, VERSION))
        entries.append(("config", None, about["hash"]))
        self._recorder.write(EVENTS, entries)
        if model_error:
            self._recorder.event("model", False, "reason", model_error)
        if state_damaged:
            self._recorder.event("state", False, "reason", "damaged: limits of today start anew")

    def decisions(self, decisions, guards, epoch_s):
        """Each change of an actuator with its cause."""
        for decision in decisions:
            name = guards[decision.actuator].name
            entries = [(name, None, decision.on), ("rule", None, decision.cause[:MAX_TEXT])]
            self._recorder.write(EVENTS, entries, epoch_s)

    def model_run(self, control, decisions, epoch_s):
        """The scores, and if nothing was switched, what each rule said."""
        stage, values = control.model, control.facts.values
        entries = []
        for i in range(len(stage.outputs)):
            score = values[stage.first + i]
            if score is not None:
                entries.append(("model." + stage.outputs[i], "/", score / 10000))
        if entries:
            self._recorder.write(TELEMETRY, entries, epoch_s)
        if not decisions:
            self._why(control.controller, epoch_s)

    def _why(self, controller, epoch_s):
        for actuator in range(len(controller.guards)):
            text = controller.why(actuator)
            if text:
                self._recorder.write(EVENTS, [("rule", None, text[:MAX_TEXT])], epoch_s)

    def day(self, local_s, raw_bytes, sent_bytes, epoch_s):
        """Once a local day: how much was sensed and sent since the start."""
        day = local_s // _DAY_S
        if self._day is not None and day != self._day:
            entries = [("diag.raw_bytes", "B", raw_bytes), ("diag.sent_bytes", "B", sent_bytes)]
            self._recorder.write(DIAG, entries, epoch_s)
        self._day = day

    def health(self, sensor):
        """A sensor became unhealthy or well again."""
        text = "well again" if sensor.healthy else sensor.reason
        self._recorder.event("health." + sensor.name, sensor.healthy, "reason", text)

    def link(self, up, reason):
        """The link came up or was lost."""
        self._recorder.event("link", up, "reason", reason)

    def clock(self, before_s, after_s):
        """The gateway set the clock; 0: it was not known before."""
        self._recorder.event("clock", after_s - before_s if before_s else 0)

    def fault(self, name, error):
        """Something of the node itself failed: "tick" or "state"."""
        self._recorder.event(name, False, "reason", str(error) or repr(error))
