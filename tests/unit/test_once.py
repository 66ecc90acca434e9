"""Modules that are given back after use."""

import sys
import unittest

from hedge.core.once import forget, later

_NAME = "hedge.infer.plan"


class TestForget(unittest.TestCase):
    def test_it_is_gone_and_can_be_had_again(self):
        from hedge.infer import plan as first

        forget(_NAME)
        self.assertEqual(_NAME in sys.modules, sys.implementation.name != "micropython")
        from hedge.infer import plan as second

        self.assertEqual(second.MAGIC, first.MAGIC)

    def test_what_was_never_loaded_is_fine(self):
        forget("hedge.no_such_module")


class TestLater(unittest.TestCase):
    def test_it_calls_with_the_arguments_each_time(self):
        seen = []
        call = later(seen.append, 7)
        self.assertEqual(seen, [])
        call()
        call()
        self.assertEqual(seen, [7, 7])
