"""The example program runs as it stands, and does what the node file would."""

import sys

sys.path.append(__file__.rsplit("/", 1)[0] + "/../../firmware/apps")

import soil_node
from fake_node import JumpCase
from test_node_plan import FakeBoard, _remove, live


class TestSoilNode(JumpCase):
    def setUp(self):
        JumpCase.setUp(self)
        self.folder = "/tmp/hedge-app-%d" % id(self)

    def tearDown(self):
        JumpCase.tearDown(self)
        _remove(self.folder)

    def test_waters_dry_soil_in_the_early_morning_once(self):
        board = FakeBoard(mv=2150)
        node = soil_node.build(board, self.folder)
        live(self.clock, node, 24)
        self.assertEqual(board.pin.levels, [0, 1, 0])
        self.assertEqual(node.stats()["actuations"], 1)
        self.assertEqual(node.stats()["decisions"], 97)

    def test_wet_soil_is_left_alone(self):
        board = FakeBoard(mv=1500)
        node = soil_node.build(board, self.folder)
        live(self.clock, node, 24)
        self.assertEqual(board.pin.levels, [0])
