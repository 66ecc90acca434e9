"""The network link of safe mode, with fakes of network and webrepl."""

import json
import sys
import unittest

import store_folder

import hedge

sys.path.append(hedge.__file__.rsplit("/", 2)[0] + "/boot")
import hedge_safe
from hedge_safe import open_link

LINK = {"ssid": "farm", "key": "secret", "password": "gate"}


class FakeNetwork:
    """Joins at the nth look; n is None: never."""

    STA_IF = 0

    def __init__(self, n):
        self._left = n
        self.joined = None

    def WLAN(self, which):
        return self

    def active(self, on):
        self.on = on

    def connect(self, ssid, key):
        self.joined = (ssid, key)

    def isconnected(self):
        if self._left is None:
            return False
        self._left -= 1
        return self._left < 0

    def ifconfig(self):
        return ("10.0.0.7", "255.255.255.0", "10.0.0.1", "10.0.0.1")


class FakeWebrepl:
    password = None

    def start(self, password):
        self.password = password


class TestOpenLink(unittest.TestCase):
    def setUp(self):
        hedge_safe._LOOK_MS = 1
        self.folder = store_folder.fresh("safe")
        self.path = self.folder + "/link.json"
        self.webrepl = FakeWebrepl()

    def tearDown(self):
        store_folder.clear(self.folder)

    def open(self, network, text=None):
        if text is not None:
            store_folder.put(self.path, text.encode())
        return open_link(self.path, network, self.webrepl, 5)

    def test_it_joins_and_listens(self):
        network = FakeNetwork(2)
        self.assertEqual(self.open(network, json.dumps(LINK)), "10.0.0.7")
        self.assertEqual(network.joined, ("farm", "secret"))
        self.assertEqual(self.webrepl.password, "gate")

    def test_without_the_file_nothing_is_opened(self):
        network = FakeNetwork(0)
        self.assertIsNone(self.open(network))
        self.assertIsNone(network.joined)

    def test_a_network_that_does_not_answer_ends_after_a_while(self):
        self.assertIsNone(self.open(FakeNetwork(None), json.dumps(LINK)))
        self.assertIsNone(self.webrepl.password)

    def test_bad_files_open_nothing_and_raise_nothing(self):
        for text in ("", "{", "[]", "7", '{"ssid": "x"}'):
            network = FakeNetwork(0)
            self.assertIsNone(self.open(network, text))
            self.assertIsNone(network.joined)

    def test_a_port_without_network_raises_nothing(self):
        self.assertIsNone(self.open(object(), json.dumps(LINK)))


if __name__ == "__main__":
    unittest.main()
