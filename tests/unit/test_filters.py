"""Filters and reports against plain references that keep the whole history."""

import unittest

from hedge.core.errors import ConfigError
from hedge.dsp.filters import make_filter
from hedge.dsp.recursive import Ema, Slew
from hedge.dsp.report import Deadband, Summary
from hedge.dsp.stuck import Stuck

try:
    from micropython import heap_lock, heap_unlock
except ImportError:
    heap_lock = None


def _series(seed, n=400):
    """Ints with gaps; the same under both Pythons (random differs, so an own generator)."""
    state = seed
    values = []
    for _ in range(n):
        state = (1103515245 * state + 12345) & 0x7FFFFFFF
        values.append(None if state % 7 == 0 else (state >> 8) % 2000 - 1000)
    return values


def _window(values, i, n):
    return [v for v in values[max(0, i - n + 1) : i + 1] if v is not None]


class TestMedian(unittest.TestCase):
    def test_equals_the_sorted_window(self):
        for n in (1, 3, 4, 7):
            values = _series(n)
            median = make_filter("median", (n,))
            for i, value in enumerate(values):
                window = sorted(_window(values, i, n))
                expected = None if value is None else window[(len(window) - 1) // 2]
                self.assertEqual(median.update(value), expected, "n %d i %d" % (n, i))

    def test_a_gap_of_n_ticks_empties_the_window(self):
        median = make_filter("median", (3,))
        for value in (100, 100, 100, None, None, None):
            median.update(value)
        self.assertEqual(median.update(7), 7)

    @unittest.skipIf(heap_lock is None, "needs the MicroPython heap lock")
    def test_does_not_allocate(self):
        median = make_filter("median", (5,))
        heap_lock()
        try:
            median.update(5)
            median.update(None)
            result = median.update(3)
        finally:
            heap_unlock()
        self.assertEqual(result, 3)


class TestMean(unittest.TestCase):
    def test_equals_the_mean_of_the_window_rounded_half_up(self):
        values = _series(11)
        mean = make_filter("mean", (6,))
        for i, value in enumerate(values):
            window = _window(values, i, 6)
            expected = None
            if value is not None:
                expected = (2 * sum(window) + len(window)) // (2 * len(window))
            self.assertEqual(mean.update(value), expected)


class TestEma(unittest.TestCase):
    def test_follows_the_float_definition(self):
        values = _series(5)
        ema = Ema(1, 8)
        y = None
        for value in values:
            out = ema.update(value)
            if value is None:
                self.assertIsNone(out)
                continue
            y = value if y is None else y + (value - y) / 8
            self.assertAlmostEqual(out, y, delta=1.0)

    def test_a_constant_input_is_reached(self):
        ema = Ema(1, 4)
        ema.update(0)
        for _ in range(60):
            out = ema.update(1000)
        self.assertEqual(out, 1000)


class TestSlew(unittest.TestCase):
    def test_a_spike_becomes_one_missing_sample(self):
        slew = Slew(10)
        self.assertEqual([slew.update(v) for v in (100, 102, 900, 103)], [100, 102, None, 103])

    def test_a_step_is_believed_one_tick_late(self):
        slew = Slew(10)
        self.assertEqual([slew.update(v) for v in (100, 200, 201, 202)], [100, None, 201, 202])

    def test_two_different_spikes_are_both_dropped(self):
        slew = Slew(10)
        self.assertEqual([slew.update(v) for v in (0, 900, -900, 1)], [0, None, None, 1])

    def test_a_missing_sample_ends_the_doubt(self):
        slew = Slew(10)
        self.assertEqual([slew.update(v) for v in (0, 90, None, 90)], [0, None, None, None])


class TestStuck(unittest.TestCase):
    def test_n_equal_readings_in_a_row(self):
        stuck = Stuck(3, 2)
        readings = ((1, 2), (1, 2), (1, 2), (1, 3), (1, 3), (1, 3), (1, 3))
        results = [stuck.update(r) for r in readings]
        self.assertEqual(results, [False, False, True, False, False, True, True])

    def test_zero_is_a_reading_like_any_other(self):
        stuck = Stuck(2, 1)
        self.assertEqual([stuck.update((0,)), stuck.update((0,))], [False, True])


class TestMakeFilter(unittest.TestCase):
    def test_refuses_what_it_does_not_know(self):
        for kind, args in (("medain", (3,)), ("median", (0,)), ("ema", (3, 2)), ("slew", (0,))):
            with self.assertRaises(ConfigError):
                make_filter(kind, args)


class TestDeadband(unittest.TestCase):
    def test_reports_the_first_and_then_changes_of_delta(self):
        band = Deadband(10)
        due = [band.due(v, 0) for v in (50, 59, 60, 69, 50, None, 50)]
        self.assertEqual(due, [True, False, True, False, True, False, False])

    def test_slow_drift_is_measured_from_the_last_report(self):
        band = Deadband(10)
        reported = [v for v in range(100) if band.due(v, v)]
        self.assertEqual(reported, list(range(0, 100, 10)))

    def test_zero_means_any_change(self):
        band = Deadband(0)
        self.assertEqual([band.due(v, 0) for v in (1, 1, 2, 2)], [True, False, True, False])

    def test_at_least_every_max_s(self):
        band = Deadband(-1, max_s=60)
        due = [band.due(5, t) for t in (0, 30, 60, 90, 120)]
        self.assertEqual(due, [True, False, True, False, True])

    def test_off(self):
        band = Deadband(-1)
        self.assertEqual([band.due(v, v) for v in (0, 100)], [False, False])


class TestSummary(unittest.TestCase):
    def _collect(self, window_s, samples):
        summary = Summary(window_s)
        out = []
        for now_s, value in samples:
            done = summary.add(value, now_s)
            if done:
                out.append(done)
        return out

    def test_equals_min_mean_max_of_each_window(self):
        values = _series(3, 100)
        samples = [(1000 + 10 * i, v) for i, v in enumerate(values)]
        windows = {}
        for now_s, value in samples:
            if value is not None:
                windows.setdefault(now_s // 100, []).append((now_s, value))
        expected = []
        for window in sorted(windows)[:-1]:
            vs = [v for _, v in windows[window]]
            mean = (2 * sum(vs) + len(vs)) // (2 * len(vs))
            expected.append((min(vs), mean, max(vs), len(vs), windows[window][-1][0]))
        self.assertEqual(self._collect(100, samples), expected)

    def test_a_window_without_samples_is_not_reported(self):
        samples = ((0, None), (100, None), (200, 5), (300, None), (400, None))
        self.assertEqual(self._collect(100, samples), [(5, 5, 5, 1, 200)])

    def test_clock_jumps_close_the_window(self):
        samples = ((10, 1), (20, 3), (100000, 7), (30, 9), (250, 0))
        expected = [(1, 2, 3, 2, 20), (7, 7, 7, 1, 100000), (9, 9, 9, 1, 30)]
        self.assertEqual(self._collect(100, samples), expected)
