"""Every kind of link can be made from what a plan says of it, and offers what the uplink needs."""

import os
import unittest

from ram_flash import RamFlash

from hedge.net.link import KINDS, Link, make_link
from hedge.net.uplink import uplink_maker
from hedge.node_plan import _link_settings
from hedge.store import KV
from hedge.store.region import Region
from hedge.wire import frame

_HOST = {"host": "127.0.0.1"}
_MODEM = dict(_HOST, uart="uart0", apn="internet", power_key=22, model="sim800", carries="http")
_KEYS = {"dev_eui": "00" * 8, "join_eui": "00" * 8, "app_key": "00" * 16, "region": "EU868"}
_PLANS = {
    "mqtt": dict(_HOST, version=5),
    "umqtt": dict(_HOST, client="hedge"),
    "coap": dict(_HOST, oscore_secret="00" * 16),
    "http": dict(_HOST, user="farm", password="secret"),
    "serial": {"uart": "uart0"},
    "cellular": _MODEM,
    "lorawan": dict(_KEYS, modem=["sx1276", "spi0", 17, 9, 10, -1, 0], **{"class": "A"}),
    "espnow": {"channel": 6},
    "failover": {"links": [dict(_HOST, kind="mqtt"), dict(_MODEM, kind="cellular")]},
}


class Part:
    """A UART, a pin, a LoRa modem or an ESP-NOW radio that nothing is asked of here."""

    OUT = 1
    mac = b"\x02abcde"

    def init(self, *args, **settings):
        self.settings = settings

    def configure(self, settings):
        self.settings = settings

    calibrate_image = calibrate = standby = init


class FakeBoard:
    def __init__(self):
        self.asked = []

    def bus(self, kind, where):
        self.asked.append(kind)
        return Part()


class KindsTest(unittest.TestCase):
    def setUp(self):
        self.folder = "/tmp/link-kinds-%s" % os.urandom(4).hex()
        os.mkdir(self.folder)

    def tearDown(self):
        for name in os.listdir(self.folder):
            os.remove(self.folder + "/" + name)
        os.rmdir(self.folder)

    def settings(self, kind, volume=None):
        plan = dict(_PLANS[kind], kind=kind)
        board = FakeBoard()
        state = KV(self.folder + "/node.kv", volume=volume)
        found = _link_settings(plan, board, self.folder, state)
        if kind == "espnow":
            found["radio"] = Part()
        return found, board.asked

    def test_counters_lie_in_the_region_of_the_log(self):
        flash = RamFlash(8, 2048)
        lorawan = make_link(self.settings("lorawan", Region(flash))[0], "bed-3", b"")
        lorawan.mac.session.next_dev_nonce()
        coap = make_link(self.settings("coap", Region(flash))[0], "bed-3", b"")
        coap._secure._context.next_piv()
        self.assertEqual(os.listdir(self.folder), [])
        region = Region(flash)
        self.assertEqual(KV("lorawan.kv", volume=region).get("dev_nonce"), 4)
        self.assertEqual(KV("oscore.kv", volume=region).get("bed-3"), 64)

    def test_all_kinds_have_a_plan_here(self):
        self.assertEqual(sorted(_PLANS), sorted(KINDS))

    def test_each_is_a_link(self):
        for kind in KINDS:
            link = make_link(self.settings(kind)[0], "bed-3", b"info")
            self.assertTrue(isinstance(link, Link), kind)
            self.assertEqual(link.bytes_sent, 0)
            self.assertTrue(1 <= link.window <= 8, kind)
            self.assertTrue(link.ack_timeout_ms >= 10000, kind)
            limit = frame.HARD_MAX_BYTES
            self.assertTrue(frame.MAX_FRAME_BYTES <= link.max_frame_bytes <= limit, kind)
            for name in ("connect", "send", "recv", "close"):
                self.assertTrue(getattr(type(link), name) is not getattr(Link, name), kind)

    def test_buses_are_objects(self):
        settings, asked = self.settings("failover")
        second = settings["links"][1]
        self.assertEqual(asked, ["uart", "output_pin"])
        self.assertTrue(isinstance(second["uart"], Part) and isinstance(second["power_key"], Part))

    def test_the_failover_knows_its_uplink(self):
        class Store:
            pass

        uplink = uplink_maker(self.settings("failover")[0], Store(), "bed-3", None)(
            b"", None, None
        )
        self.assertTrue(uplink._link.uplink is uplink)


if __name__ == "__main__":
    unittest.main()
