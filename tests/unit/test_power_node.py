"""A node that sleeps deeply decides and records what one decides that never sleeps.

Each start is a new node from the same plan, as after a real deep sleep; only the fake board's RTC
memory, the folder and the time of the day go on.
"""

import array
import asyncio
import gc
import os
import unittest

import store_folder
from fake_node import DAY_S, START_S, JumpClock
from quiet_case import QuietCase
from test_node_plan import FakeBoard, FakePin, _plan, _run

from hedge.core import clock
from hedge.node import node_from_plan
from hedge.power import kept
from hedge.store import KV, Store, audit
from hedge.store.kv import read_map
from hedge.wire import senml

try:
    import logging

    logging.getLogger("asyncio").disabled = True  # it tells of each task that "deep sleep" ended
except ImportError:
    pass  # MicroPython says nothing of the kind

SAMPLE_S = 3600
UA = {"sense": 20000, "infer": 20000, "store": 25000, "link": None, "idle": 15000, "sleep": 100}


class Asleep(SystemExit):
    """What the fake board's deep sleep ends the program with."""


class TimedPin(FakePin):
    """times: device time of each switching on."""

    def __init__(self):
        super().__init__()
        self.times = []

    def value(self, level):
        if level and self.levels[-1:] != [level]:
            self.times.append(clock.epoch_s())
        super().value(level)


class SleepyBoard(FakeBoard):
    """port: light sleep waits in device time. cause: of the next start."""

    port = "unix"

    def __init__(self):
        super().__init__()
        self.memory = b""
        self.cause = "power_on"
        self.wake_ms = 0
        self.clock = None
        self.adc = self  # reads a voltage that depends on device time alone
        self.levels_at_sleep = []
        self.pin = TimedPin()

    def read_uv(self):
        hour = (clock.epoch_s() - START_S) // SAMPLE_S
        if hour % 17 == 5:
            raise OSError(5)
        return (1400 + (hour * 7919) % 1300) * 1000

    def reset_cause(self):
        return self.cause

    def retained(self):
        return self.memory

    def retain(self, data):
        assert len(data) <= 2048, len(data)
        self.memory = bytes(data)
        return True

    def deep_sleep(self, ms):
        self.levels_at_sleep.append(self.pin.levels[-1])
        self.cause = "deepsleep"
        self.wake_ms = self.clock.now_ms() + ms
        raise Asleep


def power_plan(sleep, **changes):
    plan = _plan()
    plan["filters"] = [[0, "median", 3], [0, "ema", 1, 2], [0, "slew", 900]]
    plan["rules"][0]["when"] = ["all", [["<", 0, 2200, 2600], ["window", 120, 1200, 127]]]
    plan["rules"][0]["max_per_day"] = 3
    plan["records"] = [
        {"i": 0, "deadband": 300, "max_s": 0, "summary_s": 86400, "mean_only": False, "stream": 1}
    ]
    if sleep:
        plan["power"] = {
            "sleep": sleep, "uplink_every_s": 21600, "on_events": True, "awake_max_s": 30,
            "ua": UA, "loads_ua": [70000], "wake_ms": 300,
        }  # fmt: skip
    plan.update(changes)
    return plan


class Life:
    """A node over all its starts. plan, board, folder stay; time is continuous."""

    def __init__(self, plan, folder):
        self.plan, self.folder = plan, folder
        self.board = SleepyBoard()
        self.clock = self.board.clock = JumpClock(START_S, START_S)
        self.starts = 0
        self.node = None

    def run(self, hours):
        """Live until so many hours after START_S; wakes it up as often as it sleeps."""
        end_ms = int(hours * 3600000) + 500
        while max(self.clock.now_ms(), self.board.wake_ms) < end_ms:
            self.start(end_ms)
        return self

    def start(self, end_ms):
        """One start: until it sleeps or end_ms."""
        if self.board.wake_ms:
            self.clock._now_ms = max(self.board.wake_ms, self.clock.now_ms())
            self.board.wake_ms = 0
        self.clock.end_ms, self.clock._ended = end_ms, False
        self.clock._sleepers = []
        clock.use(self.clock)
        self.starts += 1
        self.node = node_from_plan(self.plan, self.board, self.folder)
        try:
            asyncio.run(_run(self.clock, self.node))
        except Asleep:
            pass
        finally:
            if hasattr(asyncio, "new_event_loop"):
                asyncio.new_event_loop()  # MicroPython keeps the tasks of the former life

    def cut_power(self, hours=0):
        """RTC memory is gone; so many hours without power."""
        self.board.memory, self.board.cause = b"", "power_on"
        self.board.wake_ms = self.clock.now_ms() + int(hours * 3600000)
        self.board.pin.levels.append(0)

    def records(self):
        """[(stream, time, entries)] without the ledger's own, in the order of the log."""
        found = []
        for _, stream, _, payload in audit(self.folder + "/log"):
            decoded = senml.decode(payload)
            if not decoded[0][0].startswith("power."):
                found.append((stream, decoded[0][3], [(n, v) for n, _, v, _ in decoded]))
        return found


class _Case(QuietCase):
    def setUp(self):
        QuietCase.setUp(self)
        self._clock = clock.use(None)
        self.folders = []
        if hasattr(gc, "freeze"):
            gc.freeze()  # CPython: each start collects, and what the other tests left is a lot

    def tearDown(self):
        QuietCase.tearDown(self)
        clock.use(self._clock)
        if hasattr(gc, "unfreeze"):
            gc.unfreeze()
        for folder in self.folders:
            for name in os.listdir(folder):
                if name == "log":
                    store_folder.clear(folder + "/log")
                else:
                    os.remove(folder + "/" + name)
            os.rmdir(folder)

    def life(self, sleep, **changes):
        self.folders.append(store_folder.fresh("power"))
        return Life(power_plan(sleep, **changes), self.folders[-1])


def _without_boot(records):
    return [row for row in records if row[2][0][0] != "boot"]


class TestSameLife(_Case):
    def test_decisions_and_records_are_those_of_a_node_that_never_sleeps(self):
        hours = 24 * 4
        awake = self.life(None).run(hours)
        wanted_records = _without_boot(awake.records())
        for mode in ("deep", "light", "none"):
            life = self.life(mode).run(hours)
            records = _without_boot(life.records())
            self.assertEqual(len(records), len(wanted_records), mode)
            for record, other in zip(records, wanted_records):
                self.assertEqual(record, other, mode)
            del records
            self.assertEqual(life.board.pin.levels, awake.board.pin.levels, mode)
            stats, wanted = life.node.stats(), awake.node.stats()
            for key in ("decisions", "raw_bytes", "sensor_faults", "actuations", "missed"):
                self.assertEqual(stats[key], wanted[key], (mode, key))
        self.assertTrue(any(r[2][0] == ("pump", True) for r in wanted_records))

    def test_it_really_sleeps_with_the_pump_off_and_stays_one_boot(self):
        life = self.life("deep").run(24 * 3)
        self.assertTrue(life.starts > 24 * 2)
        self.assertEqual(set(life.board.levels_at_sleep), {0})
        boots = {row[0] for row in audit(life.folder + "/log")}
        self.assertEqual(len(boots), 1)
        names = [name for name in os.listdir(life.folder + "/log") if name.endswith(".log")]
        self.assertTrue(len(names) <= 3, names)  # one file a stream, however often it slept

    def test_a_state_too_large_for_rtc_memory_goes_through_a_file(self):
        filters = [[0, "median", 99]] * 5  # 5 * 500 bytes
        awake = self.life(None, filters=filters).run(30)
        life = self.life("deep", filters=filters).run(30)
        self.assertEqual(_without_boot(life.records()), _without_boot(awake.records()))
        self.assertTrue(read_map(life.folder + "/sleep.kv"))


class TestKept(_Case):
    """Attributes that change in a tick and are not in the table would be lost in a deep sleep."""

    # what is derived, or kept by state() of its owner, or only serves one tick
    NOT_KEPT = (
        "_out",
        "_up_ms",
        "_last_ms",
        "_gc_every",
        "_ended_ms",
        "_sorted",
        "_due_ms",
        "_saved",
    )
    NOT_KEPT += ("_decided_us", "_day", "_reports_due", "_slot", "sending")

    def test_the_table_names_all_that_changes(self):
        life = self.life("none").run(2)
        before = self._all(life.node)
        life.clock.end_ms, life.clock._ended = int(60 * 3600000), False
        clock.use(life.clock)
        asyncio.run(self._ticks(life.node))
        changed = set()
        for key, value in self._all(life.node).items():
            if value != before[key]:
                changed.add(key[1:])
        for name, attribute in changed:
            known = kept.ATTRIBUTES[name]
            self.assertTrue(attribute in known or attribute in self.NOT_KEPT, name + attribute)
        for wanted in (("Median", "_ring"), ("Ema", "_y_q6"), ("Recorder", "created")):
            self.assertIn(wanted, changed)

    async def _ticks(self, node):
        for _ in range(40):
            clock._source._now_ms += 3600000
            await node._tick_safely()

    def _all(self, node):
        plain = (int, float, bool, str, bytes, tuple, array.array, bytearray, type(None))
        found = {}
        for i, (part, name) in enumerate(kept._parts(node)):
            for attribute, value in part.__dict__.items():
                if isinstance(value, plain):
                    found[(i, name, attribute)] = (
                        bytes(value) if hasattr(value, "extend") else value
                    )
        return found


class TestCuts(_Case):
    def test_power_cut_while_asleep_is_a_new_boot_that_keeps_the_limits(self):
        life = self.life("deep").run(24 * 2)
        before = len(life.records())
        starts = [t for _, t, e in life.records() if e[0] == ("pump", True)]
        life.cut_power(0.5)
        life.run(24 * 4)
        self.assertEqual(len({row[0] for row in audit(life.folder + "/log")}), 2)
        self.assertTrue(len(life.records()) > before)
        starts = [t for _, t, e in life.records() if e[0] == ("pump", True)]
        gaps = [starts[i + 1] - starts[i] for i in range(len(starts) - 1)]
        self.assertTrue(min(gaps) >= 7200, gaps)  # hold_off_s
        for day in {(t + 3600) // DAY_S for t in starts}:
            self.assertTrue(len([t for t in starts if (t + 3600) // DAY_S == day]) <= 3)

    def test_a_ticket_serves_once(self):
        life = self.life("deep").run(10)
        ticket = life.board.memory
        self.assertTrue(ticket)
        life.start(int(11.2 * 3600000))
        life.board.memory, life.board.cause = ticket, "wdt"  # reset in the middle of a tick
        boots = len({row[0] for row in audit(life.folder + "/log")})
        life.start(int(13 * 3600000))
        self.assertEqual(len({row[0] for row in audit(life.folder + "/log")}), boots + 1)

    def test_a_stale_ticket_is_not_believed(self):
        life = self.life("deep").run(10)
        ticket = life.board.memory
        life.run(24)
        life.board.memory = ticket
        life.run(26)
        keys = [row[:3] for row in audit(life.folder + "/log")]
        self.assertEqual(len(keys), len(set(keys)))
        self.assertEqual(len({key[0] for key in keys}), 2)

    def test_damaged_ticket_other_settings(self):
        for damage in ("bytes", "hash"):
            life = self.life("deep").run(10)
            if damage == "bytes":
                life.board.memory = life.board.memory[:-1] + b"\x00"
            else:
                life.plan["node"]["hash"] = "87654321"
            life.run(12)
            self.assertEqual(len({row[0] for row in audit(life.folder + "/log")}), 2, damage)

    def test_waking_late_is_told_and_counts_the_time(self):
        life = self.life("deep").run(10.9)
        life.board.wake_ms += 5 * 3600000
        life.run(20)
        wakes = [e for _, _, e in life.records() if e[0][0] == "wake"]
        self.assertEqual(wakes, [[("wake", 18000), ("reason", "so many s late")]])
        self.assertEqual(life.node.now_s(), 20 * 3600)

    def test_without_memory_for_a_ticket_it_sleeps_lightly(self):
        life = self.life("deep")
        life.board.retain = lambda data: False
        life.run(10)
        self.assertEqual(life.starts, 1)
        self.assertEqual(life.node.ticks, 11)


class Cut(SystemExit):
    """The power goes."""


class Points:
    """Counts the moments at which something outside of RAM changes; cuts at one of them."""

    def __init__(self, cut_at):
        self.left = cut_at
        self.kept = []  # payloads whose append has returned

    def pass_one(self):
        self.left -= 1
        if self.left == 0:
            raise Cut

    def around(self, owner, name):
        """Before and after each call of owner.name; returns what puts it back."""
        function = getattr(owner, name)

        def watched(*args):
            self.pass_one()
            result = function(*args)
            if name == "append":
                self.kept.append(bytes(args[2]))
            self.pass_one()
            return result

        setattr(owner, name, watched)
        return lambda: setattr(owner, name, function)


class TestEveryPhase(_Case):
    """Wake, read, decide, switch, record, save, leave the ticket, sleep: cut at each change."""

    def test_cut_before_and_after_every_change(self):
        cut_at, whole = 1, False
        while not whole:
            whole = self._live(cut_at)
            cut_at += 1
        self.assertTrue(cut_at > 30, cut_at)

    def _live(self, cut_at):
        """True if the life ended before that many changes."""
        life = self.life("deep")
        points = Points(cut_at)
        restore = [points.around(o, n) for o, n in ((Store, "append"), (KV, "save"))]
        restore += [points.around(SleepyBoard, n) for n in ("retain", "deep_sleep")]
        restore.append(points.around(TimedPin, "value"))
        is_cut = self._run_until_cut(life)
        for put_back in reversed(restore):
            put_back()
        if not is_cut:
            return True
        life.board.wake_ms = 0
        life.cut_power(0.25)
        life.run(7)
        self._judge(life, points, life.board.pin.times)
        return False

    def _run_until_cut(self, life):
        try:
            life.run(3.5)
        except Cut:
            return True
        return False

    def _judge(self, life, points, on_times):
        rows = [row for row in audit(life.folder + "/log")]
        self.assertEqual(len({row[:3] for row in rows}), len(rows))
        payloads = [bytes(row[3]) for row in rows]
        for payload in points.kept:
            self.assertIn(payload, payloads)
        for i in range(len(on_times) - 1):
            self.assertTrue(on_times[i + 1] - on_times[i] >= 7200, on_times)  # hold_off_s
        self.assertEqual(set(life.board.levels_at_sleep), {0})
        self.assertEqual(life.board.pin.levels[-1], 0)


class TestLedger(_Case):
    def test_phases_add_up_to_the_day_and_actuators_are_counted(self):
        for mode in ("deep", "light", "none"):
            life = self.life(mode).run(24 * 2 + 1)
            times, charges = self._day(life)
            phases = [times["power.s." + n] for n in ("sense", "idle", "sleep")]
            self.assertTrue(abs(sum(phases) - DAY_S) < 60, (mode, phases))
            self.assertEqual("power.mah.sleep" in charges, True)
            self.assertFalse("power.mah.link" in charges)  # its current is not known
            if mode != "none":
                self.assertTrue(phases[2] > DAY_S * 0.9)
        self.assertTrue(charges["power.mah.actuator"] > 0)

    def test_the_charge_of_a_day_by_hand(self):
        life = self.life("deep").run(24 * 2 + 1)
        times, charges = self._day(life)
        self.assertEqual(times["power.wakes"] >= 24, True)
        sleep_mah = times["power.s.sleep"] * 100 / 3600e3
        self.assertTrue(abs(charges["power.mah.sleep"] - sleep_mah) < 0.01 * sleep_mah)

    def _day(self, life):
        found = [{}, {}]
        for _, stream, _, payload in audit(life.folder + "/log"):
            decoded = senml.decode(payload)
            if decoded[0][0].startswith("power."):
                self.assertEqual(stream, 2)
                found[decoded[0][0].startswith("power.mah")] = {n: v for n, _, v, _ in decoded}
        return found


if __name__ == "__main__":
    unittest.main()
