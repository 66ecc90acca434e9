"""Conditions: three-valued logic, hysteresis, windows, and the words they give as a cause."""

import unittest

from hedge.core.errors import ConfigError
from hedge.rules import Facts, build, fixed

NAMES = ["soil.vwc", "ground.temp", "model.wet", "model.dry"]
SCALES = [100, 100, 10000, 10000]
SENSORS = ["soil", "ground"]


def _build(expression):
    return build(expression, NAMES, SCALES, SENSORS)


def _facts(vwc=1200, temp=500, wet=2000, dry=8100, good=(1, 1), minute=300, weekday=0):
    facts = Facts([vwc, temp, wet, dry], list(good))
    facts.minute = minute
    facts.weekday = weekday
    return facts


def _result(expression, **facts):
    return _build(expression).evaluate(_facts(**facts))


class TestFixed(unittest.TestCase):
    def test_shortest_decimal_text(self):
        cases = ((1120, 100, "11.2"), (-5, 100, "-0.05"), (0, 100, "0"), (8100, 10000, "0.81"))
        for value, scale, text in cases + ((-300, 100, "-3"), (7, 1, "7"), (None, 1, "?")):
            self.assertEqual(fixed(value, scale), text)


class TestCompare(unittest.TestCase):
    def test_each_operator_at_the_limit(self):
        for op, below, at, above in (
            ("<", 1, 0, 0),
            ("<=", 1, 1, 0),
            (">", 0, 0, 1),
            (">=", 0, 1, 1),
        ):
            results = [_result([op, 0, 1000, 1000], vwc=v) for v in (999, 1000, 1001)]
            self.assertEqual(results, [below, at, above], op)

    def test_hysteresis_holds_until_release(self):
        condition = _build(["<", 0, 1000, 1200])
        values = (1100, 999, 1100, 1199, 1200, 1100, 900)
        results = [condition.evaluate(_facts(vwc=v)) for v in values]
        self.assertEqual(results, [0, 1, 1, 1, 0, 0, 1])

    def test_hysteresis_of_an_upper_limit(self):
        condition = _build([">", 0, 1000, 800])
        results = [condition.evaluate(_facts(vwc=v)) for v in (900, 1001, 801, 800, 900)]
        self.assertEqual(results, [0, 1, 1, 0, 0])

    def test_a_missing_value_ends_a_held_condition(self):
        condition = _build(["<", 0, 1000, 1200])
        results = [condition.evaluate(_facts(vwc=v)) for v in (900, None, 1100)]
        self.assertEqual(results, [1, None, 0])

    def test_why(self):
        condition = _build(["<", 0, 1000, 1200])
        texts = []
        for value in (1500, 950, 1150, None):
            condition.evaluate(_facts(vwc=value))
            texts.append(condition.why())
        wanted = ["soil.vwc 15 not <10", "soil.vwc 9.5<10", "soil.vwc 11.5<12", "soil.vwc ?"]
        self.assertEqual(texts, wanted)


class TestLogic(unittest.TestCase):
    """Kleene's tables: T = a comparison that holds, F = one that does not, U = a missing value."""

    T = [">", 0, 0, 0]
    F = ["<", 0, 0, 0]
    U = [">", 1, 0, 0]

    def _judge(self, expression, expected):
        self.assertEqual(_result(expression, vwc=1, temp=None), expected, repr(expression))

    def test_not(self):
        for part, expected in ((self.T, 0), (self.F, 1), (self.U, None)):
            self._judge(["not", part], expected)

    def test_all(self):
        t, f, u = self.T, self.F, self.U
        for parts, expected in (
            ([t, t], 1), ([t, f], 0), ([f, f], 0), ([t, u], None), ([u, t], None),
            ([u, f], 0), ([f, u], 0), ([u, u], None),
        ):  # fmt: skip
            self._judge(["all", parts], expected)

    def test_any(self):
        t, f, u = self.T, self.F, self.U
        for parts, expected in (
            ([t, t], 1), ([t, f], 1), ([f, f], 0), ([t, u], 1), ([u, t], 1),
            ([u, f], None), ([f, u], None), ([u, u], None),
        ):  # fmt: skip
            self._judge(["any", parts], expected)

    def test_all_parts_see_every_sample(self):
        condition = _build(["all", [["<", 1, 0, 0], ["<", 0, 1000, 1200]]])
        condition.evaluate(_facts(vwc=900, temp=500))  # first part false, second latches
        self.assertEqual(condition.evaluate(_facts(vwc=1100, temp=-100)), 1)

    def test_why_names_what_stands_in_the_way(self):
        condition = _build(["all", [["<", 0, 1400, 1400], ["healthy", [0, 1]]]])
        texts = []
        for facts in (_facts(), _facts(vwc=2210), _facts(vwc=None, good=(0, 1))):
            condition.evaluate(facts)
            texts.append(condition.why())
        wanted = ["soil.vwc 12<14 & healthy", "soil.vwc 22.1 not <14", "soil failed"]
        self.assertEqual(texts, wanted)


class TestOthers(unittest.TestCase):
    def test_between_includes_both_ends(self):
        results = [_result(["between", 0, 10, 20], vwc=v) for v in (9, 10, 20, 21, None)]
        self.assertEqual(results, [0, 1, 1, 0, None])

    def test_top_class(self):
        self.assertEqual(_result(["top", [2, 3], 1]), 1)
        self.assertEqual(_result(["top", [2, 3], 0]), 0)
        self.assertIsNone(_result(["top", [2, 3], 1], wet=None))

    def test_healthy_is_never_unknown(self):
        self.assertEqual(_result(["healthy", [0, 1]]), 1)
        self.assertEqual(_result(["healthy", [0, 1]], good=(1, 0)), 0)
        self.assertEqual(_result(["healthy", [0]], good=(1, 0)), 1)

    def test_unknown_is_never_unknown(self):
        self.assertEqual(_result(["unknown", 3]), 0)
        self.assertEqual(_result(["unknown", 3], dry=None), 1)

    def test_an_unknown_operator_is_a_config_error(self):
        with self.assertRaises(ConfigError):
            _build(["maybe", 1])


class TestWindow(unittest.TestCase):
    def test_from_is_inside_to_is_not(self):
        results = [_result(["window", 240, 480, 127], minute=m) for m in (239, 240, 479, 480)]
        self.assertEqual(results, [0, 1, 1, 0])

    def test_over_midnight_belongs_to_the_day_it_opened(self):
        sunday_night = ["window", 22 * 60, 2 * 60, 1 << 6]
        self.assertEqual(_result(sunday_night, minute=1380, weekday=6), 1)
        self.assertEqual(_result(sunday_night, minute=60, weekday=0), 1)
        self.assertEqual(_result(sunday_night, minute=60, weekday=6), 0)
        self.assertEqual(_result(sunday_night, minute=720, weekday=6), 0)

    def test_a_clock_never_set_is_unknown(self):
        self.assertIsNone(_result(["window", 0, 1440, 127], minute=-1))
