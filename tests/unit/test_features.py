"""hedge.dsp.features: days, gaps, jumps of the clock, resets; integers by hand."""

import math
import unittest

from hedge.core.errors import ModelError
from hedge.dsp import features
from hedge.dsp.features import DailyFeatures

DAY_S = 86400
DAY = 20000  # 2024-10-04
# channel, stat, lag, days, minus_lag, offset, mult_q16 (1.0), zero_point, required
MEAN_TODAY = (0, features.MEAN, 0, 1, -1, 0, 65536, 0, 1)


def at(day, hour=12):
    return (DAY + day) * DAY_S + hour * 3600


def daily(*specs, channels=1, history=5, **more):
    return DailyFeatures(specs or [MEAN_TODAY], channels, history, **more)


def vector(d):
    out = [99] * len(d)
    return out, d.vector_into(out)


def after_days(d, *values):
    """Push one value a day, then begin the next day."""
    for day, value in enumerate(values):
        d.push(at(day), (value,))
    d.push(at(len(values), 0), (None,))
    return d


class DayTest(unittest.TestCase):
    def test_nothing_is_ready_before_a_day_is_complete(self):
        d = daily()
        self.assertFalse(d.push(0, (5,)))
        self.assertFalse(d.ready)
        with self.assertRaises(ModelError):
            d.vector_into([0])
        self.assertTrue(d.push(at(0), (5,)))
        self.assertFalse(d.push(at(0, 13), (6,)))
        self.assertFalse(d.ready)
        self.assertTrue(d.push(at(1, 0), (7,)))
        self.assertTrue(d.ready)
        self.assertEqual(d.day, DAY)

    def test_mean_rounds_half_up(self):
        for values, mean in (((1, 2), 2), ((-1, -2), -1), ((1, 1, 2), 1), ((100950, 100951), 0)):
            d = daily((0, features.MEAN, 0, 1, -1, 100951 * (mean == 0), 65536, 0, 1))
            for value in values:
                d.push(at(0), (value,))
            d.push(at(1), (0,))
            self.assertEqual(vector(d), ([mean], 0))

    def test_statistics_of_one_day(self):
        stats = (features.MIN, features.MAX, features.RANGE, features.LAST)
        d = daily(*[(0, stat, 0, 1, -1, 0, 65536, 0, 0) for stat in stats])
        for value in (5, -3, 20, 7):
            d.push(at(0), (value,))
        d.push(at(1), (99,))
        self.assertEqual(vector(d), ([-3, 20, 23, 7], 0))

    def test_day_begins_at_the_offset(self):
        d = daily(day_offset_s=6 * 3600)
        d.push(at(0, 23), (10,))
        self.assertFalse(d.push(at(1, 5), (20,)))
        self.assertTrue(d.push(at(1, 6), (70,)))
        self.assertEqual(vector(d), ([15], 0))

    def test_change_lag_and_average_over_days(self):
        change = (0, features.MEAN, 0, 1, 3, 0, 65536, 0, 0)
        before = (0, features.MEAN, 1, 1, -1, 0, 65536, 0, 0)
        average = (0, features.MEAN, 0, 3, -1, 0, 65536, 0, 0)
        d = after_days(daily(change, before, average), 10, 20, 40, 70)
        self.assertEqual(vector(d), ([60, 40, 43], 0))

    def test_quantisation_rounds_and_saturates(self):
        for value, q in ((103, 3 + 7), (5000, 127), (-5000, -128), (101, 3), (98, -3)):
            d = after_days(daily((0, features.MEAN, 0, 1, -1, 100, 2 * 65536, 4, 1)), value)
            expected = max(min(4 + 2 * (value - 100), 127), -128)
            self.assertEqual(vector(d), ([expected], 0), q)

    def test_fixed_point_rounds_half_up(self):
        for value, q in ((1, 1), (-1, 0), (3, 2), (-3, -1)):
            d = after_days(daily((0, features.MEAN, 0, 1, -1, 0, 32768, 0, 1)), value)
            self.assertEqual(vector(d), ([q], 0))


class GapTest(unittest.TestCase):
    def test_missing_optional_feature_is_neutral(self):
        optional = (1, features.MEAN, 0, 1, -1, 50, 65536, -7, 0)
        d = daily(MEAN_TODAY, optional, channels=2)
        d.push(at(0), (4, None))
        d.push(at(1), (None, None))
        self.assertTrue(d.ready)
        self.assertEqual(vector(d), ([4, -7], 1))

    def test_missing_required_feature_is_not_ready(self):
        d = after_days(daily(), 4, None)
        self.assertFalse(d.ready)
        self.assertEqual(vector(d), ([0], 1))

    def test_average_leaves_gaps_out(self):
        d = after_days(daily((0, features.MEAN, 0, 3, -1, 0, 65536, 0, 1)), 10, None, 20)
        self.assertEqual(vector(d), ([15], 0))

    def test_too_few_samples_make_a_gap(self):
        d = daily(min_samples=2)
        d.push(at(0), (4,))
        d.push(at(1), (5,))
        self.assertFalse(d.ready)
        d.push(at(1), (5,))
        d.push(at(2), (5,))
        self.assertTrue(d.ready)


class ClockTest(unittest.TestCase):
    def test_days_jumped_over_are_missing(self):
        lag = (0, features.MEAN, 1, 1, -1, 0, 65536, 0, 0)
        d = daily(MEAN_TODAY, lag)
        d.push(at(0), (10,))
        d.push(at(2), (30,))
        self.assertFalse(d.ready)
        self.assertEqual(vector(d), ([0, 10], 1))

    def test_jump_far_ahead_and_back_keeps_the_week(self):
        lag = (0, features.MEAN, 1, 1, -1, 0, 65536, 0, 0)
        d = daily(MEAN_TODAY, lag, history=5)
        for day, value in ((0, 10), (1, 20), (2, 30), (700, 99), (3, 40), (4, 50)):
            d.push(at(day), (value,))
        self.assertEqual(d.day, DAY + 3)
        self.assertEqual(vector(d), ([40, 30], 0))

    def test_unset_clock_is_ignored(self):
        d = after_days(daily(), 10)
        self.assertFalse(d.push(0, (99,)))
        self.assertEqual(vector(d), ([10], 0))


class SeasonTest(unittest.TestCase):
    def test_year_sine_is_near_the_true_one(self):
        for quarter in range(-1461, 2 * 1461):
            true = 10000 * math.sin(2 * math.pi * quarter / 1461)
            self.assertAlmostEqual(features.year_sin(quarter), true, delta=18)

    def test_season_needs_no_channel(self):
        sine = (-1, features.YEAR_SIN, 0, 1, -1, 0, 655, 0, 1)
        cosine = (-1, features.YEAR_COS, 0, 1, -1, 0, 655, 0, 1)
        d = after_days(daily(sine, cosine), 1)
        angle = 2 * math.pi * DAY / 365.25  # 4 October: sine near -1, cosine near 0
        self.assertAlmostEqual(vector(d)[0][0], 100 * math.sin(angle), delta=1)
        self.assertAlmostEqual(vector(d)[0][1], 100 * math.cos(angle), delta=1)


class ResetTest(unittest.TestCase):
    def specs(self):
        return (MEAN_TODAY, (1, features.MAX, 0, 1, 2, 0, 65536, 0, 0))

    def test_state_goes_through_a_reset_in_mid_day(self):
        one = daily(*self.specs(), channels=2)
        two = daily(*self.specs(), channels=2)
        for hour in range(0, 24 * 5, 7):
            values = (hour % 50 - 10, 100950 + hour)
            one.push(at(0) + hour * 3600, values)
            fresh = daily(*self.specs(), channels=2)
            self.assertTrue(fresh.restore(two.state()))
            two = fresh
            two.push(at(0) + hour * 3600, values)
        self.assertEqual(vector(one), vector(two))
        self.assertEqual(one.state(), two.state())

    def test_state_of_other_features_is_refused_and_changes_nothing(self):
        d = after_days(daily(), 10)
        other = daily((0, features.MAX, 0, 1, -1, 0, 65536, 0, 1))
        for state in (other.state(), b"", d.state()[:-1], b"\xff" * len(d.state())):
            self.assertFalse(d.restore(state))
        self.assertEqual(vector(d), ([10], 0))

    def test_first_day_of_the_epoch_side_is_not_special(self):
        d = daily()
        d.push(DAY_S // 2, (3,))
        d.push(DAY_S, (4,))
        self.assertEqual(vector(d), ([3], 0))


class SpecTest(unittest.TestCase):
    def test_bad_specs_are_refused(self):
        bad = (
            (0, 0, 0, 1),
            (1, 0, 0, 1, -1, 0, 1, 0, 0),
            (-1, 0, 0, 1, -1, 0, 1, 0, 0),
            (0, 5, 0, 1, -1, 0, 1, 0, 0),
            (0, 9, 0, 1, -1, 0, 1, 0, 0),
            (0, 0, 5, 1, -1, 0, 1, 0, 0),
            (0, 0, 0, 0, -1, 0, 1, 0, 0),
            (0, 0, 0, 1, 5, 0, 1, 0, 0),
            (0, 0, 0, 1, -1, 0.5, 1, 0, 0),
        )
        for spec in bad:
            with self.assertRaises(ModelError):
                daily(spec)


if __name__ == "__main__":
    unittest.main()
