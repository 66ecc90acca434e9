"""The catalog says what the drivers are: modules, parameters, defaults, channels."""

import unittest
from array import array

import machine
from driver_bench import Bench, read

from hedge.drivers.catalog import DRIVERS
from hedgerow.emulate.chips.bme280 import BME280
from hedgerow.emulate.chips.ds18b20 import DS18B20

_WHERE = {"adc": 26, "i2c": "i2c0", "onewire": 16, "output_pin": 15}


def _build(bench, entry, **params):
    name = entry["module"]
    module = getattr(__import__("hedge.drivers." + name).drivers, name)
    bus = bench.board.bus(entry["bus"], _WHERE[entry["bus"]])
    return getattr(module, entry["class"])(bus, **params)


class TestCatalog(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        machine.attach_adc(26, 1650)
        machine.attach_i2c(0, 0x76, BME280(self.bench.now_ms))
        machine.attach_onewire(16, DS18B20(self.bench.now_ms))

    def tearDown(self):
        self.bench.close()

    def test_every_driver_takes_its_parameters_and_defaults(self):
        for name in DRIVERS:
            params = DRIVERS[name]["params"]
            defaults = {key: params[key][1] for key in params}
            _build(self.bench, DRIVERS[name], **defaults)

    def test_every_sensor_fills_its_channels_within_the_declared_range(self):
        for name in DRIVERS:
            entry = DRIVERS[name]
            if entry["kind"] != "sensor":
                continue
            channels = entry["channels"]
            out = array("i", [-(10**8)] * (len(channels) + 1))
            read(_build(self.bench, entry), out)
            for i, (_, _, scale, lowest, highest) in enumerate(channels):
                self.assertTrue(lowest * scale <= out[i] <= highest * scale, name)
            self.assertEqual(out[len(channels)], -(10**8), name)

    def test_convert_ms_bounds_the_first_wait(self):
        for name in DRIVERS:
            if DRIVERS[name]["kind"] == "sensor":
                sensor = _build(self.bench, DRIVERS[name])
                self.assertLessEqual(sensor.start(), DRIVERS[name]["convert_ms"] + 1, name)

    def test_defaults_are_of_their_type_and_within_their_limits(self):
        kinds = {"int": int, "bool": bool, "str": str}
        for name in DRIVERS:
            params = DRIVERS[name]["params"]
            for key in params:
                kind, default, lowest, highest, doc = params[key]
                self.assertIsInstance(default, kinds[kind], key)
                size = len(default) if kind == "str" else default
                self.assertTrue(lowest <= size <= highest, key)
                self.assertTrue(doc, key)
