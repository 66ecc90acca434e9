"""Some power cuts in the counters of links; tests/faults/store does all of many workloads."""

import unittest

import counter_cuts

from hedge.core import log


class TestCounterCuts(unittest.TestCase):
    def setUp(self):
        log.level = log.WARN + 1

    def tearDown(self):
        log.level = log.INFO

    def test_in_the_region_of_the_log(self):
        self.assertGreater(counter_cuts.check_all(counter_cuts.Raw, 1, step=3), 100)

    def test_in_files(self):
        self.assertGreater(counter_cuts.check_all(counter_cuts.Files, 2, step=13), 60)
