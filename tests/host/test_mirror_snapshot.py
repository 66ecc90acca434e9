"""What is mirrored of the database: who is online, who is gone, which value stands for a name."""

import contextlib

import pytest

from hedge.wire import cbor, frame, senml
from hedgerow.gateway.database import open_database, open_reader
from hedgerow.gateway.ingest import Ingest
from hedgerow.gateway.messages import Inbound
from hedgerow.gateway.mirror import snapshot

NOW_S = 1_790_000_000.0
_DAY_S = 86400.0


class Farm:
    def __init__(self, path):
        self.path = path
        self.database = open_database(path)
        self.ingest = Ingest(self.database)
        self.seq = 0

    def hear(self, kind, data, at_s=NOW_S):
        self.ingest.commit([Inbound(f"hedge/bed-1/{kind}", data, at_s)])

    def record(self, *entries, at_s=NOW_S):
        self.seq += 1
        pack = senml.encode(int(at_s), list(entries))
        self.hear("up", frame.pack("bed-1", 1, 1, self.seq, 1, [pack]), at_s)

    def devices(self, at_s=NOW_S):
        with contextlib.closing(open_reader(self.path)) as reader:
            return snapshot.read(reader, at_s)

    def values(self):
        (device,) = self.devices()
        return {value.name: (value.kind, value.unit, value.value) for value in device.values}


@pytest.fixture
def farm(tmp_path):
    made = Farm(tmp_path / "farm.db")
    yield made
    made.database.close()


def test_kinds_of_values(farm):
    farm.hear("info", cbor.encode({"name": "Bed", "actuators": ["pump", "valve"]}))
    farm.record(("pump", None, True), ("soil.vwc", "%", 20.5), ("health.soil", None, False))
    farm.record(("rule", None, "dry"))
    assert farm.values() == {
        "pump": ("switch", "", 1),
        "valve": ("switch", "", 0),  # never switched yet
        "soil.vwc": ("number", "%", 20.5),
        "health.soil": ("problem", "", 1),
        "rule": ("text", "", "dry"),
    }


def test_a_name_that_changed_its_unit_stands_once(farm):
    farm.record(("x", "V", 1.5))
    farm.record(("x", "A", 2.5), at_s=NOW_S + 60)
    assert farm.values() == {"x": ("number", "A", 2.5)}


def test_online_is_what_the_broker_says_unless_the_node_is_silent(farm):
    farm.record(("x", "V", 1.5))
    for status, online in ((b"online", True), (b"offline", False), (b"online", True)):
        farm.hear("status", status)
        assert farm.devices()[0].online is online
    farm.ingest.tick(NOW_S + 2 * _DAY_S)  # opens the alert
    assert farm.devices(NOW_S + 2 * _DAY_S)[0].online is False


def test_a_device_is_gone_after_thirty_days_and_comes_back(farm):
    farm.record(("x", "V", 1.5))
    assert len(farm.devices(NOW_S + 29 * _DAY_S)) == 1
    assert farm.devices(NOW_S + 31 * _DAY_S) == []
    farm.record(("x", "V", 1.5), at_s=NOW_S + 31 * _DAY_S)
    assert len(farm.devices(NOW_S + 31 * _DAY_S)) == 1


@pytest.mark.parametrize("actuators", [None, 5, "pump", {"pump": 1}, [1, None, "pump"]])
def test_a_strange_info_map_is_no_fault(farm, actuators):
    farm.hear("info", cbor.encode({"actuators": actuators, "board": 7, "firmware": [1]}))
    farm.record(("pump", None, True))
    kinds = {name: kind for name, (kind, _, _) in farm.values().items()}
    assert kinds["pump"] == ("switch" if isinstance(actuators, list) else "number")
