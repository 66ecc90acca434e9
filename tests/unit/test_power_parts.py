"""Ledger, schedule, ticket and nap by themselves; a sleeping node's link sessions."""

import asyncio
import unittest

from fake_node import START_S, FakeSensor, FakeStore, JumpCase, JumpClock
from test_node_plan import _run

from hedge.core import clock, log
from hedge.core.errors import LinkError
from hedge.power import nap, ticket
from hedge.power.ledger import IDLE, INFER, LINK, SENSE, SLEEP, Ledger
from hedge.power.node import PowerNode
from hedge.power.schedule import Schedule

UA = {"sense": 30000, "infer": 20000, "link": 100000, "idle": 20000, "sleep": 10, "standby": 100}


class TestLedger(unittest.TestCase):
    def test_charge_is_time_times_current(self):
        ledger = Ledger(UA, [70000, None], wake_ms=500)
        ledger.add(SENSE, 120000)
        ledger.add(SLEEP, 3600000)
        ledger.add_us(INFER, 1500)
        ledger.on_s[0] = 60
        ledger.wakes = 2
        self.assertEqual(round(ledger.mah(SENSE), 6), 1.0)  # 2 min of 30 mA
        self.assertEqual(round(ledger.mah(SLEEP), 6), 0.01)
        self.assertIsNone(ledger.mah(2))  # store: its current is not in the table
        times, charges = ledger.day_entries()
        charges = {name: value for name, _, value in charges}
        self.assertEqual(charges["power.mah.actuator"], float("%.4g" % (70 / 60)))
        self.assertEqual(charges["power.mah.wake"], float("%.4g" % (1 * 20 / 3600)))
        self.assertEqual(charges["power.mah.standby"], float("%.4g" % (3720 * 0.1 / 3600)))
        self.assertFalse("power.mah.store" in charges)
        self.assertEqual({name: v for name, _, v in times}["power.wakes"], 2)

    def test_small_pieces_add_up_and_a_clock_that_goes_back_takes_nothing(self):
        ledger = Ledger(UA)
        for _ in range(1000):
            ledger.add_us(INFER, 999999)
        self.assertEqual(round(ledger.seconds(INFER), 3), 999.999)
        ledger.add(IDLE, -5)
        ledger.add_us(IDLE, -5)
        self.assertEqual(ledger.seconds(IDLE), 0.0)

    def test_it_goes_on_from_its_state(self):
        ledger = Ledger(UA, [1])
        ledger.add(SENSE, 1234)
        ledger.on_s[0] = 7
        other = Ledger(UA, [1])
        other.restore(ledger.state())
        self.assertEqual(other.day_entries(), ledger.day_entries())


class TestSchedule(unittest.TestCase):
    def test_every_so_often_and_at_once_for_events(self):
        schedule = Schedule(3600, True, 60)
        self.assertFalse(schedule.due(0, 0, 0))
        self.assertTrue(schedule.due(0, 1, 0))
        schedule.done(0, True)
        self.assertFalse(schedule.due(3599, 5, 0))
        self.assertTrue(schedule.due(1, 5, 1))
        self.assertTrue(schedule.due(3600, 5, 0))
        self.assertFalse(Schedule(3600, False, 60)._on_events)

    def test_events_wait_if_told_to(self):
        schedule = Schedule(3600, False, 60)
        schedule.done(0, True)
        self.assertFalse(schedule.due(10, 5, 5))

    def test_a_dead_link_is_tried_ever_more_seldom(self):
        schedule = Schedule(3600, True, 60)
        waits, now_s = [], 0
        for _ in range(8):
            schedule.done(now_s, False)
            before_s = now_s
            while not schedule.due(now_s, 1, 1):
                now_s += 1
            waits.append(now_s - before_s)
        self.assertEqual(waits, [60, 120, 240, 480, 960, 1920, 3600, 3600])
        again = Schedule(3600, True, 60)
        again.restore(schedule.state())
        self.assertEqual(again.failures, 8)
        again.done(now_s, True)
        self.assertTrue(again.due(now_s + 1, 1, 1))


class FakeBoard:
    port = "unix"

    def __init__(self, cause="deepsleep"):
        self.memory = b""
        self.cause = cause

    def retained(self):
        return self.memory

    def retain(self, data):
        self.memory = bytes(data)
        return True

    def reset_cause(self):
        return self.cause


class TestTicket(unittest.TestCase):
    def test_once_and_only_after_a_deep_sleep(self):
        board = FakeBoard()
        self.assertTrue(ticket.leave(board, "/nowhere", {"a": 1, "b": [None, b"x"]}))
        left = board.memory
        self.assertEqual(ticket.take(board, "/nowhere"), {"a": 1, "b": [None, b"x"]})
        self.assertIsNone(ticket.take(board, "/nowhere"))
        for cause in ("wdt", "power_on", "hard", "soft", "unknown"):
            board.memory, board.cause = left, cause
            self.assertIsNone(ticket.take(board, "/nowhere"))
            self.assertEqual(board.memory, b"")

    def test_damage_at_any_byte(self):
        board = FakeBoard()
        ticket.leave(board, "/nowhere", {"a": 1, "b": 2})
        left = board.memory
        for i in range(len(left)):
            board.memory = left[:i] + bytes([left[i] ^ 0x10]) + left[i + 1 :]
            self.assertIsNone(ticket.take(board, "/nowhere"))
            board.memory = left[:i]
            self.assertIsNone(ticket.take(board, "/nowhere"))

    def test_what_is_too_large_and_cannot_be_written_is_not_left(self):
        board = FakeBoard()
        level, log.level = log.level, log.WARN + 1
        try:
            self.assertFalse(ticket.leave(board, "/no/such/folder/x", {"a": bytes(3000), "b": 1}))
            self.assertFalse(ticket.leave(board, "/tmp/x", {"a": bytes(9000), "b": 1}))
        finally:
            log.level = level
        self.assertEqual(board.memory, b"")


class TestNap(unittest.TestCase):
    def test_on_a_board_in_slices_that_the_watchdog_allows(self):
        import machine

        source = JumpClock(START_S, START_S + 86400)
        former, sleep = clock.use(source), machine.lightsleep
        slices, fed = [], []

        def lightsleep(ms):
            slices.append(ms)
            source._now_ms += ms if len(slices) % 2 else ms // 2  # any interrupt may end it early

        class Dog:
            def feed(self):
                fed.append(source._now_ms)

        board = FakeBoard()
        board.port = "rp2"
        machine.lightsleep = lightsleep
        try:
            asyncio.run(nap.nap(board, 10000, Dog(), 2000))
            self.assertEqual(source._now_ms, 10000)
            self.assertTrue(max(slices) <= 2000 and len(fed) > len(slices))
            slices.clear()
            asyncio.run(nap.nap(board, 9000000))  # longer than RP2's timer can
            self.assertEqual(source._now_ms, 9010000)
            self.assertTrue(max(slices) < 2**32 // 1000)
        finally:
            machine.lightsleep = sleep
            clock.use(former)


class FakeUplink:
    """run() takes what is pending after `rounds` passes, or fails, or hangs."""

    bytes_sent = outages = 0

    def __init__(self, store, way="works"):
        self.store, self.way, self.up = store, way, False
        self.sessions = self.closed = 0

    def wake(self):
        pass

    async def run(self):
        self.sessions += 1
        try:
            if self.way == "raises":
                raise LinkError("refused")
            while True:
                await asyncio.sleep_ms(1)
                if self.way == "works":
                    self.store.acked = len(self.store.records)
        finally:
            self.closed += 1


class Store(FakeStore):
    acked = 0

    def pending(self, stream=None):
        left = self.records[self.acked :]
        return len([r for r in left if stream in (None, r[0])])


class TestSessions(JumpCase):
    def node(self, way, mode="light", every_s=7200, awake_max_s=30):
        self.store = Store()
        node = PowerNode("bed-3", 3600, store=self.store)
        table = {
            "sleep": mode, "uplink_every_s": every_s, "on_events": False,
            "awake_max_s": awake_max_s, "ua": UA, "loads_ua": [], "wake_ms": None,
        }  # fmt: skip
        node.set_power(table, FakeBoard("power_on"), "/tmp")
        self.uplink = FakeUplink(self.store, way)
        node.make_uplink = lambda info, on_link, on_clock: self.uplink
        node.add_record(
            node.add_sensor("soil", FakeSensor((2000,)), [("vwc", "%", 100, 0, 10000)]), 0, 1
        )
        return node

    def live(self, node, hours):
        self.clock.end_ms = int(hours * 3600000) + 500
        self.clock.hold = lambda: node.sending
        asyncio.run(_run(self.clock, node))
        return node

    def test_it_connects_as_told_and_the_link_is_closed_before_it_sleeps(self):
        node = self.live(self.node("works"), 8.5)
        self.assertEqual(self.uplink.sessions, 5)  # at 0, 2, 4, 6, 8 h
        self.assertEqual(self.uplink.closed, 5)
        self.assertEqual(self.store.find("link"), [])
        self.assertTrue(node.ledger.seconds(LINK) > 0)
        self.assertTrue(node.ledger.seconds(SLEEP) > 7.9 * 3600)

    def test_a_dead_link_is_told_once_and_stops_nothing(self):
        for way in ("hangs", "raises"):
            self.clock.__init__(START_S, START_S)
            node = self.live(self.node(way, awake_max_s=0 if way == "hangs" else 30), 9.5)
            self.assertEqual(node.ticks, 10)
            self.assertEqual(self.store.find("link"), [False])
            self.assertEqual(self.uplink.sessions, self.uplink.closed)
            self.assertTrue(2 <= self.uplink.sessions <= 6, self.uplink.sessions)

    def test_when_it_comes_back_that_is_told_too(self):
        node = self.node("hangs", awake_max_s=0)
        sessions = self.uplink

        async def repair():
            await self.clock.sleep_ms(4 * 3600000)
            sessions.way = "works"
            node._awake_max_ms = 30000

        run = node.run

        async def run_and_repair():
            repairing = asyncio.create_task(repair())
            await run()
            await repairing

        node.run = run_and_repair
        self.live(node, 9.5)
        self.assertEqual(self.store.find("link"), [False, True])

    def test_without_sleep_the_link_stays_up(self):
        self.live(self.node("works", mode="none"), 5)
        self.assertEqual(self.uplink.sessions, 1)


if __name__ == "__main__":
    unittest.main()
