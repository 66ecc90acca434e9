"""The parts of a node by themselves: the model's timetable, latency histogram, control step."""

import unittest

from fake_node import FakeState
from quiet_case import QuietCase

from hedge.core.errors import ModelError
from hedge.dsp.features import DailyFeatures
from hedge.keeper import Keeper
from hedge.latency import Latency
from hedge.model_stage import ModelStage
from hedge.recorder import real

DAY_S = 86400
MONDAY_S = 20003 * DAY_S


class FakeModel:
    """One input, two outputs: the input and a constant."""

    input_scale, input_zero_point = 1.0, 0
    output_scale, output_zero_point = 1 / 256, -128

    def __init__(self):
        self.input = [0]
        self.output = [0, 0]

    def invoke(self):
        self.output[0] = self.input[0]
        self.output[1] = 127


def _stage(at_s=(5 * 3600,), every_s=0, model=None):
    features = DailyFeatures([(0, 0, 0, 1, -1, 0, 65536, 0, 1)], 1, 1)
    model = model or FakeModel()
    return ModelStage(model, features, [1], 2, ["a", "b"], list(at_s), every_s)


def _live(stage, start_s, hours, values=(None, 64)):
    """Hourly ticks; returns hours at which it was due."""
    due = []
    vector = list(values) + [None, None]
    for hour in range(hours):
        now_s = start_s + hour * 3600
        stage.push(now_s, vector)
        if stage.due(now_s):
            stage.run()
            due.append(hour)
        stage.scores_into(vector)
    return due, vector[2:]


class TestModelStage(unittest.TestCase):
    def test_runs_at_once_then_at_its_time(self):
        due, scores = _live(_stage(), MONDAY_S, 72)
        self.assertEqual(due, [0, 5, 29, 53])
        self.assertEqual(scores, [7500, 9961])

    def test_scores_are_unknown_until_a_day_is_complete(self):
        stage = _stage()
        self.assertEqual(_live(stage, MONDAY_S, 20)[1], [None, None])
        self.assertFalse(stage.ready)
        self.assertEqual(stage.runs, 0)

    def test_scores_become_unknown_when_a_needed_feature_is_missing(self):
        stage = _stage()
        _live(stage, MONDAY_S, 48)
        self.assertEqual(_live(stage, MONDAY_S + 2 * DAY_S, 48, (None, None))[1], [None, None])

    def test_several_times_a_day(self):
        due, _ = _live(_stage(at_s=(5 * 3600, 17 * 3600)), MONDAY_S, 48)
        self.assertEqual(due, [0, 5, 17, 29, 41])

    def test_every_so_often(self):
        due, _ = _live(_stage(at_s=(), every_s=6 * 3600), MONDAY_S + 3600, 24)
        self.assertEqual(due, [0, 5, 11, 17, 23])

    def test_never_due_while_the_clock_is_not_set(self):
        self.assertFalse(_stage().due(None))

    def test_a_reset_keeps_history_and_scores_and_does_not_run_again(self):
        stage = _stage()
        _live(stage, MONDAY_S, 40)
        again = _stage()
        again.restore(stage.state())
        due, scores = _live(again, MONDAY_S + 40 * 3600, 10)
        self.assertEqual((due, scores), ([], [7500, 9961]))

    def test_state_of_other_features_is_left_out(self):
        other = DailyFeatures([(0, 1, 0, 1, -1, 0, 65536, 0, 1)], 1, 1)
        stage = _stage()
        stage.restore({"features": other.state(), "scores": [1, 2], "slot": 5})
        self.assertEqual(_live(stage, MONDAY_S, 1)[1], [None, None])

    def test_model_and_features_must_fit(self):
        model = FakeModel()
        model.input = [0, 0]
        with self.assertRaises(ModelError):
            _stage(model=model)


class _Crowded:
    """A model's history in a heap that holds it once: it is made only after the old one is gone.

    In place of the whole control step, whose rules have no state here."""

    def __init__(self, kv):
        self._kv = kv
        self.controller = self.model = self
        self.hours = 0

    def state(self, now_s=None):
        if now_s is not None:
            return {}
        if self._kv.get("model"):
            raise MemoryError("no room for two")
        return {"hours": self.hours}


class TestKeeper(QuietCase):
    def _save(self, kv, control, faults):
        keeper = Keeper(kv, lambda name, error: faults.append(name))
        for control.hours in range(1, 4):
            keeper.save(control, control.hours * 3600)

    def test_the_old_history_goes_before_the_new_one_is_made(self):
        kv, faults = FakeState(), []
        self._save(kv, _Crowded(kv), faults)
        self.assertEqual((kv.saved["model"], faults), ({"hours": 3}, []))

    def test_a_history_without_room_is_told_once_and_what_was_saved_stays(self):
        kv, faults = FakeState({"model": {"hours": 0}}), []
        kv.delete = lambda key: None
        self._save(kv, _Crowded(kv), faults)
        self.assertEqual((kv.saved["model"], kv.saves, faults), ({"hours": 0}, 0, ["state"]))


class TestLatency(unittest.TestCase):
    def test_percentiles_are_within_an_eighth(self):
        latency = Latency()
        for us in range(1, 10001):
            latency.add(us)
        for percent in (50, 90, 99):
            exact = percent * 100
            found = latency.percentile_us(percent)
            self.assertTrue(exact <= found <= exact * 9 // 8, "%d: %d" % (exact, found))
        self.assertEqual((latency.count, latency.most_us), (10000, 10000))
        self.assertEqual(sum(latency.histogram().values()), 10000)

    def test_small_values_are_exact_and_odd_ones_are_taken(self):
        latency = Latency()
        for us in (3, 3, 3, -5, 1 << 40):
            latency.add(us)
        self.assertEqual(latency.percentile_us(50), 3)
        self.assertEqual(Latency().percentile_us(99), 0)


class TestReal(unittest.TestCase):
    def test_whole_numbers_stay_whole(self):
        self.assertEqual([real(1200, 100), real(1250, 100), real(-50, 100)], [12, 12.5, -0.5])
