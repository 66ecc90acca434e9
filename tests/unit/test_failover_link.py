"""Several links as one: when it changes, when it comes back, and that nothing is lost over it."""

import asyncio
import unittest

from fake_uplink import FakeGateway, FakeLink, FakeStore
from quiet_case import QuietCase

from hedge.core.errors import LinkError
from hedge.net.failover_link import FailoverLink
from hedge.net.uplink import Uplink


class _Case(QuietCase):
    def setUp(self):
        QuietCase.setUp(self)
        self.gateway = FakeGateway()
        self.first, self.second = FakeLink(self.gateway), FakeLink(self.gateway)
        self.made = []
        self.link = self.failover(after_failures=2, after_s=60, return_s=60)

    def failover(self, **options):
        return FailoverLink([self._maker(0), self._maker(1)], ["first", "second"], **options)

    def _maker(self, at):
        def make():
            self.made.append(at)
            return (self.first, self.second)[at]

        return make


class LinkTest(_Case):
    def test_the_second_is_not_even_made_while_the_first_works(self):
        async def scenario():
            self.first.kept = True
            self.assertFalse(await self.link.connect())  # nothing was before
            await self.link.close()
            self.assertTrue(await self.link.connect())
            await self.link.close()

        asyncio.run(scenario())
        self.assertEqual(self.made, [0])

    def test_after_two_failures_the_second_carries_on_at_once(self):
        self.first.refuse = True
        self.second.kept = True

        async def scenario():
            with self.assertRaises(LinkError):
                await self.link.connect()
            self.assertFalse(await self.link.connect())  # kept means nothing on another link
            self.assertEqual((self.link.at, self.link.switches), (1, 1))
            await self.link.close()

        asyncio.run(scenario())
        self.assertEqual(self.first.connects, 2)

    def test_hurry_is_that_of_the_link_in_use(self):
        self.first.refuse = True
        self.second.hurry = asyncio.Event()

        async def scenario():
            self.assertIs(self.link.hurry, None)
            with self.assertRaises(LinkError):
                await self.link.connect()
            await self.link.connect()
            self.assertIs(self.link.hurry, self.second.hurry)
            await self.link.close()

        asyncio.run(scenario())

    def test_sessions_without_an_ack_are_failures(self):
        async def scenario():
            for _ in range(2):
                await self.link.connect()
                self.first.break_it()
                with self.assertRaises(LinkError):
                    await self.link.recv()
                await self.link.close()
            self.assertEqual(self.link.at, 1)

        asyncio.run(scenario())

    def test_an_ack_makes_failures_forgotten(self):
        async def scenario():
            for _ in range(5):
                await self.link.connect()
                self.first.answer(b"ack")
                self.assertEqual(await self.link.recv(), b"ack")
                self.first.break_it()
                with self.assertRaises(LinkError):
                    await self.link.recv()
                await self.link.close()
            self.assertEqual(self.link.at, 0)

        asyncio.run(scenario())

    def test_failing_for_long_counts_as_often(self):
        link = self.failover(after_failures=100, after_s=0)
        self.first.refuse = True

        async def scenario():
            await link.connect()
            self.assertEqual(link.at, 1)
            await link.close()

        asyncio.run(scenario())

    def test_where_all_fail_each_has_its_turn(self):
        self.first.refuse = self.second.refuse = True

        async def scenario():
            for _ in range(9):
                with self.assertRaises(LinkError):
                    await self.link.connect()

        asyncio.run(scenario())
        self.assertTrue(self.first.connects >= 4, self.first.connects)
        self.assertTrue(self.second.connects >= 4, self.second.connects)

    def test_coming_back_ends_the_session_and_the_better_link_is_open_already(self):
        link = self.failover(after_failures=1, return_s=0.02)
        self.first.refuse = True

        async def scenario():
            await link.connect()
            self.assertEqual(link.at, 1)
            await asyncio.sleep_ms(50)
            self.first.refuse = False
            with self.assertRaises(LinkError) as caught:
                await asyncio.wait_for_ms(link.recv(), 5000)
            self.assertEqual(str(caught.exception), "first is back")
            await link.close()
            connects = self.first.connects
            self.assertFalse(await link.connect())
            self.assertEqual((link.at, self.first.connects), (0, connects))
            await link.close()

        asyncio.run(scenario())

    def test_coming_back_to_a_broker_that_ends_the_other_session_first(self):
        """One client name is connected once: the old session ends before the new one is told."""
        link = self.failover(after_failures=1, return_s=0.02)
        self.first.refuse = True
        connect = self.first.connect

        async def taking_over():
            kept = await connect()
            self.second.break_it()
            await asyncio.sleep_ms(50)
            return kept

        async def scenario():
            await link.connect()
            await asyncio.sleep_ms(50)
            self.first.refuse, self.first.connect = False, taking_over
            with self.assertRaises(LinkError):
                await asyncio.wait_for_ms(link.recv(), 5000)
            await link.close()
            connects = self.first.connects
            await link.connect()
            self.assertEqual((link.at, self.first.connects), (0, connects))
            await link.close()

        asyncio.run(scenario())

    def test_a_link_that_waits_is_closed_by_the_second_close(self):
        link = self.failover(after_failures=1, return_s=0.01)
        self.first.refuse = True

        async def scenario():
            await link.connect()
            self.first.refuse = False
            with self.assertRaises(LinkError):
                await asyncio.wait_for_ms(link.recv(), 5000)
            await link.close()
            closes = self.first.closes
            await link.close()
            self.assertEqual(self.first.closes, closes + 1)
            await link.close()
            self.assertEqual(self.first.closes, closes + 1)

        asyncio.run(scenario())

    def test_not_connected(self):
        async def scenario():
            await self.link.send(b"x")

        with self.assertRaises(LinkError):
            asyncio.run(scenario())


class UplinkTest(_Case):
    """The uplink over both, the first dying and coming back while records are made."""

    def test_nothing_is_lost_or_twice_over_changes_of_the_link(self):
        link = self.failover(after_failures=2, return_s=0.05)
        store = FakeStore()
        uplink = Uplink(link, store, "bed-3", ack_timeout_ms=100, retry_min_ms=5, retry_max_ms=20)

        async def settle(at):
            for _ in range(1000):
                if link.at == at and not store.rows:
                    return
                await asyncio.sleep_ms(5)
            self.fail("at %d, %d rows left" % (link.at, len(store.rows)))

        async def scenario():
            task = asyncio.create_task(uplink.run())
            for i in range(40):
                store.append(i % 3, b"record %d" % i)
                uplink.wake()
                await asyncio.sleep_ms(2)
                if i in (10, 25):
                    self.first.refuse = True
                    self.first.break_it()
                if i in (18, 33):
                    store.append(0, b"before the change %d" % i)
                    uplink.wake()
                    await settle(1)
                    self.first.refuse = False
                    await settle(0)
            await settle(0)
            task.cancel()

        asyncio.run(scenario())
        self.assertEqual(link.switches, 4)
        self.assertEqual(len(self.gateway.rows), 42)
        payloads = sorted(self.gateway.rows.values())
        self.assertEqual(len(set(payloads)), 42)
        self.assertTrue(self.second.sent != [])

    def test_limits_are_those_of_the_link_in_use(self):
        self.link = self.failover(after_failures=1)
        self.link.uplink = uplink = Uplink(self.link, FakeStore(), "bed-3")
        self.first.refuse = True
        self.second.window, self.second.ack_timeout_ms = 2, 99000

        async def scenario():
            await self.link.connect()
            limits = uplink.window, uplink.ack_timeout_ms
            await self.link.close()
            return limits

        self.assertEqual(asyncio.run(scenario()), (2, 99000))


if __name__ == "__main__":
    unittest.main()
