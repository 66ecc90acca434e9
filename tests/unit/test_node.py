"""A node keeps deciding, acting and recording whatever fails around it."""

import asyncio
import unittest

from fake_node import DAY_S, START_S, FakeSensor, FakeState, Rig

from hedge.core import clock, log
from hedge.core.errors import SensorError
from hedge.dsp.filters import make_filter
from hedge.wire import cbor

DRY = ["<", 0, 1400, 1500]


class _Case(unittest.TestCase):
    def setUp(self):
        self._level = log.level
        self._clock = clock.use(None)

    def tearDown(self):
        log.level = self._level
        clock.use(self._clock)


class TestControl(_Case):
    def test_decides_acts_and_records_with_cause(self):
        rig = Rig()
        rig.soil((2000,), (1120,), (2000,))
        rig.rule(DRY, hold_off_s=7200)
        rig.run(3)
        self.assertEqual(rig.pump.commands, [(3600, 600000), (4200, 0)])
        on, off = rig.store.events()
        self.assertEqual(on, [("pump", True), ("rule", "water: soil.vwc 11.2<14")])
        self.assertEqual(off, [("pump", False), ("rule", "water: 600 s done")])

    def test_first_tick_at_once_then_on_the_grid(self):
        rig = Rig(start_s=START_S + 1234)
        rig.soil((2000,))
        rig.node.add_record(0, max_s=1)
        rig.run(3)
        times = [t - START_S for s, e, t in rig.store.records if e[0][0] == "soil.vwc"]
        self.assertEqual(times, [1234, 3600, 7200, 10800])

    def test_stats_count(self):
        rig = Rig()
        rig.soil((1120,), OSError(19), (2000,))
        rig.rule(DRY)
        rig.run(2.5)
        stats = rig.node.stats()
        self.assertEqual([stats[k] for k in ("decisions", "actuations", "raw_bytes")], [3, 1, 4])
        self.assertEqual([stats["sensor_faults"], stats["tick_errors"]], [1, 0])
        self.assertEqual(sum(stats["decision_us_histogram"].values()), 3)

    def test_stop_switches_off_and_says_so(self):
        rig = Rig()
        rig.soil((1120,))
        rig.rule(DRY)

        async def stop():
            rig.node.stop()
            await asyncio.sleep_ms(5)

        rig.run(0.1, then=stop)
        self.assertFalse(rig.pump.is_on)
        self.assertEqual(rig.store.events()[-1], [("pump", False), ("rule", "water: node stops")])

    def test_cancelled_switches_off(self):
        rig = Rig()
        rig.soil((1120,))
        rig.rule(DRY)
        rig.run(0.1)
        self.assertFalse(rig.pump.is_on)

    def test_filters_come_before_rules(self):
        rig = Rig()
        rig.soil((2000,), (2000,), (500,), (2000,), (2000,))
        rig.node.add_filter(0, make_filter("median", (3,)))
        rig.rule(DRY)
        rig.run(4)
        self.assertEqual(rig.pump.commands, [])


class TestSensors(_Case):
    def test_a_failed_sensor_never_waters(self):
        rig = Rig()
        rig.soil((2000,), OSError(19))
        rig.rule(["not", [">", 0, 1400, 1400]])
        rig.run(48)
        self.assertEqual(rig.pump.commands, [])

    def test_health_is_told_after_three_failures_and_at_recovery(self):
        rig = Rig()
        bad = SensorError("crc mismatch")
        rig.soil((2000,), bad, bad, (2000,), bad, bad, bad, bad, (2000,))
        rig.run(9)
        wanted = [
            [("health.soil", False), ("reason", "crc mismatch")],
            [("health.soil", True), ("reason", "well again")],
        ]
        self.assertEqual(rig.store.events(), wanted)

    def test_others_go_on(self):
        rig = Rig()
        rig.soil(ValueError("a bug in a driver"))
        rig.node.add_sensor("air", FakeSensor((500,), (700,)), [("temp", "Cel", 100, -4000, 8500)])
        rig.node.add_record(1, deadband=0)
        rig.run(2)
        self.assertEqual(rig.store.find("air.temp"), [5, 7])

    def test_out_of_range_is_a_failure(self):
        rig = Rig()
        rig.soil((10001,))
        rig.node.add_record(0, deadband=0)
        rig.run(3)
        self.assertEqual(rig.store.find("soil.vwc"), [])
        self.assertEqual(rig.store.find("reason")[-1], "soil.vwc out of range: 10001")

    def test_stuck_is_a_failure_until_it_moves(self):
        rig = Rig()
        rig.soil((1120,), (1120,), (1120,), (1120,), (1120,), (1130,), stuck_after=3)
        rig.node.add_record(0, max_s=1)
        rig.run(5)
        values = [int(v * 10 + 0.5) / 10 for v in rig.store.find("soil.vwc")]  # float32
        self.assertEqual(values, [11.2, 11.2, 11.3])
        self.assertEqual(rig.store.find("health.soil"), [False, True])

    def test_a_sensor_lost_during_watering_ends_it(self):
        rig = Rig(sample_s=60)
        rig.soil((1120,), (1120,), OSError(5))
        rig.rule(DRY)
        rig.run(0.1)
        self.assertEqual(rig.pump.commands, [(0, 600000), (120, 0)])


class TestStore(_Case):
    def test_a_full_disk_does_not_stop_control(self):
        rig = Rig()
        rig.soil((1120,))
        rig.rule(DRY)
        rig.node.add_record(0, max_s=1)
        rig.store.full = True
        rig.run(3)
        self.assertEqual(len([ms for _, ms in rig.pump.commands if ms]), 4)
        self.assertEqual(rig.store.records, [])
        self.assertEqual(rig.node.stats()["records_lost"], 4 + 2 * 4)

    def test_a_full_heap_loses_records_and_not_the_node(self):
        rig = Rig()
        rig.soil((1120,))
        rig.rule(DRY)
        rig.store.full = True
        rig.store.fault = MemoryError("heap full")
        rig.run(3)
        self.assertEqual(len([ms for _, ms in rig.pump.commands if ms]), 4)
        self.assertEqual(rig.node.stats()["records_lost"], 8)  # boot, four on, three off

    def test_a_fault_in_the_guard_ends_the_run_and_not_the_guard(self):
        rig = Rig()
        rig.soil((1120,))
        rig.rule(DRY)
        rig.node.open()
        poll, faults = rig.node.control.poll, [MemoryError("heap full")]

        def failing(now_s):
            if faults:
                raise faults.pop()
            return poll(now_s)

        rig.node.control.poll = failing
        rig.run(2)
        self.assertEqual(faults, [])
        self.assertTrue(0 < rig.pump.commands[1][0] < 600, "the run went on after the fault")
        self.assertEqual(rig.pump.commands[1][1], 0)
        self.assertEqual(rig.pump.commands[2:4], [(3600, 600000), (4200, 0)])

    def test_the_store_is_prepared_once_a_tick_when_all_of_it_is_recorded(self):
        rig = Rig()
        rig.soil((1120,), (1130,))
        rig.node.add_record(0, max_s=1)
        rig.run(3)
        self.assertEqual(len(rig.store.prepared), 4)
        self.assertEqual(rig.store.prepared, [len(rig.store.records) - n for n in (3, 2, 1, 0)])

    def test_losses_are_told_when_the_disk_has_room_again(self):
        rig = Rig()
        rig.soil((1120,))
        rig.node.add_record(0, max_s=1)
        rig.at(1.5, lambda: setattr(rig.store, "full", True))
        rig.at(4.5, lambda: setattr(rig.store, "full", False))
        rig.run(8)
        self.assertEqual(rig.store.find("store.lost"), [3])

    def test_drops_are_told_but_not_for_each_record(self):
        rig = Rig()
        rig.soil((1120,), (1130,))
        for hours, count in ((2.5, 40), (3.5, 45), (4.5, 50)):
            rig.at(hours, lambda count=count: rig.store.dropped.update({1: count, 2: 3}))
        rig.run(12)
        self.assertEqual(rig.store.find("store.dropped"), [43, 53])
        self.assertEqual(rig.store.find("store.dropped.1"), [40, 50])

    def test_state_that_cannot_be_saved_is_told_once(self):
        rig = Rig(state=FakeState())
        rig.state.broken = True
        rig.soil((1120,))
        rig.rule(DRY)
        rig.run(12)
        self.assertEqual(rig.store.find("state"), [False])
        self.assertEqual(rig.node.stats()["actuations"], 13)

    def test_summaries_and_changes(self):
        rig = Rig()
        rig.soil((1000,), (1010,), (1100,), (1300,))
        rig.node.add_record(0, deadband=100, summary_s=10800)
        rig.run(6)
        self.assertEqual(rig.store.find("soil.vwc"), [10, 11, 13])
        self.assertEqual(rig.store.find("soil.vwc.min"), [10, 13])
        self.assertAlmostEqual(rig.store.find("soil.vwc.mean")[0], 10.37, delta=0.01)
        times = [t - START_S for s, e, t in rig.store.records if e[0][0] == "soil.vwc.min"]
        self.assertEqual(times, [7200, 18000])

    def test_a_summary_of_the_mean_alone(self):
        rig = Rig()
        rig.soil((1000,), (1010,), (1100,), (1300,))
        rig.node.add_record(0, summary_s=10800, mean_only=True)
        rig.run(6)
        self.assertEqual(rig.store.find("soil.vwc.min"), [])
        self.assertAlmostEqual(rig.store.find("soil.vwc.mean")[0], 10.37, delta=0.01)


class TestReset(_Case):
    def _life(self, state, start_s, hours, **limits):
        rig = Rig(state=state, start_s=start_s)
        rig.soil((1120,))
        rig.rule(DRY, **limits)
        rig.run(hours)
        return len([ms for _, ms in rig.pump.commands if ms])

    def test_killed_while_watering_does_not_water_twice(self):
        state = FakeState()
        self.assertEqual(self._life(state, START_S, 0.1, max_per_day=1), 1)
        again = FakeState(state.saved)
        self.assertEqual(self._life(again, START_S + 400, 20, max_per_day=1), 0)

    def test_hold_off_goes_on_over_a_reset(self):
        state = FakeState()
        self.assertEqual(self._life(state, START_S, 1, hold_off_s=43200), 1)
        again = FakeState(state.saved)
        self.assertEqual(self._life(again, START_S + 7200, 9, hold_off_s=43200), 0)
        again = FakeState(state.saved)
        self.assertEqual(self._life(again, START_S + 7200, 12, hold_off_s=43200), 1)

    def test_state_of_another_version_is_left_out(self):
        state = FakeState({"rules": {"what": 1}, "epoch_s": START_S})
        self.assertEqual(self._life(state, START_S, 1, hold_off_s=3600), 1)


class TestClockJumps(_Case):
    def _rig(self):
        rig = Rig()
        rig.soil((1120,))
        rig.rule(DRY, max_per_day=1)
        rig.node.add_record(0, summary_s=DAY_S)
        return rig

    def test_back_and_forth_does_not_double_the_water_nor_stop_the_node(self):
        rig = self._rig()
        jumps = (3 * DAY_S, -2 * DAY_S, 400 * DAY_S, -400 * DAY_S)
        for i, jump_s in enumerate(jumps):
            rig.at(2.5 * i + 1.5, rig.clock.jump(jump_s))
        rig.run(11)
        self.assertEqual(rig.node.stats()["actuations"], 1)
        self.assertEqual(rig.node.stats()["tick_errors"], 0)
        self.assertGreaterEqual(rig.node.stats()["decisions"], 10)

    def test_after_a_jump_ticks_are_on_the_grid_again(self):
        rig = self._rig()
        rig.node.add_record(0, max_s=1)
        rig.at(1.5, rig.clock.jump(1000))
        rig.run(5)
        times = [t - START_S for s, e, t in rig.store.records if e[0][0] == "soil.vwc"]
        self.assertEqual(times, [0, 3600, 8200, 10800, 14400, 18000])

    def test_a_clock_never_set(self):
        rig = self._rig()
        rig.clock.known = False
        rig.run(48)
        self.assertEqual(rig.node.stats()["actuations"], 1)
        self.assertEqual(rig.node.stats()["decisions"], 49)


class TestWatchdog(_Case):
    def test_is_fed_by_the_control_loop(self):
        rig = Rig()
        rig.soil((2000,))
        fed = []

        class Dog:
            def feed(self):
                fed.append(clock.epoch_s() - START_S)

        rig.node.feed_ms = 2000
        rig.node.start_watchdog = Dog
        rig.run(0.01)
        self.assertEqual(fed[:4], [0, 2, 4, 6])


class TestFaults(_Case):
    def test_a_fault_in_a_tick_switches_off_and_the_next_tick_comes(self):
        rig = Rig(sample_s=60)
        rig.soil((1120,))
        rig.rule(DRY)

        class Broken:
            def update(self, value):
                if clock.epoch_s() - START_S == 120:
                    raise MemoryError("no memory")
                return value

        rig.node.add_filter(0, Broken())
        rig.run(0.1)
        self.assertEqual(rig.pump.commands[:3], [(0, 600000), (120, 0), (180, 600000)])
        self.assertEqual(rig.node.stats()["tick_errors"], 1)

    def test_an_uplink_that_crashes_does_not_stop_control(self):
        rig = Rig()
        rig.soil((1120,))
        rig.rule(DRY)

        class Broken:
            bytes_sent = outages = 0

            async def run(self):
                raise KeyError("a bug")

            def wake(self):
                pass

        rig.node.make_uplink = lambda info, on_link, on_clock: Broken()
        rig.run(3)
        self.assertEqual(rig.node.stats()["actuations"], 4)

    def test_the_info_map_names_channels_and_actuators(self):
        rig = Rig()
        rig.soil((2000,))
        rig.rule(DRY)
        told = []

        def make_uplink(info, on_link, on_clock):
            told.append(cbor.decode(info))

        rig.node.make_uplink = make_uplink
        rig.run(1)
        self.assertEqual(told[0]["channels"], {"soil.vwc": "%"})
        self.assertEqual(told[0]["actuators"], ["pump"])
