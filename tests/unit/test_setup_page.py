"""The set-up page: parsers, what a form may hold, and the course of a set-up without sockets."""

import asyncio
import os
import unittest

import micropython  # noqa: F401  gives CPython MicroPython's time functions

from hedge.core import log
from hedge.core.errors import FrameError
from hedge.net import setup_dns, setup_http, setup_page, setup_saved
from hedge.net.setup import Portal, fault_of
from hedge.net.setup_button import watch
from hedge.net.wifi import Wifi
from hedgerow.emulate.wlan import Air, Network

_PATH = "test-setup.kv"
_ENTRY = {"ssid": "farm", "key": "secret password", "name": "bed-3", "host": "gateway.farm"}


class TestHttp(unittest.TestCase):
    def test_head(self):
        data = b"POST /save?x=1 HTTP/1.1\r\nHost: a\r\ncontent-length:  12 \r\nX:y"
        self.assertEqual(setup_http.head(data), ("POST", "/save", 12))

    def test_malformed(self):
        for data in (
            b"",
            b"GET /",
            b"GET / HTTP/2",
            b"GET / HTTP/1.1\r\nContent-Length: 99999",
            b"GET / HTTP/1.1\r\nContent-Length: -1",
            b"GET / HTTP/1.1\r\nContent-Length: ",
            b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked",
            b"GET /\xff HTTP/1.1",
        ):
            with self.assertRaises(FrameError):
                setup_http.head(data)

    def test_form(self):
        data = b"ssid=Hof+%26+Garten%2b%C3%A4&key=&=x&novalue&ssid2=a%3Db=c"
        want = {"ssid": "Hof & Garten+\u00e4", "key": "", "ssid2": "a=b=c"}
        self.assertEqual(setup_http.form(data), want)
        for wrong in (b"a=%", b"a=%2", b"a=%zz", b"a=%ff", b"&" * 20):
            with self.assertRaises(FrameError):
                setup_http.form(wrong)

    def test_nothing_entered_becomes_markup(self):
        evil = "<script>\"'&"
        page = setup_page.form_page({"ssid": evil, "name": evil, "host": evil}, [evil], evil)
        self.assertFalse("<script>" in page)
        self.assertTrue("&lt;script&gt;&quot;&#39;&amp;" in page)


class TestDns(unittest.TestCase):
    def test_every_name_leads_here(self):
        question = b"\x07connect\x05check\x00\x00\x01\x00\x01"
        data = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + question
        found = setup_dns.reply(data + b"more", b"\xc0\xa8\x04\x01")
        self.assertEqual(found[:12], b"\x12\x34\x85\x80\x00\x01\x00\x01" + bytes(4))
        self.assertEqual(found[-4:], b"\xc0\xa8\x04\x01")

    def test_other_types_get_no_address(self):
        data = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x01a\x00\x00\x1c\x00\x01"
        self.assertEqual(setup_dns.reply(data, b"\x01\x02\x03\x04")[6:8], b"\x00\x00")

    def test_no_question(self):
        for data in (b"", bytes(17), bytes(600), b"\x00\x00\x80\x00\x00\x01" + bytes(30)):
            self.assertEqual(setup_dns.reply(data, b"\x01\x02\x03\x04"), None)
        endless = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x3f" * 40
        self.assertEqual(setup_dns.reply(endless, b"\x01\x02\x03\x04"), None)

    def test_an_answer_that_cannot_be_sent_does_not_end_the_names(self):
        question = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x01a\x00\x00\x01\x00\x01"

        class Udp:
            sent = []

            async def recv(self):
                await asyncio.sleep_ms(1)
                return question, len(self.sent)

            def send(self, data, addr):
                self.sent.append(addr)
                if addr == 0:
                    raise OSError(22)

        async def scenario():
            task = asyncio.create_task(Portal(None, {}, _PATH)._answer_names(Udp(), bytes(4)))
            for _ in range(200):
                if len(Udp.sent) > 2:
                    break
                await asyncio.sleep_ms(10)
            task.cancel()

        asyncio.run(scenario())
        self.assertTrue(len(Udp.sent) > 2)


class TestEntries(unittest.TestCase):
    def test_what_fits(self):
        self.assertEqual(fault_of(_ENTRY), "")

    def test_what_does_not(self):
        for key, value in (
            ("ssid", ""),
            ("ssid", "x" * 33),
            ("key", "short"),
            ("name", "Bed 3"),
            ("name", ""),
            ("host", "http://a/"),
        ):
            wrong = dict(_ENTRY)
            wrong[key] = value
            self.assertTrue(fault_of(wrong), key)


class TestCourse(unittest.TestCase):
    def setUp(self):
        self._level, log.level = log.level, log.WARN + 1

    def tearDown(self):
        log.level = self._level
        try:
            os.remove(_PATH)
        except OSError:
            pass  # this test saved nothing

    def play(self, key, entry):
        """(pages after trying, portal) of one entry at an access point with that key."""

        async def scenario():
            air = Air()
            air.add("farm", key=key)
            wifi = Wifi([("old", "x")], Network(air, "rp2"), poll_ms=5, attempt_ms=300)
            wifi.start()
            portal = Portal(wifi, {"name": "bed-3"}, _PATH)
            said = portal._answer("POST", "/save", entry)
            self.assertTrue(b"303 See Other" in said)
            for _ in range(100):
                if not portal._trying:
                    break
                await asyncio.sleep_ms(10)
            return portal._answer("GET", "/status", {}).decode(), portal

        return asyncio.run(scenario())

    def test_right_password_is_saved(self):
        page, portal = self.play("secret password", _ENTRY)
        self.assertTrue("bed-3 is connected to farm with the address 10.0.0.2" in page)
        self.assertTrue(portal._done.is_set())
        plan = {
            "node": {"name": "x"},
            "wifi": {"networks": [["old", "k"], ["farm", "wrong"]]},
            "uplink": {"kind": "mqtt", "host": "before"},
        }
        setup_saved.overlay(plan, _PATH)
        self.assertEqual(plan["node"]["name"], "bed-3")
        self.assertEqual(plan["wifi"]["networks"], [["farm", "secret password"], ["old", "k"]])
        self.assertEqual(plan["uplink"]["host"], "gateway.farm")

    def test_wrong_password_is_told_and_not_saved_nor_shown(self):
        page, portal = self.play("another password", _ENTRY)
        self.assertTrue("farm: wrong password" in page)
        self.assertFalse("secret password" in page)
        self.assertFalse(portal._done.is_set())
        plan = {"node": {"name": "x"}}
        setup_saved.overlay(plan, _PATH)
        self.assertEqual(plan, {"node": {"name": "x"}})

    def test_a_bad_entry_is_told_at_once(self):
        page, _ = self.play("k", {"ssid": "farm", "name": "Bed 3"})
        self.assertTrue("1 to 24 of a-z" in page)

    def test_a_page_that_cannot_be_served_leaves_no_access_point(self):
        said = []

        class AccessPoint:
            IF_AP = 1

            def __init__(self, _):
                self.active = said.append

            def config(self, **_):
                pass

            def ifconfig(self):
                return ("192.168.4.1",)

        class OfRadio:
            class network:
                WLAN = AccessPoint

            def start(self):
                pass

        async def refuse(*_):
            raise OSError(98)

        start_server, asyncio.start_server = asyncio.start_server, refuse
        try:
            with self.assertRaises(OSError):
                asyncio.run(Portal(OfRadio(), {}, _PATH).run(100))
        finally:
            asyncio.start_server = start_server
        self.assertEqual(said, [True, False])

    def test_other_addresses_lead_to_the_page(self):
        portal = Portal(None, {}, _PATH)
        said = portal._answer("GET", "/hotspot-detect.html", {})
        self.assertTrue(b"302 Found" in said and b"Location: http://192.168.4.1/\r\n" in said)


class _Pin:
    """machine.Pin of a button: value() is 0 while it is held."""

    IN, PULL_UP = 0, 1

    def __init__(self):
        self.up = 1
        self.set_up = None

    def init(self, mode, pull):
        self.set_up = mode, pull

    def value(self):
        return self.up


class TestButton(unittest.TestCase):
    def test_held_long_enough_asks_once_each_time(self):
        asked = []

        class Asked:
            def ask_setup(self):
                asked.append(pin.up)

        async def scenario():
            task = asyncio.create_task(watch(pin, Asked(), hold_ms=20, poll_ms=5))
            for held_ms, times in ((8, 0), (60, 1), (60, 2)):
                pin.up = 0
                await asyncio.sleep_ms(held_ms)
                while len(asked) < times:  # a busy machine polls late
                    await asyncio.sleep_ms(5)
                pin.up = 1
                await asyncio.sleep_ms(60)
                self.assertEqual(len(asked), times)
            task.cancel()

        pin = _Pin()
        level, log.level = log.level, log.WARN + 1
        asyncio.run(asyncio.wait_for(scenario(), 60))
        log.level = level
        self.assertEqual((pin.set_up, asked), ((0, 1), [0, 0]))


class TestWhen(unittest.TestCase):
    def test_at_once_where_no_network_is_known(self):
        asked = []

        async def setup(wifi):
            asked.append(wifi.reason)

        async def scenario():
            wifi = Wifi([], Network(Air(), "rp2"), poll_ms=2, setup=setup, setup_after=5)
            task = asyncio.create_task(wifi.run())
            while not asked:
                await asyncio.sleep_ms(2)
            task.cancel()

        asyncio.run(asyncio.wait_for(scenario(), 60))
        self.assertEqual(asked, ["no network set up"])

    def test_after_vain_rounds_and_when_asked(self):
        asked = []

        async def setup(wifi):
            asked.append(wifi.state)

        async def scenario():
            air = Air(join_ms=5, dhcp_ms=5)
            point = air.add("farm")
            point.on = False
            wifi = Wifi(
                [("farm", None)],
                Network(air, "rp2"),
                poll_ms=2,
                retry_min_ms=4,
                retry_max_ms=4,
                setup=setup,
                setup_after=3,
            )
            task = asyncio.create_task(wifi.run())
            while not asked:
                await asyncio.sleep_ms(2)
            self.assertTrue(wifi._rounds >= 3)
            point.on = True
            await wifi.ready(4000)
            wifi.ask_setup()
            while len(asked) < 2:
                await asyncio.sleep_ms(2)
            task.cancel()

        level, log.level = log.level, log.WARN + 1
        asyncio.run(asyncio.wait_for(scenario(), 60))
        log.level = level
        self.assertEqual(asked, ["waiting", "up"])


if __name__ == "__main__":
    unittest.main()
