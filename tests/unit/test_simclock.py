"""Virtual time: order, exactness, pace, hold, end."""

import asyncio
import time
import unittest

from hedgerow.emulate.simclock import SimClock

START_S = 1430463600  # 2015-05-01 07:00 UTC


def run_with(clock, *coroutines):
    async def main():
        tasks = [asyncio.create_task(c) for c in coroutines]
        await asyncio.sleep_ms(0)
        await clock.run()
        for task in tasks:
            task.cancel()

    asyncio.run(main())


class Order(unittest.TestCase):
    def test_wakes_in_virtual_order_at_exact_times(self):
        clock = SimClock(START_S, START_S + 3600)
        seen = []

        async def sleeper(name, ms):
            for _ in range(2):
                await clock.sleep_ms(ms)
                seen.append((name, clock.ticks_ms()))

        run_with(clock, sleeper("b", 700), sleeper("a", 500), sleeper("c", 100_000))
        expected = [
            ("a", 500),
            ("b", 700),
            ("a", 1000),
            ("b", 1400),
            ("c", 100_000),
            ("c", 200_000),
        ]
        self.assertEqual(seen, expected)

    def test_equal_times_wake_in_asking_order(self):
        clock = SimClock(START_S, START_S + 10)
        seen = []

        async def sleeper(name):
            await clock.sleep_ms(1000)
            seen.append(name)

        run_with(clock, sleeper(1), sleeper(2), sleeper(3))
        self.assertEqual(seen, [1, 2, 3])

    def test_stops_at_the_end_and_wakes_nothing_beyond(self):
        clock = SimClock(START_S, START_S + 60)
        seen = []

        async def sleeper():
            while True:
                await clock.sleep_ms(25_000)
                seen.append(clock.epoch_s() - START_S)

        run_with(clock, sleeper())
        self.assertEqual(seen, [25, 50])
        self.assertTrue(clock.ended())
        self.assertEqual(clock.epoch_s(), START_S + 60)

    def test_work_chained_through_an_event_runs_at_the_same_moment(self):
        clock = SimClock(START_S, START_S + 10)
        event = asyncio.Event()
        seen = []

        async def sampler():
            await clock.sleep_ms(1000)
            event.set()
            await clock.sleep_ms(1000)

        async def writer():
            await event.wait()
            seen.append(clock.ticks_ms())

        run_with(clock, sampler(), writer())
        self.assertEqual(seen, [1000])

    def test_a_cancelled_sleeper_is_forgotten(self):
        clock = SimClock(START_S, START_S + 10)

        async def main():
            task = asyncio.create_task(clock.sleep_ms(5000))
            await asyncio.sleep_ms(0)
            task.cancel()
            await asyncio.sleep_ms(0)
            return len(clock._sleepers)

        self.assertEqual(asyncio.run(main()), 0)


class Pace(unittest.TestCase):
    def test_never_ahead_of_the_pace(self):
        clock = SimClock(START_S, START_S + 100, speed=1000)
        begin = time.ticks_ms()
        run_with(clock)
        self.assertGreaterEqual(time.ticks_diff(time.ticks_ms(), begin), 95)

    def test_a_restarted_node_joins_the_timeline_where_it_is(self):
        clock = SimClock(START_S, START_S + 1000, speed=10, wall_start_s=time.time() - 30)
        self.assertAlmostEqual(clock.epoch_s(), START_S + 300, delta=2)

    def test_without_a_pace_it_resumes_where_it_was(self):
        clock = SimClock(START_S, START_S + 1000, resume_s=START_S + 7.5)
        self.assertEqual((clock.ticks_ms(), clock.now_s()), (7500, START_S + 7.5))

    def test_a_slow_host_makes_the_pace_slip(self):
        clock = SimClock(START_S, START_S + 1000, speed=1000)
        seen = []

        async def slow():
            while True:
                await clock.sleep_ms(200_000)
                time.sleep_ms(600)  # the host is busy: 400 ms late for what was due after 200 ms
                seen.append(clock.epoch_s() - START_S)

        run_with(clock, slow())
        self.assertEqual(seen, [200, 400, 600, 800, 1000][: len(seen)])
        self.assertGreater(len(seen), 3)
        self.assertGreater(clock.slipped_s, 0.5)

    def test_hold_stops_virtual_time_and_counts(self):
        left = [3]

        def hold():
            left[0] -= 1
            return left[0] > 0

        clock = SimClock(START_S, START_S + 1)
        clock.hold = hold
        run_with(clock)
        self.assertTrue(clock.ended())
        self.assertGreater(clock.held_ms, 5)

    def test_the_world_owns_the_time(self):
        clock = SimClock(START_S, START_S + 1)
        clock.set_epoch_s(2_000_000_000)
        self.assertEqual((clock.epoch_s(), clock.refused_settings), (START_S, 1))


if __name__ == "__main__":
    unittest.main()
