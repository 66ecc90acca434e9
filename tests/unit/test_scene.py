"""The simulated bench: drivers read through simulated chips what the world shows."""

import asyncio
import unittest
from array import array

import machine

from hedge.board import Board
from hedge.core import clock
from hedge.core.errors import SensorError
from hedge.drivers.battery import Battery
from hedge.drivers.bme280 import BME280
from hedge.drivers.ds18b20 import DS18B20
from hedge.drivers.pump import Pump as GuardedPump
from hedge.drivers.servo import ServoSwitch
from hedge.drivers.soil_probe import SoilProbe
from hedge.drivers.valve import Valve
from hedgerow.emulate.field import SITE, SOIL, Field
from hedgerow.emulate.scene import Scene, charge_pct
from hedgerow.emulate.simclock import SimClock

START_S = 1430463600
DAYS = [[0.0, 10.0, 25.0, 300.0], [5.0, 9.0, 15.0, -800.0]]
FIELD = {"kind": "field", "soil": SOIL, "site": SITE, "days": DAYS, "seed": 1, "dry_pct": None}
TABLE = {
    "name": "test",
    "port": "unix",
    "buses": {
        "i2c0": {"kind": "i2c", "id": 0, "scl": 5, "sda": 4, "freq_hz": 400000},
        "uart0": {"kind": "uart", "id": 0, "tx": 0, "rx": 1},
        "spi0": {"kind": "spi", "id": 0, "sck": 18, "mosi": 19, "miso": 20, "freq_hz": 1000000},
    },
}
PLAN = {
    "sensors": [
        {"name": "soil", "driver": "soil_probe", "bus": ["adc", 26], "args": {"dry_mv": 2400}},
        {"name": "ground", "driver": "ds18b20", "bus": ["onewire", 16], "args": {}},
        {"name": "air", "driver": "bme280", "bus": ["i2c", "i2c0"], "args": {"addr": 118}},
        {"name": "battery", "driver": "battery", "bus": ["adc", 28], "args": {}},
    ],
    "actuators": [
        {
            "name": "pump",
            "bus": ["output_pin", 15],
            "args": {},
            "max_on_s": 600,
            "ml_per_min": 10000,
        }
    ],
}


def recording(**columns):
    times = [START_S, START_S + 86400]
    return {"kind": "replay", "times": times, "hold_s": 86400, "columns": columns}


class Bench(unittest.TestCase):
    def setUp(self):
        machine.clear_bench()
        self.clock = SimClock(START_S, START_S + 10 * 86400)
        self.former = clock.use(self.clock)
        self.board = Board(TABLE)

    def tearDown(self):
        clock.use(self.former)

    def scene(self, world, faults=None):
        return Scene(PLAN, world, START_S, self.clock.now_ms, faults)

    def read(self, sensor, channels=1):
        """One reading of a driver while virtual time runs; raises what the driver raises."""
        out = array("i", (0,) * channels)

        async def main():
            running = asyncio.create_task(self.clock.run())
            try:
                await asyncio.wait_for(sensor.read_into(out), 5)
            finally:
                running.cancel()

        asyncio.run(main())
        return list(out)

    def test_field_reaches_every_driver(self):
        scene = self.scene(FIELD)
        self.clock.on_advance = scene.advance
        scene.advance(START_S)
        field = Field(SOIL, SITE, DAYS, START_S, seed=1)
        vwc = self.read(SoilProbe(self.board.adc(26), dry_mv=2400))[0]
        ground = self.read(DS18B20(self.board.onewire(16)))[0]
        air = self.read(BME280(self.board.i2c("i2c0")), 3)
        volts = self.read(Battery(self.board.adc(28)))[0]
        self.assertAlmostEqual(vwc / 100, field.vwc_pct(), delta=0.05)
        self.assertAlmostEqual(ground / 100, field.soil_temp_c(), delta=0.1)
        self.assertAlmostEqual(air[0] / 100, field.air_temp_c(), delta=0.05)
        self.assertAlmostEqual(air[1] / 100, field.humidity_pct(), delta=0.2)
        self.assertAlmostEqual(air[2], field.pressure_pa(), delta=5)
        self.assertAlmostEqual(volts, 4000, delta=200)

    def _one(self, name, driver, world):
        module = getattr(__import__("hedge.drivers." + driver).drivers, driver)
        entry = module.DRIVER
        sensor = {"name": name, "driver": driver, "module": driver, "class": entry["class"]}
        where = {"i2c": "i2c0", "spi": ["spi0", 17], "adc": 27, "uart": "uart0"}
        sensor["bus"] = [entry["bus"], where.get(entry["bus"], 14)]
        params = entry["params"]
        sensor["args"] = {key: params[key][2] for key in params if params[key][1] is None}
        plan = {"sensors": [sensor], "actuators": []}
        scene = Scene(plan, world, START_S, self.clock.now_ms)
        buses = dict(TABLE["buses"])
        buses["i2c0"] = dict(buses["i2c0"], freq_hz=min(entry.get("max_hz", 400000), 400000))
        board = Board({"name": "test", "port": "unix", "buses": buses})
        scene.advance(START_S)
        driver = getattr(module, entry["class"])(board.bus(*sensor["bus"]), **sensor["args"])
        return scene, driver, entry

    def test_any_i2c_driver_finds_its_chip_by_name(self):
        field = Field(SOIL, SITE, DAYS, START_S, seed=1)
        _, sensor, _ = self._one("air", "sht4x", FIELD)
        air = self.read(sensor, 2)
        self.assertAlmostEqual(air[0] / 100, field.air_temp_c(), delta=0.05)
        self.assertAlmostEqual(air[1] / 100, field.humidity_pct(), delta=0.2)

    def test_what_a_field_has_not_stays_at_the_chip(self):
        _, sensor, _ = self._one("sun", "bh1750", FIELD)
        self.assertEqual(self.read(sensor)[0], 1000)

    def test_a_recording_reaches_any_driver_and_a_gap_takes_it_away(self):
        columns = {"gas.voc_raw": [None, 31000.0]}
        scene, sensor, _ = self._one("gas", "sgp40", recording(**columns))
        self.assertRaises(OSError, self.read, sensor)
        scene.advance(START_S + 86400)
        self.assertEqual(self.read(sensor)[0], 31000)

    def test_fractions_become_the_chips_units(self):
        world = recording(**{"gas.eco2": [0.0006, 0.0006], "gas.tvoc": [3e-8, 3e-8]})
        scene, _, _ = self._one("gas", "ccs811", world)
        chip = scene._shown[0].chip
        self.assertEqual((chip.eco2_ppm, chip.tvoc_ppb), (600, 30))

    def test_a_dht_and_a_chip_on_spi(self):
        _, sensor, _ = self._one("air", "dht11", recording(**{"air.temp": [21.0, 21.0]}))
        self.assertEqual(self.read(sensor, 2)[0], 2100)
        _, sensor, _ = self._one("in", "mcp3008", recording(**{"in.ch3": [1.5, 1.5]}))
        self.assertAlmostEqual(self.read(sensor, 8)[3], 1500, delta=4)

    def test_every_driver_of_a_node_file_can_be_simulated(self):
        import os

        folder = __file__.rsplit("/", 3)[0] + "/firmware/hedge/drivers"
        for file in sorted(os.listdir(folder)):
            name = file[:-3]
            if not file.endswith(".py") or name == "__init__":
                continue
            module = getattr(__import__("hedge.drivers." + name).drivers, name)
            entry = getattr(module, "DRIVER", {"bus": "", "kind": ""})
            if entry["kind"] != "sensor" or entry["bus"] in ("", "echo", "pins"):
                continue
            machine.clear_bench()
            scene, _, _ = self._one("x", name, FIELD)
            chip = scene._shown[0].chip
            declared = [channel[0] for channel in entry["channels"]]
            for attribute, channel, _ in getattr(chip, "INPUTS", ()):
                self.assertTrue(hasattr(chip, attribute), name)
                self.assertIn(channel, declared, name)

    def test_a_gap_takes_the_chip_away_and_its_end_brings_it_back(self):
        columns = {"soil.vwc": [None, 20.0], "ground.temp": [None, 15.0]}
        scene = self.scene(recording(**columns))
        probe, ground = SoilProbe(self.board.adc(26), dry_mv=2400), DS18B20(self.board.onewire(16))
        scene.advance(START_S)
        self.assertRaises(SensorError, self.read, probe)
        self.assertRaises(OSError, self.read, ground)
        scene.advance(START_S + 86400)
        self.assertAlmostEqual(self.read(probe)[0], 2000, delta=5)
        self.assertAlmostEqual(self.read(ground)[0], 1500, delta=4)

    def test_recorded_volts_come_back_from_the_battery(self):
        scene = self.scene(recording(**{"battery.voltage": [3.7, 3.9]}))
        scene.advance(START_S)
        self.assertAlmostEqual(self.read(Battery(self.board.adc(28)))[0], 3700, delta=10)

    def test_scripted_faults_come_and_go(self):
        fault = {"sensor": "ground", "fault": "crc", "from_s": START_S + 10, "to_s": START_S + 20}
        scene = self.scene(FIELD, [fault])
        ground = DS18B20(self.board.onewire(16))
        scene.advance(START_S)
        self.read(ground)
        scene.advance(START_S + 10)
        self.assertRaises(SensorError, self.read, ground)
        scene.advance(START_S + 20)
        self.read(ground)

    def test_the_pump_waters_the_field(self):
        saved = []
        scene = self.scene(FIELD)
        scene.advance(START_S)
        scene.connect_pumps(lambda: saved.append(scene.state()["pump_lpm"]))
        pin = self.board.output_pin(15)
        pin.init(machine.Pin.OUT, value=0)
        pin(1)
        scene.advance(START_S + 120)
        pin(0)
        scene.advance(START_S + 3600)
        self.assertAlmostEqual(scene.totals()["litres"], 20.0, delta=1e-6)
        self.assertEqual(saved, [10.0, 0])

    def _waters(self, actuator):
        """A scene with this actuator, its driver on the board."""
        row = {"name": "it", "args": {}, "max_on_s": 600, "ml_per_min": 10000}
        plan = dict(PLAN, actuators=[dict(row, **actuator)])
        scene = Scene(plan, FIELD, START_S, self.clock.now_ms)
        scene.connect_pumps(lambda: None)
        return scene

    def _runs(self, scene, driver, seconds):
        """Let it run; litres of the whole time."""
        for second in range(seconds):
            self.clock._move_to(self.clock.now_ms() + 1000)
            scene.advance(START_S + second)
            driver.poll()
        return scene.totals()["litres"]

    def test_a_latching_valve_waters_between_its_pulses(self):
        scene = self._waters({"module": "valve", "bus": ["pins", [6, 7]]})
        valve = Valve(self.board.bus("pins", (6, 7)), sleep_ms=lambda ms: None)
        valve.on(60000)
        self.assertAlmostEqual(self._runs(scene, valve, 200), 10.0, delta=0.4)
        self.assertFalse(valve.is_on)

    def test_a_guarded_pump_sees_its_meter_turn(self):
        scene = self._waters({"module": "pump", "bus": ["pins", [8, 9]]})
        guarded = GuardedPump(self.board.bus("pins", (8, 9)))
        guarded.on(60000)
        self._runs(scene, guarded, 50)
        self.assertTrue(guarded.is_on)
        self.assertEqual(guarded.dry_runs, 0)

    def test_what_moves_no_water_leaves_the_field_dry(self):
        scene = self._waters({"module": "servo", "bus": ["pwm", 2]})
        flap = ServoSwitch(self.board.bus("pwm", 2))
        flap.on(60000)
        self.assertEqual(self._runs(scene, flap, 100), 0)

    def test_a_pump_that_ran_when_the_power_went_is_counted_until_then(self):
        scene = self.scene(FIELD)
        scene.advance(START_S)
        scene.world.pump(True, 10.0, START_S)
        state = scene.state()
        for died_s, litres in ((START_S + 60, 10.0), (START_S + 99999, 100.0), (None, 0.0)):
            later = self.scene(FIELD)
            later.restore(state, START_S, died_s)
            later.advance(START_S + 200000)
            self.assertAlmostEqual(later.totals()["litres"], litres, delta=1e-6)

    def test_battery_charge_stays_plausible(self):
        for hour in range(24):
            self.assertTrue(60 < charge_pct(START_S + hour * 3600) < 95)


if __name__ == "__main__":
    unittest.main()
