"""The uplink loses nothing over a bad link, and says what it does."""

import asyncio

from fake_uplink import FakeLink, FakeStore
from quiet_case import QuietCase
from waiting import soon

from hedge.core import clock
from hedge.core.errors import FrameError, LinkError
from hedge.net.uplink import Uplink
from hedge.wire import ack, frame

_ACK_MS = 30  # where acks are lost; elsewhere none is late, however slow the computer is
_NOW_S = 1767225600  # 2026-01-01


class _Dice:
    """Seeded, the same in both Pythons: a linear congruential generator (Numerical Recipes)."""

    def __init__(self, seed):
        self._state = seed

    def hit(self, percent):
        self._state = (1664525 * self._state + 1013904223) & 0xFFFFFFFF
        return (self._state >> 16) % 100 < percent


class _Clock:
    def __init__(self, now_s=0, follows=True):
        self.now_s = now_s
        self._follows = follows

    def epoch_s(self):
        return self.now_s

    def set_epoch_s(self, now_s):
        if self._follows:
            self.now_s = now_s


class _Case(QuietCase):
    def setUp(self):
        self.store = FakeStore()
        self.link = FakeLink()
        self.gateway = self.link.gateway
        self.changes = []
        QuietCase.setUp(self)
        self._clock = clock.use(_Clock(_NOW_S))

    def tearDown(self):
        QuietCase.tearDown(self)
        clock.use(self._clock)

    def run_it(self, scenario, **options):
        asyncio.run(asyncio.wait_for_ms(self._with_uplink(scenario, options), 60000))

    async def _with_uplink(self, scenario, options):
        settings = {"ack_timeout_ms": 60000, "retry_min_ms": 4, "retry_max_ms": 20}
        settings.update(options)
        self.uplink = Uplink(
            self.link,
            self.store,
            "bed-3",
            on_link=lambda up, reason: self.changes.append((up, reason)),
            **settings,
        )
        task = asyncio.create_task(self.uplink.run())
        try:
            await scenario()
        finally:
            task.cancel()
            await asyncio.sleep_ms(5)

    def append(self, count, stream=1):
        for i in range(count):
            self.store.append(stream, b"record %d of stream %d" % (i, stream))
        self.uplink.wake()

    async def all_acked(self, limit_ms=3000):
        await soon(lambda: not self.store.rows, "the last ack", limit_ms)


class TestHealthyLink(_Case):
    def test_records_arrive_in_full_frames_and_are_forgotten(self):
        async def scenario():
            self.append(40)
            await self.all_acked()
            self.assertEqual(len(self.gateway.rows), 40)
            self.assertEqual(self.gateway.repeated, 0)
            self.assertLess(len(self.gateway.frames), 8)
            self.assertLessEqual(max(len(f) for f in self.link.sent), 200)
            stats = self.uplink.stats()
            self.assertEqual((stats["acked"], stats["records_sent"]), (40, 40))
            self.assertEqual((stats["outages"], stats["retransmits"]), (0, 0))
            self.assertEqual(stats["bytes_sent"], sum(len(f) for f in self.link.sent))

        self.run_it(scenario)

    def test_events_go_first(self):
        async def scenario():
            self.link.refuse = True
            self.append(30, stream=1)
            self.append(30, stream=2)
            self.append(3, stream=0)
            self.link.refuse = False
            await self.all_acked()
            streams = [f.stream for f in self.gateway.frames]
            self.assertEqual(streams, sorted(streams))

        self.run_it(scenario)

    def test_the_window_bounds_what_is_under_way(self):
        async def scenario():
            self.link.silent = True
            self.append(100)
            await soon(lambda: len(self.link.sent) == 3, "three frames")
            await asyncio.sleep_ms(30)
            self.assertEqual(len(self.link.sent), 3)

        self.run_it(scenario, window=3, ack_timeout_ms=5000)

    def test_records_from_before_the_session_are_backlog(self):
        async def scenario():
            await soon(lambda: self.uplink.up, "the session")
            self.append(2)
            await self.all_acked()
            self.link.refuse = True
            self.link.break_it()
            await soon(lambda: not self.uplink.up, "the outage")
            self.append(2)
            self.link.refuse = False
            await self.all_acked()
            self.append(2)
            await self.all_acked()
            marks = [f.backlog for f in self.gateway.frames]
            self.assertEqual(marks, [False, True, False])

        self.run_it(scenario)

    def test_records_of_an_earlier_boot_are_backlog_too(self):
        async def scenario():
            self.store.rows.append([1, 1, 9, b"from before the reset"])
            self.uplink.wake()
            await self.all_acked()
            self.assertTrue(self.gateway.frames[0].backlog)

        self.store = FakeStore(boot=2)
        self.run_it(scenario)

    def test_frames_are_signed_with_the_key(self):
        async def scenario():
            self.append(1)
            await soon(lambda: self.link.sent, "a frame")
            got = frame.unpack(self.link.sent[0], b"k" * 16)
            self.assertEqual(got.records, [b"record 0 of stream 1"])
            self.assertRaises(FrameError, frame.unpack, self.link.sent[0], b"K" * 16)
            await soon(lambda: self.uplink.bad_acks, "the unsigned ack")
            mark = [(1, 1, 1)]
            self.link.answer(ack.pack(7, 0, mark, "bed-4", b"k" * 16))
            await soon(lambda: self.uplink.bad_acks == 2, "another node's ack")
            self.link.answer(ack.pack(7, 0, mark, "bed-3", b"k" * 16))
            await self.all_acked()

        self.gateway.take = lambda data: ack.pack(7, 0, [(1, 1, 1)])
        self.run_it(scenario, key=b"k" * 16, ack_timeout_ms=5000)


class TestBadLink(_Case):
    def _storm(self, seed, **knobs):
        dice = _Dice(seed)
        percent = {"frame": 20, "ack": 20, "connect": 30}

        async def scenario():
            self.link.lose = lambda kind: dice.hit(percent[kind])
            for name in knobs:
                setattr(self.link, name, knobs[name])
            for _ in range(20):
                self.append(4, stream=0)
                self.append(5, stream=1)
                self.append(1, stream=2)
                await asyncio.sleep_ms(7)
                if dice.hit(20):
                    self.link.break_it()
            await self.all_acked(15000)
            self.assertEqual(len(self.gateway.rows), 200)

        self.run_it(scenario, ack_timeout_ms=_ACK_MS)

    def test_loss_and_flaps_lose_nothing(self):
        self._storm(1)
        self.assertGreater(self.uplink.retransmits, 0)
        self.assertGreater(self.uplink.outages, 0)

    def test_reordered_and_duplicated_acks_lose_nothing(self):
        self._storm(2, reorder=True, duplicate=True)

    def test_resumed_sessions_that_lose_frames_lose_nothing(self):
        self._storm(3, kept=True)

    def test_a_resumed_session_does_not_send_again(self):
        async def scenario():
            self.link.silent = True
            self.append(5)
            await soon(lambda: self.link.sent, "the frame")
            self.link.kept = True
            self.link.break_it()
            await soon(lambda: self.uplink.sessions == 2, "the second session")
            await asyncio.sleep_ms(20)
            self.assertEqual(len(self.link.sent), 1)
            self.link.answer(ack.pack(7, 0, [(1, 1, 5)]))
            await self.all_acked()
            self.assertEqual(self.uplink.retransmits, 0)

        self.run_it(scenario, ack_timeout_ms=5000)

    def test_a_frame_that_a_resumed_session_never_had_goes_at_once(self):
        """The link was known to be dead when it was handed over: nobody kept it."""
        send = self.link.send

        async def dead(data):
            self.link.send = send
            self.link.break_it()
            raise LinkError("Wi-Fi: not found")

        async def scenario():
            self.link.kept = True
            self.link.send = dead
            self.append(5)
            await self.all_acked(1000)
            self.assertEqual((len(self.link.sent), self.uplink.retransmits), (1, 1))

        self.run_it(scenario, ack_timeout_ms=60000)

    def test_a_new_session_starts_again_at_once(self):
        async def scenario():
            self.link.silent = True
            self.append(5)
            await soon(lambda: self.link.sent, "the frame")
            self.link.silent = False
            self.link.break_it()
            await self.all_acked(1000)
            self.assertEqual((len(self.link.sent), self.uplink.retransmits), (2, 1))

        self.run_it(scenario, ack_timeout_ms=60000)


class TestSilentGateway(_Case):
    def test_asks_with_one_frame_then_ends_the_session(self):
        async def scenario():
            self.link.silent = True
            self.append(100)
            await soon(lambda: len(self.link.sent) == 8, "the window")
            self.uplink.ack_timeout_ms = _ACK_MS
            self.uplink.wake()
            await soon(lambda: self.uplink.outages, "the end of the session")
            # the window of 8 once, then one frame for each of the two silences after
            self.assertEqual(len(self.link.sent), 10)
            self.assertEqual(self.uplink.ack_timeouts, 3)
            self.assertIn("gateway silent", self.changes[-1][1])
            self.link.silent = False
            await self.all_acked()

        self.run_it(scenario, retry_min_ms=200, retry_max_ms=200)


class TestOutages(_Case):
    def test_each_change_is_told_once_and_refusals_are_one_outage(self):
        async def scenario():
            await soon(lambda: self.uplink.up, "the session")
            self.link.refuse = True
            self.link.break_it()
            await soon(lambda: self.link.connects > 4, "attempts")
            self.assertEqual(self.uplink.outages, 1)
            self.link.refuse = False
            await soon(lambda: self.uplink.up, "the session")
            self.assertEqual([up for up, _ in self.changes], [True, False, True])
            self.assertIn("broker closed", self.changes[1][1])
            self.assertEqual(self.link.connects, self.link.closes + 1)

        self.run_it(scenario)
        self.assertEqual(self.changes[-1], (False, "stopped"))

    def test_a_refused_first_connection_is_an_outage(self):
        async def scenario():
            self.link.refuse = True
            await soon(lambda: self.link.connects > 2, "attempts")
            self.assertEqual((self.uplink.outages, self.uplink.up), (1, False))
            self.assertEqual(self.changes, [])

        self.run_it(scenario)

    def test_an_error_of_the_system_is_told_by_its_name(self):
        async def reset():
            raise OSError(104, "by peer")

        async def scenario():
            self.link.recv = reset
            await soon(lambda: len(self.changes) > 1, "the end of a session")

        self.run_it(scenario)
        self.assertTrue(self.changes[1][1] in ("by peer", "ECONNRESET: by peer"))


class TestAcks(_Case):
    def test_malformed_acks_are_counted_and_ignored(self):
        async def scenario():
            await soon(lambda: self.uplink.up, "the session")
            for data in (b"", b"\x00", b"\xff" * 300, ack.pack(7, 0, [(1, 1, 1)])[:-1]):
                self.link.answer(data)
            await soon(lambda: self.uplink.bad_acks == 4, "four bad acks")
            self.append(3)
            await self.all_acked()
            self.assertEqual(self.uplink.sessions, 1)

        self.run_it(scenario)

    def test_an_ack_past_what_was_sent_forgets_nothing(self):
        async def scenario():
            self.link.silent = True
            self.append(5)
            await soon(lambda: self.link.sent, "the frame")
            self.store.append(1, b"not sent yet")
            self.link.answer(ack.pack(7, 0, [(1, 1, 500), (9, 1, 500)]))
            await soon(lambda: self.uplink.bad_acks == 2, "the ack")
            self.assertEqual(self.store.acks, [])
            self.assertEqual(len(self.store.rows), 6)

        self.run_it(scenario, ack_timeout_ms=5000)

    def test_an_earlier_boot_is_believed(self):
        async def scenario():
            self.store.rows.append([1, 1, 9, b"sent before the reset"])
            await soon(lambda: self.uplink.up, "the session")
            self.link.answer(ack.pack(7, 0, [(1, 1, 9)]))
            await self.all_acked()

        self.store = FakeStore(boot=2)
        self.run_it(scenario)

    def test_a_new_generation_is_noted(self):
        async def scenario():
            self.append(1)
            await self.all_acked()
            self.gateway.generation = 8
            self.append(1)
            await self.all_acked()
            self.assertEqual((self.uplink.generation, self.uplink.generation_changes), (8, 1))

        self.run_it(scenario)


class TestClock(_Case):
    def _after_ack(self, device_s, gateway_s, follows=True, **options):
        source = _Clock(device_s, follows)
        clock.use(source)
        self.store, self.link = FakeStore(), FakeLink()
        self.gateway = self.link.gateway
        calls = []

        async def scenario():
            self.gateway.epoch_s = gateway_s
            for _ in range(3):
                self.append(1)
                await self.all_acked()

        self.run_it(scenario, on_clock=lambda *seen: calls.append(seen), **options)
        return source.now_s, calls, (self.uplink.clock_sets, self.uplink.clock_jumps)

    def test_an_unknown_time_is_set(self):
        self.assertEqual(self._after_ack(0, _NOW_S), (_NOW_S, [(0, _NOW_S)], (1, 0)))

    def test_a_time_that_is_off_is_corrected_and_counted(self):
        wrong_s = _NOW_S - 3600
        self.assertEqual(self._after_ack(wrong_s, _NOW_S), (_NOW_S, [(wrong_s, _NOW_S)], (1, 1)))

    def test_two_minutes_are_left_alone_and_so_is_an_ack_without_time(self):
        self.assertEqual(self._after_ack(_NOW_S - 120, _NOW_S), (_NOW_S - 120, [], (0, 0)))
        self.assertEqual(self._after_ack(_NOW_S, 0), (_NOW_S, [], (0, 0)))

    def test_a_steered_clock_that_does_not_follow_is_left_alone(self):
        self.assertEqual(self._after_ack(1000, _NOW_S, False), (1000, [], (0, 0)))
        self.assertEqual(self._after_ack(1000, _NOW_S, set_clock=False), (1000, [], (0, 0)))


class TestRestoredServer(_Case):
    """The gateway's database is that of an earlier day; the store still holds what it lost."""

    def _lose_the_last(self, count):
        for key in sorted(self.gateway.rows)[-count:]:
            del self.gateway.rows[key]

    def test_with_a_new_generation_all_comes_again_at_once(self):
        async def scenario():
            self.append(40)
            await self.all_acked()
            self._lose_the_last(25)
            self.gateway.generation = 8
            self.append(1)
            await soon(lambda: len(self.gateway.rows) == 41, "what was lost")
            await self.all_acked()
            self.assertEqual(self.uplink.ack_timeouts, 0)
            self.assertEqual(self.uplink.records_asked_again, 40)

        self.run_it(scenario, ack_timeout_ms=5000)

    def test_with_the_same_generation_lower_marks_are_noticed(self):
        async def scenario():
            self.append(40)
            await self.all_acked()
            self._lose_the_last(25)
            self.append(1)
            await soon(lambda: len(self.gateway.rows) == 41, "what was lost")
            await self.all_acked()
            self.assertEqual(self.uplink.generation_changes, 0)
            self.assertEqual(self.uplink.ack_timeouts, 0)

        self.run_it(scenario, ack_timeout_ms=2400)

    def test_two_streams_of_which_the_server_lost_records(self):
        async def scenario():
            for _ in range(8):
                self.append(4, stream=0)
                self.append(5, stream=1)
                await self.all_acked()
            for stream in range(2):
                del self.gateway.rows[1, stream, 20]
            self.append(1, stream=0)
            self.append(1, stream=1)
            await soon(lambda: len(self.gateway.rows) == 74, "what was lost")
            await self.all_acked()
            self.assertEqual(self.uplink.ack_timeouts, 0)

        self.run_it(scenario, ack_timeout_ms=2400)

    def test_it_is_noticed_anew_in_another_session(self):
        """As with a link that ends each session long before an ack time-out."""

        async def scenario():
            self.append(40)
            await self.all_acked()
            self._lose_the_last(25)
            self.append(1)
            await soon(lambda: len(self.gateway.frames) > 6, "the frame")
            self.link.break_it()
            await soon(lambda: len(self.gateway.rows) == 41, "what was lost")
            self.assertEqual(self.uplink.ack_timeouts, 0)

        self.run_it(scenario, ack_timeout_ms=2400)

    def test_a_late_ack_alone_changes_nothing(self):
        async def scenario():
            self.append(4)
            await self.all_acked()
            self.link.answer(ack.pack(7, 0, [(1, 1, 2)]))
            self.append(1)
            await self.all_acked()
            self.uplink.ack_timeout_ms = _ACK_MS
            self.uplink.wake()
            await asyncio.sleep_ms(3 * _ACK_MS)
            self.assertEqual((self.uplink.records_asked_again, self.gateway.repeated), (0, 0))

        self.run_it(scenario)

    def test_a_late_ack_before_a_slow_one_changes_nothing(self):
        async def scenario():
            self.append(4)
            await self.all_acked()
            self.link.silent = True
            self.append(1)
            await soon(lambda: len(self.link.sent) == 2, "the frame")
            self.link.answer(ack.pack(7, 0, [(1, 1, 2)]))
            await soon(lambda: len(self.link.sent) == 3, "the frame once more")
            self.link.answer(ack.pack(7, 0, [(1, 1, 5)]))
            await self.all_acked()
            self.link.answer(ack.pack(7, 0, [(1, 1, 2)]))
            self.link.answer(ack.pack(7, 0, [(1, 1, 2)]))
            self.append(1)
            await soon(lambda: len(self.link.sent) == 4, "the next frame")
            self.link.answer(ack.pack(7, 0, [(1, 1, 6)]))
            await self.all_acked()
            self.assertEqual((self.uplink.records_asked_again, self.uplink.ack_timeouts), (0, 0))

        self.run_it(scenario, ack_timeout_ms=2400)
