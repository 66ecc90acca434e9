"""A node built from a plan: real drivers on a fake board, real log and state in a folder."""

import asyncio
import os

from fake_node import JumpCase

from hedge.core.errors import ConfigError
from hedge.node import node_from_plan
from hedge.store import audit
from hedge.wire import senml


class FakeAdc:
    def __init__(self, mv):
        self.mv = mv

    def read_uv(self):
        return self.mv * 1000

    def read_u16(self):
        return self.mv * 65535 // 3300


class FakePin:
    OUT = 1

    def __init__(self):
        self.levels = []

    def init(self, mode, value):
        self.value(value)

    def value(self, level):
        if self.levels[-1:] != [level]:
            self.levels.append(level)


class FakeBoard:
    """Board's interface as far as a plan needs it."""

    def __init__(self, mv=2000):
        self.adc = FakeAdc(mv)
        self.pin = FakePin()
        self.dogs = []

    def bus(self, kind, where):
        return {"adc": self.adc, "output_pin": self.pin}[kind]

    def timer(self):
        return None

    def reset_cause(self):
        return "power_on"

    def wdt(self, ms):
        self.dogs.append(ms)
        return self

    def feed(self):
        pass


def _plan(**changes):
    plan = {
        "v": 1,
        "node": {
            "name": "bed-3", "sample_s": 3600, "offset_s": 3600, "lat": 45.5, "lon": None,
            "watchdog_s": 0, "unhealthy_after": 3, "hash": "12345678",
        },
        "board": {"name": "UNIX", "port": "unix", "buses": {}},
        "sensors": [{
            "name": "soil", "driver": "soil_probe", "module": "soil_probe", "class": "SoilProbe",
            "bus": ["adc", 26], "args": {"dry_mv": 2800, "wet_mv": 1200},
            "channels": [["soil.vwc", "%", 100, 0, 10000]], "raw_bytes": 2, "stuck_after": 0,
        }],
        "filters": [[0, "median", 3]],
        "model": None,
        "actuators": [{
            "name": "pump", "driver": "relay", "module": "relay", "class": "Relay",
            "bus": ["output_pin", 15], "args": {"max_on_ms": 900000},
            "max_on_s": 900, "min_off_s": 0, "max_s_per_day": 0, "ml_per_min": 0,
        }],
        "rules": [{
            "name": "water", "actuator": 0, "on_s": 600, "hold_off_s": 7200, "max_per_day": 0,
            "when": ["all", [["<", 0, 3000, 3000], ["window", 120, 1440, 127]]],
        }],
        "records": [
            {"i": 0, "deadband": 0, "max_s": 0, "summary_s": 0, "mean_only": False, "stream": 1}
        ],
        "store": {"dir": "log", "max_bytes": 65536, "segment_bytes": 4096, "keep_acked": True},
        "thresholds": {},
        "uplink": None,
        "replay": None,
    }  # fmt: skip
    plan.update(changes)
    return plan


def _remove(path):
    for name in os.listdir(path):
        whole = path + "/" + name
        if os.stat(whole)[0] & 0x4000:
            _remove(whole)
        else:
            os.remove(whole)
    os.rmdir(path)


def live(source, node, hours):
    """Run the node for so many hours of the device time that source steers."""
    source.end_ms = source.now_ms() + int(hours * 3600000) + 500
    source._ended = False
    asyncio.run(_run(source, node))


async def _run(source, node):
    task = asyncio.create_task(node.run())
    for _ in range(8):  # until the node's tasks are asleep in device time
        await asyncio.sleep_ms(0)
    await source.run()
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass


class TestNodeFromPlan(JumpCase):
    def setUp(self):
        JumpCase.setUp(self)
        self.folder = "/tmp/hedge-plan-%d" % id(self)
        os.mkdir(self.folder)
        self.board = FakeBoard()

    def tearDown(self):
        JumpCase.tearDown(self)
        _remove(self.folder)

    def _live(self, plan, hours):
        node = node_from_plan(plan, self.board, self.folder)
        live(self.clock, node, hours)
        return node

    def _log(self):
        rows = [row for row in audit(self.folder + "/log")]
        return [[(n, v) for n, _, v, _ in senml.decode(payload)] for _, _, _, payload in rows]

    def test_measures_decides_and_logs(self):
        node = self._live(_plan(), 5)
        self.assertEqual(node.value("soil.vwc"), "25")
        self.assertEqual(self.board.pin.levels, [0, 1, 0, 1, 0])
        records = self._log()
        self.assertIn([("pump", True), ("rule", "water: soil.vwc 25<30 & 02:00-24:00")], records)
        self.assertIn([("soil.vwc", 25)], records)
        boot = [
            ("boot", node.store.boot),
            ("reason", "power_on"),
            ("firmware", "0.1.0"),
            ("config", "12345678"),
        ]
        self.assertIn(boot, records)

    def test_the_log_may_be_raw_flash(self):
        plan = _plan()
        plan["store"] = {
            "dir": "log", "max_bytes": 65536, "segment_bytes": 4096, "kind": "flash",
            "partition": "log",
        }  # fmt: skip
        first = self._live(plan, 3)
        node = self._live(plan, 1)
        self.assertEqual(node.store.boot, first.store.boot + 1)
        self.assertEqual(node.store.volume.name, "log")
        batch = node.store.reader().next(180)
        self.assertEqual((batch.boot, batch.stream, batch.seq), (first.store.boot, 0, 1))
        self.assertEqual(first.store.pending() > 0, True)

    def test_killed_in_the_middle_of_watering_goes_on_without_watering_again(self):
        first = self._live(_plan(), 1.1)
        self.assertEqual(self.board.pin.levels, [0, 1, 0])
        self.board.pin.levels.clear()
        node = self._live(_plan(), 1)
        self.assertEqual(node.store.boot, first.store.boot + 1)
        self.assertEqual(self.board.pin.levels, [0])

    def test_a_missing_model_is_told_and_its_scores_are_unknown(self):
        model = {
            "file": "none.hgm", "specs": [[0, 0, 0, 1, -1, 0, 65536, 0, 1]], "history": 2,
            "inputs": [0], "outputs": ["dry_1d"], "at_s": [0], "every_s": 0,
        }  # fmt: skip
        rule = dict(_plan()["rules"][0], when=["unknown", 1])
        node = self._live(_plan(model=model, rules=[rule]), 1)
        self.assertEqual(node.stats()["actuations"], 1)
        texts = [dict(e).get("reason", "") for e in self._log() if e[0][0] == "model"]
        self.assertEqual([text[:9] for text in texts], ["none.hgm:"])

    def test_a_corrupt_model_is_told_and_the_node_works(self):
        with open(self.folder + "/bad.hgm", "wb") as file:
            file.write(b"HGM1" + bytes(100))
        model = {
            "file": "bad.hgm", "specs": [[0, 0, 0, 1, -1, 0, 65536, 0, 1]], "history": 2,
            "inputs": [0], "outputs": ["dry_1d"], "at_s": [0], "every_s": 0,
        }  # fmt: skip
        node = self._live(_plan(model=model), 3)
        self.assertEqual(node.stats()["actuations"], 1)
        self.assertIn("model file", node.model_error)

    def test_a_folder_that_cannot_be_written_does_not_stop_control(self):
        with open(self.folder + "/log", "wb") as file:
            file.write(b"a file where the log's folder should be")
        node = self._live(_plan(), 5)
        self.assertEqual(node.stats()["actuations"], 2)
        self.assertGreater(node.stats()["records_lost"], 0)

    def test_a_damaged_state_file_is_told(self):
        self._live(_plan(), 1.1)
        with open(self.folder + "/log/node.kv", "wb") as file:
            file.write(b"not a state file")
        self._live(_plan(), 0.1)
        self.assertEqual([e[0] for e in self._log() if e[0][0] == "state"], [("state", False)])

    def test_watchdog_and_version(self):
        plan = _plan()
        plan["node"]["watchdog_s"] = 8
        self._live(plan, 0.01)
        self.assertEqual(self.board.dogs, [8000])
        with self.assertRaises(ConfigError):
            node_from_plan(_plan(v=2), self.board, self.folder)
