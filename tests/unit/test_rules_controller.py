"""Rules and guards over time: hold-off, limits, day roll-over, clock jumps, resets."""

import unittest

from hedge.rules import Controller, Facts, Guard, Rule, build

DAY_S = 86400


class _Field:
    """One pump, one rule `vwc < 10`, and a clock that the test moves."""

    def __init__(self, hold_off_s=0, max_per_day=0, on_s=600, min_off_s=0, max_s_per_day=0):
        condition = build(["<", 0, 1000, 1000], ["soil.vwc"], [100], ["soil"])
        rule = Rule("water", 0, condition, on_s, hold_off_s, max_per_day)
        guard = Guard("pump", 1800, min_off_s, max_s_per_day)
        self.controller = Controller([rule], [guard])
        self.facts = Facts([500], [1])
        self.now_s = 0
        self.local_s = 1000 * DAY_S + 6 * 3600

    def wait(self, seconds, clock_jump_s=0):
        self.now_s += seconds
        self.local_s += seconds + clock_jump_s

    def step(self, vwc=500):
        self.facts.values[0] = vwc
        self.facts.good[0] = vwc is not None
        return self.controller.step(self.facts, self.now_s, self.local_s)

    def water(self):
        """One tick; if it starts the pump, let it run to its end. True if it ran."""
        started = self.step()
        if not started:
            return False
        self.wait(started[0].on_s)
        self.controller.poll(self.now_s)
        return True

    def reset(self, away_s=0):
        """Kill and restart with the state that was last saved."""
        state = self.controller.state(self.now_s)
        fresh = _Field(*[0] * 5)
        rule, guard = self.controller.rules[0], self.controller.guards[0]
        fresh.controller = Controller(
            [Rule("water", 0, rule.condition, rule.on_s, rule.hold_off_s, rule.max_per_day)],
            [Guard("pump", guard.max_on_s, guard.min_off_s, guard.max_s_per_day)],
        )
        fresh.local_s = self.local_s + away_s
        fresh.controller.restore(state, fresh.now_s, away_s)
        return fresh


class TestRun(unittest.TestCase):
    def test_starts_with_limit_and_cause(self):
        decision = _Field().step()[0]
        self.assertEqual((decision.on, decision.on_s), (True, 600))
        self.assertEqual(decision.cause, "water: soil.vwc 5<10")

    def test_on_time_is_cut_to_the_actuators_limit(self):
        self.assertEqual(_Field(on_s=3600).step()[0].on_s, 1800)
        self.assertEqual(_Field(on_s=0).step()[0].on_s, 1800)

    def test_poll_ends_the_run_in_time(self):
        field = _Field()
        field.step()
        self.assertEqual(field.controller.next_s(field.now_s), 600)
        field.wait(599)
        self.assertEqual(field.controller.poll(field.now_s), [])
        field.wait(1)
        decision = field.controller.poll(field.now_s)[0]
        self.assertEqual((decision.on, decision.ran_s), (False, 600))
        self.assertEqual(decision.cause, "water: 600 s done")
        self.assertIsNone(field.controller.next_s(field.now_s))

    def test_ends_early_once_the_condition_is_false(self):
        field = _Field()
        field.step()
        field.wait(60)
        decision = field.step(vwc=2000)[0]
        self.assertEqual((decision.on, decision.ran_s), (False, 60))
        self.assertEqual(decision.cause, "water: stop, soil.vwc 20 not <10")

    def test_a_sensor_lost_on_the_way_ends_the_run(self):
        field = _Field()
        field.step()
        field.wait(60)
        decision = field.step(vwc=None)[0]
        self.assertEqual((decision.on, decision.cause), (False, "water: stop, soil.vwc ?"))

    def test_unknown_never_starts(self):
        field = _Field()
        for _ in range(10):
            self.assertEqual(field.step(vwc=None), [])
            field.wait(900)

    def test_stop_all(self):
        field = _Field()
        field.step()
        decisions = field.controller.stop_all(field.now_s, "node stops")
        self.assertEqual([(d.on, d.cause) for d in decisions], [(False, "water: node stops")])
        self.assertEqual(field.controller.stop_all(field.now_s, "again"), [])


class TestLimits(unittest.TestCase):
    def test_hold_off_counts_from_the_end_of_the_run(self):
        field = _Field(hold_off_s=3600)
        self.assertTrue(field.water())
        field.wait(3599)
        self.assertFalse(field.water())
        self.assertEqual(
            field.controller.why(0), "water yes: soil.vwc 5<10, but held off for 1 s more"
        )
        field.wait(1)
        self.assertTrue(field.water())

    def test_min_off_of_the_actuator(self):
        field = _Field(min_off_s=300)
        field.water()
        field.wait(299)
        self.assertFalse(field.water())
        field.wait(1)
        self.assertTrue(field.water())

    def test_max_per_day_until_local_midnight(self):
        field = _Field(max_per_day=2)
        ran = 0
        for _ in range(17 * 6):  # every 10 minutes until 23:00
            ran += field.water()
            field.wait(600)
            if field.local_s % DAY_S > 23 * 3600:
                break
        self.assertEqual(ran, 2)
        field.wait(DAY_S - field.local_s % DAY_S)
        self.assertTrue(field.water())

    def test_time_per_day_cuts_the_last_run(self):
        field = _Field(max_s_per_day=1500)
        lengths = []
        for _ in range(20):
            started = field.step()
            lengths += [d.on_s for d in started if d.on]
            field.wait(600)
            field.controller.poll(field.now_s)
        self.assertEqual(lengths, [600, 600, 300])

    def test_a_node_that_first_starts_in_the_evening_counts_anew_at_midnight(self):
        field = _Field(max_per_day=1)
        field.local_s = 1000 * DAY_S + 22 * 3600
        self.assertTrue(field.water())
        field.wait(3600)
        self.assertFalse(field.water())
        field.wait(3600)
        self.assertTrue(field.water())


class TestClock(unittest.TestCase):
    def test_a_clock_that_flaps_over_midnight_does_not_double_the_water(self):
        field = _Field(max_per_day=1)
        self.assertTrue(field.water())
        for jump_s in (DAY_S, -DAY_S, 3 * DAY_S, -3 * DAY_S) * 3:
            field.wait(900, jump_s)
            self.assertFalse(field.water())

    def test_after_a_jump_back_the_next_midnight_counts_anew(self):
        field = _Field(max_per_day=1)
        self.assertTrue(field.water())
        field.wait(600, -400 * DAY_S)
        self.assertFalse(field.water())
        field.wait(DAY_S)
        self.assertTrue(field.water())

    def test_a_clock_never_set_gives_one_days_allowance(self):
        field = _Field(max_per_day=1)
        field.local_s = None
        self.assertEqual(len(field.step()), 1)
        for _ in range(100):
            field.now_s += 3600
            field.controller.poll(field.now_s)
            self.assertEqual(field.step(), [])


class TestReset(unittest.TestCase):
    def test_does_not_water_twice(self):
        field = _Field(hold_off_s=3600, max_per_day=1)
        field.water()
        self.assertFalse(field.reset().water())

    def test_in_the_middle_of_a_run_counts_it_as_done(self):
        field = _Field(max_s_per_day=600)
        field.step()
        field.wait(1)
        again = field.reset()
        self.assertFalse(again.water())
        self.assertEqual(again.controller.guards[0].used_s, 600)

    def test_hold_off_goes_on_where_it_was_if_the_time_away_is_unknown(self):
        field = _Field(hold_off_s=3600)
        field.water()
        field.wait(3000)
        again = field.reset()
        self.assertFalse(again.water())
        again.wait(600)
        self.assertTrue(again.water())

    def test_known_time_away_counts(self):
        field = _Field(hold_off_s=3600)
        field.water()
        self.assertTrue(field.reset(away_s=3600).water())

    def test_a_day_that_passed_while_away_counts_anew(self):
        field = _Field(max_per_day=1)
        field.water()
        self.assertTrue(field.reset(away_s=DAY_S).water())

    def test_a_state_with_other_names_is_ignored_in_part(self):
        field = _Field(max_per_day=1)
        field.water()
        state = field.controller.state(field.now_s)
        state["rules"] = {"old": [9, 9]}
        field.controller.rules[0].new_day()
        field.controller.restore(state, field.now_s)
        self.assertEqual(field.controller.rules[0].starts_today, 0)


class TestTwoRules(unittest.TestCase):
    def test_share_the_limits_of_the_actuator_and_the_first_one_wins(self):
        names, scales, sensors = ["a.x", "b.x"], [1, 1], ["a", "b"]
        rules = [
            Rule("one", 0, build(["<", 0, 10, 10], names, scales, sensors), 60),
            Rule("two", 0, build(["<", 1, 10, 10], names, scales, sensors), 60),
        ]
        controller = Controller(rules, [Guard("pump", 600, min_off_s=100)])
        decisions = controller.step(Facts([5, 5], [1, 1]), 0, None)
        self.assertEqual([d.cause for d in decisions], ["one: a.x 5<10"])
        controller.poll(60)
        self.assertEqual(controller.step(Facts([None, 5], [0, 1]), 100, None), [])
        decisions = controller.step(Facts([None, 5], [0, 1]), 160, None)
        self.assertEqual([d.cause for d in decisions], ["two: b.x 5<10"])
