"""Wi-Fi policy against the simulated module `network` of both ports."""

import asyncio
import sys
import time
import unittest

import micropython  # noqa: F401  gives CPython MicroPython's time functions

from hedge.core import log
from hedge.core.errors import ConfigError, LinkError
from hedge.net import setup_button, wifi_link, wifi_scan
from hedge.net.link import Link
from hedge.net.wifi import Wifi
from hedge.net.wifi_link import OverWifi
from hedgerow.emulate.wlan import Air, Network

_PORTS = ("esp32", "rp2")
_FAST = {"attempt_ms": 300, "retry_min_ms": 20, "retry_max_ms": 80, "poll_ms": 5}


async def _until(check, limit_ms=30000):
    start_ms = time.ticks_ms()
    while not check():
        if time.ticks_diff(time.ticks_ms(), start_ms) > limit_ms:
            raise AssertionError("waited %d ms in vain" % limit_ms)
        await asyncio.sleep_ms(2)


class Case(unittest.TestCase):
    def setUp(self):
        self._level, log.level = log.level, log.WARN + 1

    def tearDown(self):
        log.level = self._level

    def play(self, scenario, points, networks, ports=_PORTS, **how):
        """scenario(wifi, air, access points) for each port."""
        for port in ports:
            air = Air()
            made = [air.add(ssid, **more) for ssid, more in points]
            settings = dict(_FAST)
            settings.update(how)
            wifi = Wifi(networks, Network(air, port), **settings)
            asyncio.run(self._scenario(scenario, wifi, air, made))

    async def _scenario(self, scenario, wifi, air, made):
        task = asyncio.create_task(wifi.run())
        try:
            await scenario(wifi, air, made)
        finally:
            task.cancel()
            await asyncio.sleep_ms(1)


class TestReasons(Case):
    def refused(self, points, networks, text):
        async def scenario(wifi, air, made):
            with self.assertRaises(LinkError) as caught:
                await wifi.ready(30000)
            self.assertEqual(str(caught.exception), "Wi-Fi: " + text)

        self.play(scenario, points, networks)

    def test_wrong_password(self):
        self.refused([("farm", {"key": "right"})], [("farm", "wrong")], "farm: wrong password")

    def test_not_found(self):
        self.refused([], [("farm", "x")], "farm: not found")

    def test_no_dhcp(self):
        points = [("farm", {"dhcp": False})]
        self.refused(points, [("farm", None)], "farm: no address from DHCP")

    def test_each_network_has_its_reason(self):
        points = [("farm", {"key": "right"})]
        networks = [("farm", "wrong"), ("yard", None)]
        with_both = "farm: wrong password; yard: not found"
        self.refused(points, networks, with_both)

    def test_no_networks(self):
        with self.assertRaises(ConfigError):
            Wifi([], Network(Air(), "rp2"))

    def test_hostname_too_long(self):
        with self.assertRaises(ConfigError):
            Wifi([("farm", None)], Network(Air(), "rp2"), hostname="x" * 33).start()


class TestPolicy(Case):
    def test_takes_the_first_that_works_and_comes_back(self):
        async def scenario(wifi, air, made):
            await wifi.ready(30000)
            self.assertEqual((wifi.ssid, wifi.address), ("yard", "10.0.0.2"))
            made[0].on = False
            await _until(lambda: wifi.state != "up")
            await _until(lambda: wifi.failures)
            made[0].on = True
            await wifi.ready(30000)
            self.assertEqual((wifi.joins, wifi.losses, wifi.failures), (2, 1, {}))

        self.play(scenario, [("yard", {"key": "k"})], [("farm", "x"), ("yard", "k")])

    def test_repaired_network_is_found_after_many_failures(self):
        async def scenario(wifi, air, made):
            made[0].dhcp = False
            await _until(lambda: wifi.failures)
            made[0].dhcp = True
            await _until(lambda: wifi.state == "up")

        self.play(scenario, [("farm", {})], [("farm", None)])

    def test_settings_reach_the_radio(self):
        async def scenario(wifi, air, made):
            await wifi.ready(30000)
            self.assertEqual(wifi.address, "10.1.1.9")
            self.assertEqual(wifi._network.country(), "DE")
            self.assertEqual(wifi._network.hostname(), "bed-3")
            wanted = wifi._network.WLAN.PM_POWERSAVE
            self.assertEqual(wifi.wlan.settings["pm"], wanted)

        static = ("10.1.1.9", "255.255.255.0", "10.1.1.1", "10.1.1.1")
        how = {"country": "DE", "hostname": "bed-3", "power": "powersave", "static": static}
        self.play(scenario, [("farm", {"dhcp": False})], [("farm", None)], **how)

    def test_address_change_ends_sessions(self):
        told = []

        async def scenario(wifi, air, made):
            await wifi.ready(30000)
            told.clear()
            made[0].address = "10.0.0.77"
            await _until(lambda: len(told) == 2)
            self.assertEqual(told, [(False, "address changed"), (True, "farm")])

        how = {"on_change": lambda up, why: told.append((up, why))}
        self.play(scenario, [("farm", {})], [("farm", None)], **how)


async def _forever():
    await asyncio.Event().wait()


async def _scan(wlan):
    return wlan.scan()


class TestSignal(Case):
    def test_heard_networks_first_strongest_access_point(self):
        rows = [
            (b"yard", b"aaaaaa", 1, -80, 3, False),
            (b"yard", b"bbbbbb", 6, -50, 3, False),
        ]
        found = wifi_scan.order([("farm", "x"), ("yard", "k")], rows)
        self.assertEqual(found, [("yard", "k", b"bbbbbb"), ("farm", "x", None)])
        self.assertEqual(wifi_scan.better(rows, "yard", b"aaaaaa", -80), b"bbbbbb")
        self.assertEqual(wifi_scan.better(rows, "yard", b"bbbbbb", -50), None)
        self.assertEqual(wifi_scan.better(rows, "yard", b"aaaaaa", -57), None)

    def test_names_for_the_set_up_page(self):
        rows = [
            (ssid, b"aaaaaa", 1, -80, 3, False) for ssid in (b"yard", b"", b"yard\xe9", b"a", b"a")
        ]
        self.assertEqual(wifi_scan.names_heard(rows), ["a", "yard"])

    def test_roams_when_weak(self):
        async def scenario(wifi, air, made):
            await wifi.ready(30000)
            self.assertEqual(wifi.wlan.connects[-1], ("farm", made[0].bssid))
            made[0].rssi, made[1].rssi = -85, -60
            await _until(lambda: wifi.joins == 2)
            self.assertEqual(wifi.wlan.connects[-1], ("farm", made[1].bssid))

        points = [("farm", {"rssi": -50}), ("farm", {"rssi": -70})]
        self.play(scenario, points, [("farm", None)], scan=_scan, roam_ms=20)


class FakeLink(Link):
    def __init__(self):
        self.open = False
        self._closed = asyncio.Event()

    async def connect(self):
        self.open = True
        self._closed.clear()
        return True

    async def send(self, frame):
        pass

    async def recv(self):
        await self._closed.wait()
        raise LinkError("not connected")

    async def close(self):
        self.open = False
        self._closed.set()


class TestLink(Case):
    def test_what_the_plan_says_reaches_the_radio(self):
        network = Network(Air(), "rp2")
        sys.modules["network"] = network
        try:
            table = {"networks": [["farm", "k"]], "hostname": "bed-3", "power": "none"}
            table["static"] = ["10.1.1.9", "255.255.255.0", "10.1.1.1", "10.1.1.1"]
            link, second = [wifi_link.over_wifi(FakeLink(), table) for _ in range(2)]
            self.assertTrue(link._wifi is second._wifi)
            self.assertEqual((network.hostname(), network.WLAN().settings["pm"]), ("bed-3", 0x10))
        finally:
            del sys.modules["network"]
            wifi_link._wifi = None

    def test_a_button_alone_asks_for_the_set_up_page(self):
        """Without setup_after: no number of vain rounds opens it."""

        class Pin:
            IN, PULL_UP = 0, 1

            def init(self, mode, pull):
                pass

            def value(self):
                return 0  # held

        async def scenario():
            wifi_link.over_wifi(FakeLink(), {"networks": [["farm", "k"]], "setup_button": Pin()})
            wifi = wifi_link._wifi
            asked = []

            async def setup(wifi):
                asked.append(wifi.state)
                await _forever()

            self.assertTrue(wifi._setup)
            wifi._setup = setup
            wifi_link._keep_running(wifi)
            await _until(lambda: asked, 12000)
            self.assertEqual(wifi.state, "waiting")
            wifi.task.cancel()

        network = Network(Air(), "rp2")
        sys.modules["network"] = network
        watch = setup_button.watch
        setup_button.watch = lambda pin, wifi: watch(pin, wifi, 20, 5)
        try:
            asyncio.run(asyncio.wait_for(scenario(), 20))
        finally:
            setup_button.watch = watch
            del sys.modules["network"]
            wifi_link._wifi = wifi_link._button = None

    def test_session_ends_with_the_network_and_says_why(self):
        async def scenario(wifi, air, made):
            wifi.task = asyncio.create_task(_forever())  # run() is under way already
            inner = FakeLink()
            link = OverWifi(inner, wifi, 4000)
            self.assertEqual(await link.connect(), True)
            made[0].on = False
            with self.assertRaises(LinkError) as caught:
                await asyncio.wait_for_ms(link.recv(), 4000)
            self.assertEqual(str(caught.exception)[:7], "Wi-Fi: ")
            self.assertFalse(inner.open)
            with self.assertRaises(LinkError):
                await link.connect()
            made[0].on = True
            while True:
                try:
                    self.assertEqual(await link.connect(), True)
                    break
                except LinkError:
                    pass
            await link.send(b"x")
            wifi.task.cancel()

        self.play(scenario, [("farm", {})], [("farm", None)])


if __name__ == "__main__":
    unittest.main()
