"""The model in the control path: daily features in, scores into the value vector.

From -> to (DESIGN.md): features -> model is an int8 vector, model -> rule are scores as ints of
1/10000. Runs in the synchronous part of a tick, once a day or as often as configured.
"""

from .core import log
from .core.errors import ModelError
from .dsp.features import DailyFeatures

SCORE_SCALE = 10000
_DAY_S = 86400


class ModelStage:
    """A model, its features and its timetable.

    model: hedge.infer.Model. features: DailyFeatures. inputs: value index of each feature channel.
    first: value index of the first score. outputs: names of the scores. at_s: seconds of the local
    day at which to run, or [] and every_s. Raises ModelError if model and features do not fit.
    """

    def __init__(self, model, features, inputs, first, outputs, at_s=(), every_s=0):
        if len(model.input) != len(features) or len(model.output) != len(outputs):
            shape = (len(model.input), len(model.output), len(features), len(outputs))
            raise ModelError("model %d -> %d, features %d -> %d" % shape)
        self.outputs = outputs
        self.first = first
        self.runs = 0
        self.ready = False  # at the last run
        self._model = model
        self._features = features
        self._inputs = inputs
        self._at_s = at_s
        self._every_s = every_s
        self._picked = [None] * len(inputs)
        self._scores = [None] * len(outputs)
        self._slot = None  # time of the timetable that was served last

    def push(self, epoch_s, values):
        """Give the features one tick."""
        for i in range(len(self._inputs)):
            self._picked[i] = values[self._inputs[i]]
        self._features.push(epoch_s, self._picked)

    def due(self, local_s):
        """True once for each time of the timetable, also for the last one before a start.

        local_s: local seconds since 1970, or None while the clock was never set: never due.
        """
        slot = self._current_slot(local_s)
        if slot is None or slot == self._slot:
            return False
        self._slot = slot
        return True

    def _current_slot(self, local_s):
        if local_s is None:
            return None
        if self._every_s:
            return local_s // self._every_s * self._every_s
        day = local_s - local_s % _DAY_S
        passed = [day + at for at in self._at_s if day + at <= local_s]
        return max(passed) if passed else day - _DAY_S + max(self._at_s)

    def run(self):
        """Compute the scores; False, and unknown scores, if a needed feature is missing."""
        self.ready = self._features.ready
        if not self.ready:
            self._scores = [None] * len(self.outputs)
            return False
        self._features.vector_into(self._model.input)
        self._model.invoke()
        self.runs += 1
        zero, scale = self._model.output_zero_point, self._model.output_scale * SCORE_SCALE
        for i in range(len(self.outputs)):
            self._scores[i] = int((self._model.output[i] - zero) * scale + 0.5)
        return True

    def scores_into(self, values):
        """Write the scores of the last run, or None, into the value vector."""
        for i in range(len(self._scores)):
            values[self.first + i] = self._scores[i]

    def state(self):
        """For the key-value file: history of the features, last scores and when."""
        return {"features": self._features.state(), "scores": self._scores, "slot": self._slot}

    def restore(self, state):
        """Take back state(); a history of other features is left out."""
        if not self._features.restore(state["features"]):
            log.warn("model", "history of other features, starting anew")
            return
        if len(state["scores"]) == len(self._scores):
            self._scores = list(state["scores"])
            self._slot = state["slot"]


def load_stage(table, first, day_offset_s, base_dir):
    """The stage that plan["model"] describes. Raises ModelError or OSError."""
    from .infer.model import Model

    path = table["file"]
    if not path.startswith("/"):
        path = "%s/%s" % (base_dir, path)
    features = DailyFeatures(
        table["specs"], len(table["inputs"]), table["history"], day_offset_s=-day_offset_s
    )
    return ModelStage(
        Model(path),
        features,
        table["inputs"],
        first,
        table["outputs"],
        table["at_s"],
        table["every_s"],
    )
