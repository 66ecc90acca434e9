"""SNTP packets, and what becomes of the clock: slew, step, doubt, drift."""

import asyncio
import time
import unittest

import micropython  # noqa: F401  gives CPython MicroPython's time functions
from fake_node import FakeState
from quiet_case import QuietCase

from hedge.core import clock
from hedge.core.errors import FrameError, LinkError
from hedge.net import sntp, sntp_packet
from hedge.net.sntp import Sntp

_COOKIE = b"\x11\x22\x33\x44\x55\x66\x77\x88"
_NOW_S = 1790000000
_SINCE_1900_S = 2208988800


def _stamp(ms):
    s = ms // 1000 + _SINCE_1900_S
    half = (ms % 1000 * 65536 + 999) // 1000
    seconds = bytes((s >> 24 & 255, s >> 16 & 255, s >> 8 & 255, s & 255))
    return seconds + bytes((half >> 8, half & 255, 0, 0))


def answer(sent_ms, cookie=_COOKIE, first=0x24, stratum=2, root=bytes(8), ident=b"GPS\x00"):
    head = bytes((first, stratum, 6, 0xEC)) + root + ident + bytes(8)
    return head + cookie + _stamp(sent_ms) + _stamp(sent_ms)


class TestPacket(unittest.TestCase):
    def test_request(self):
        data = sntp_packet.request(_COOKIE)
        self.assertEqual((len(data), data[0], data[40:]), (48, 0x23, _COOKIE))

    def test_times(self):
        for ms in (_NOW_S * 1000 + 250, 2085978496000 + 5, 3000000000000):  # before 2036, after
            self.assertEqual(sntp_packet.reply(answer(ms), _COOKIE), (ms, ms))

    def test_malformed_or_anothers(self):
        good = answer(_NOW_S * 1000)
        for data in (
            b"",
            good[:47],
            answer(_NOW_S * 1000, cookie=bytes(8)),
            answer(_NOW_S * 1000, first=0x23),  # a client's
            answer(_NOW_S * 1000, first=0x14),  # version 2
            good[:40] + bytes(8),
            good[:32] + _stamp(_NOW_S * 1000 + 5000) + good[40:],  # sent before it came
        ):
            with self.assertRaises(FrameError):
                sntp_packet.reply(data, _COOKIE)

    def test_servers_that_do_not_know(self):
        for how in (
            {"first": 0xE4},
            {"stratum": 16},
            {"root": b"\x00\x01\x00\x00" + bytes(4)},
            {"root": bytes(4) + b"\x00\x01\x00\x00"},
        ):
            with self.assertRaises(LinkError):
                sntp_packet.reply(answer(_NOW_S * 1000, **how), _COOKIE)

    def test_kiss_of_death(self):
        with self.assertRaises(sntp_packet.Refused) as caught:
            sntp_packet.reply(answer(0, stratum=0, ident=b"RATE"), _COOKIE)
        self.assertEqual(caught.exception.code, "RATE")


def _wrapped(ms):
    """Ticks as a board has them."""
    return time.ticks_add(ms, 0)


class Clock:
    """Device time by hand."""

    def __init__(self, now_s):
        self.now_s = now_s
        self.sets = []

    def epoch_s(self):
        return self.now_s

    def set_epoch_s(self, now_s):
        self.sets.append(now_s)
        self.now_s = now_s


class Case(QuietCase):
    def setUp(self):
        QuietCase.setUp(self)
        self.use(_NOW_S)

    def use(self, now_s):
        if not hasattr(self, "_former"):
            self._former = clock._source
        self.clock = Clock(now_s)
        clock.use(self.clock)

    def tearDown(self):
        clock.use(self._former)
        QuietCase.tearDown(self)


class TestPolicy(Case):
    def test_unknown_time_is_set_at_once(self):
        self.use(0)
        told = []
        made = Sntp(["a"], on_clock=lambda before, after: told.append((before, after)))
        made._take(1000, _NOW_S * 1000 + 400)
        self.assertEqual((self.clock.sets, told), ([_NOW_S], [(0, _NOW_S)]))

    def test_a_small_error_goes_second_by_second(self):
        told = []
        made = Sntp(["a"], on_clock=lambda *times: told.append(times))
        made._take(0, (_NOW_S + 3) * 1000)
        self.assertEqual((self.clock.sets, told), ([], []))
        for i in range(1, 6):
            self.clock.now_s += 10
            made.nudge(i * 10000)
        self.assertEqual(self.clock.now_s, _NOW_S + 53)
        self.assertEqual(len(self.clock.sets), 3)
        self.assertEqual(told, [])

    def test_backwards_too(self):
        made = Sntp(["a"])
        made._take(0, (_NOW_S - 2) * 1000)
        seen = []
        for i in range(1, 5):
            self.clock.now_s += 10
            made.nudge(i * 10000)
            seen.append(self.clock.now_s)
        self.assertEqual(seen, [_NOW_S + 9, _NOW_S + 18, _NOW_S + 28, _NOW_S + 38])

    def test_a_large_error_needs_two_answers(self):
        told = []
        made = Sntp(["a"], on_clock=lambda *times: told.append(times))
        made._take(0, (_NOW_S + 86400) * 1000)
        self.assertEqual((self.clock.sets, made.syncs), ([], 0))
        self.clock.now_s += 4
        made._take(4000, (_NOW_S + 86404) * 1000)
        self.assertEqual(self.clock.sets, [_NOW_S + 86404])
        self.assertEqual(told, [(_NOW_S + 4, _NOW_S + 86404)])

    def test_one_wild_answer_changes_nothing(self):
        made = Sntp(["a"])
        made._take(0, (_NOW_S + 86400) * 1000)
        self.clock.now_s += 4
        made._take(4000, (_NOW_S + 4) * 1000)
        made.nudge(4000)
        self.assertEqual((self.clock.sets, made.syncs), ([], 1))

    def test_drift_is_learnt_kept_and_used_without_a_server(self):
        kv = FakeState()
        made = Sntp(["a"], kv)
        true_ms, now_ms = _NOW_S * 1000, 0
        for _ in range(24):  # ticks 40 ppm slow
            made._take(now_ms, true_ms)
            now_ms, true_ms = now_ms + 3600000, true_ms + 3600144
            self.clock.now_s = true_ms // 1000
        self.assertTrue(39 < made.drift_ppm < 41)
        self.assertTrue(kv.saves > 0)
        made._take(now_ms, true_ms)
        again = Sntp(["a"], kv)
        again._take(0, true_ms)
        for day in range(1, 11):  # ten days alone: 35 s off without the estimate
            again.nudge(_wrapped(day * 86400000))
        alone_ms = again.time_ms(_wrapped(10 * 86400000)) - true_ms
        self.assertTrue(abs(alone_ms - 864034560) < 1000)

    def test_ticks_that_stood_still_are_not_drift(self):
        made = Sntp(["a"])
        made._take(0, _NOW_S * 1000)
        self.clock.now_s += 7200
        made._take(3600000, (_NOW_S + 7200) * 1000)
        self.assertEqual(made.drift_ppm, None)

    def test_a_steered_clock_is_left_alone(self):
        self.use(0)
        self.clock.set_epoch_s = lambda now_s: None
        made = Sntp(["a"])
        made._take(0, _NOW_S * 1000)
        self.assertFalse(made._steerable)


class Net:
    """answers: {server: function of the request -> list of datagrams}."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []
        self.open = 0

    async def __call__(self, server):
        self.asked.append(server)
        self.open += 1
        return _Socket(self, self.answers[server])


class _Socket:
    def __init__(self, net, reply):
        self._net = net
        self._reply = reply
        self._waiting = []

    def send(self, data, addr):
        self._waiting = list(self._reply(data))

    async def recv(self):
        while not self._waiting:
            await asyncio.sleep_ms(10)
        return self._waiting.pop(0), None

    def close(self):
        self._net.open -= 1


def _good(data):
    return [answer(_NOW_S * 1000, bytes(data[40:48]))]


class TestServers(Case):
    def setUp(self):
        super().setUp()
        self._open, self._timeout_ms = sntp._open, sntp._TIMEOUT_MS
        sntp._TIMEOUT_MS = 50

    def tearDown(self):
        sntp._open, sntp._TIMEOUT_MS = self._open, self._timeout_ms
        super().tearDown()

    def sync(self, **answers):
        net = sntp._open = Net(answers)
        made = Sntp(sorted(answers))
        known = asyncio.run(made.sync())
        self.assertEqual(net.open, 0)
        return known, made, net

    def test_the_next_server_stands_in(self):
        wrong = answer(_NOW_S * 1000)
        known, made, net = self.sync(a=lambda d: [], b=lambda d: [wrong], c=_good)
        self.assertEqual((known, made.syncs, net.asked), (True, 1, ["a", "b", "c"]))

    def test_no_server_changes_nothing(self):
        known, made, _ = self.sync(a=lambda d: [], b=lambda d: [b"", bytes(48)])
        self.assertEqual((known, made.syncs, self.clock.sets), (False, 0, []))

    def test_deny_is_never_asked_again_rate_less_often(self):
        def kiss(code):
            return lambda d: [answer(0, bytes(d[40:48]), stratum=0, ident=code)]

        known, made, net = self.sync(a=kiss(b"DENY"), b=kiss(b"RATE"), c=_good)
        self.assertEqual((known, made.refused, made._poll_s), (True, 2, 7200))
        asyncio.run(made.sync())
        self.assertEqual(net.asked, ["a", "b", "c", "b", "c"])

    def test_when_all_have_denied_the_drift_goes_on_correcting(self):
        async def play():
            made = Sntp([], slew_every_ms=1)
            nudged = []
            made.nudge = nudged.append
            task = asyncio.create_task(made.run())
            for _ in range(1000):
                if nudged:
                    break
                await asyncio.sleep_ms(1)
            task.cancel()
            return nudged

        self.assertTrue(asyncio.run(play()))


if __name__ == "__main__":
    unittest.main()
