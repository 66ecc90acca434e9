"""Every sensor driver against its simulated chip: one battery for all, see driver_battery.py."""

import os
import unittest

import driver_battery
from driver_bench import Bench
from driver_rows import all_rows, driver_module

_HERE = driver_battery.__file__.rsplit("/", 1)[0]
ROWS = all_rows()

globals().update(driver_battery.cases(ROWS))


_KINDS = {"int": int, "bool": bool, "str": str}
_WHERE = dict(driver_battery.WHERE, output_pin=15)


def _entries():
    """(name, module, DRIVER) of every driver file."""
    folder = _HERE.rsplit("/", 2)[0] + "/firmware/hedge/drivers"
    for name in sorted(os.listdir(folder)):
        if name.endswith(".py") and name != "__init__.py":
            module = driver_module(name[:-3])
            if hasattr(module, "DRIVER"):
                yield name[:-3], module, module.DRIVER


class TestDriverTables(unittest.TestCase):
    """What DRIVER says of parameters is what the class takes."""

    def setUp(self):
        self.bench = Bench()

    def tearDown(self):
        self.bench.close()

    def test_every_sensor_driver_takes_part(self):
        known = [row["driver"] for row in ROWS]
        for name, _, entry in _entries():
            if entry["kind"] == "sensor":
                self.assertIn(name, known)

    def test_every_driver_takes_its_parameters_and_defaults(self):
        for _, module, entry in _entries():
            params = entry["params"]
            bus = self.bench.board.bus(entry["bus"], _WHERE[entry["bus"]])
            getattr(module, entry["class"])(bus, **{key: params[key][1] for key in params})

    def test_defaults_are_of_their_type_and_within_their_limits(self):
        for name, _, entry in _entries():
            for key in entry["params"]:
                kind, default, lowest, highest, doc = entry["params"][key]
                self.assertIsInstance(default, _KINDS[kind], (name, key))
                size = len(default) if kind == "str" else default
                self.assertTrue(lowest <= size <= highest, (name, key))
                self.assertTrue(doc, (name, key))

    def test_the_default_address_is_a_declared_one(self):
        for name, _, entry in _entries():
            if "addr" in entry["params"]:
                self.assertIn(entry["params"]["addr"][1], entry["addrs"], name)
