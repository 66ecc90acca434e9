"""Mutated frames, acks, CBOR and SenML: only FrameError may come out. More in tests/host."""

import unittest

import wire_mutants


class TestMutants(unittest.TestCase):
    def test_only_frame_errors_come_out(self):
        accepted, refused = wire_mutants.run(400, seed=1)
        self.assertEqual(accepted + refused, 3200)
        self.assertGreater(refused, 1600)
        self.assertGreater(accepted, 50)  # else the mutants would not get far into the readers
