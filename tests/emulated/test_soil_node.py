"""The whole soil node on the emulated Pico: deployed, sensing, inferring, watering, sending.

Real firmware, chips on its pins, its log in its own littlefs or in raw flash behind it,
`hedgerow bridge`, a real mosquitto and the real gateway. The power is cut in the soak.
"""

import contextlib
import os
import sqlite3
import time
from types import SimpleNamespace

import pytest
from soil_pico import DAYS, NAME, SoilPico, write_node

from hedgerow.bridge.bridge import Bridge
from hedgerow.device.deploy import deploy
from hedgerow.device.link import SerialLink
from hedgerow.gateway.config import GatewayConfig
from hedgerow.gateway.mqtt import BrokerAddress
from hedgerow.gateway.service import gateway_in_thread
from hedgerow.sim.stored import stored_in_db

SAMPLE_S = 10800
DAY_S = 86400
DRY_PCT, MOIST_PCT = 10.0, 12.5  # of soil: the plain rule waters at once, the model's in days
CUTS = int(os.environ.get("HEDGEROW_SOAK_CUTS", "12"))  # half of them in a flash operation
HELD = """
import hedge_boot
import sys
sys.path.insert(0, hedge_boot.path("")[:-1])
from hedge.store.log import Store
if {region_bytes}:
    from hedge.store.device import open_region
    store = Store(open_region({{"partition": "log", "max_bytes": {region_bytes}}}, "/"))
else:
    store = Store("/store")
store.open()
reader = store.reader()
batch = reader.next(200)
while batch:
    print(batch.boot, batch.stream, batch.seq, len(batch.records))
    batch = reader.next(200)
"""


class Station:
    """Pico, bridge, broker, gateway; `said` is what the board printed and the bridge told."""

    def __init__(self, pico, gateway, db):
        self.pico, self._gateway, self.db = pico, gateway, db
        self.said = []

    def bridge(self):
        return Bridge(
            [self.pico.address],
            BrokerAddress("127.0.0.1", self._gateway.mqtt_port),
            told=self.said.append,
            on_text=lambda name, line: self.said.append(f"{name}| {line}"),
        )

    def rows(self, query, *arguments):
        with contextlib.closing(sqlite3.connect(self.db)) as connection:
            return connection.execute(query, arguments).fetchall()

    def values(self, name):
        """(time, value) of a series, in order."""
        query = "SELECT time_s, value FROM value_named WHERE name = ? ORDER BY time_s"
        return self.rows(query, name)

    def wait(self, check, what, limit_s=150.0):
        end_s = time.monotonic() + limit_s
        while not check():
            assert time.monotonic() < end_s, f"no {what}; said last: {self.said[-20:]}"
            time.sleep(0.02)


@pytest.fixture
def station(request, need_target, mosquitto, tmp_path, monkeypatch):
    """Its parameter: KB of raw flash for the log; none, it lies in files."""
    need_target("pico")
    region_kb = getattr(request, "param", 0)
    db = tmp_path / "farm.db"
    config = GatewayConfig(db=db, http_port=0, mqtt_port=0, broker="mosquitto")
    board = SoilPico(tmp_path / "pico", region_kb)
    with contextlib.closing(board) as pico, gateway_in_thread(config) as at:
        # Acks set the node's clock: the gateway lives in the field's time.
        clock = SimpleNamespace(time=lambda: pico.field.now_s)
        monkeypatch.setattr("hedgerow.gateway.mqtt.time", clock)
        yield Station(pico, at, db)


def deployed(station, folder, vwc_pct):
    """A field around the board, then the template's node on it."""
    node_file = write_node(folder, SAMPLE_S, station.pico.region_kb)
    station.pico.unplug()
    station.pico.enter_field(node_file, vwc_pct)
    station.pico.plug_in()
    return deploy(node_file, port=station.pico.address)


def test_deployed_from_its_node_file_it_waters_and_the_rows_arrive(station, tmp_path):
    report = deployed(station, tmp_path, DRY_PCT)
    assert {"plan.json", "model/soil_dry.hgm", "hedge/net/serial_link.mpy"} <= set(report.sent)
    assert not any(name.startswith("hedge/power/") for name in report.sent)
    with station.bridge():
        station.wait(lambda: len(station.values("pump")) >= 2, "watering")
    (on_s, on), (off_s, off) = station.values("pump")[:2]
    assert (on, off) == (1, 0)
    assert abs(off_s - on_s - 900) <= 1
    assert abs(station.pico.field.scene.totals()["litres"] - 150) < 1
    (_, vwc), *_ = station.values("soil.vwc")
    assert abs(vwc - DRY_PCT) < 1
    gone = [(NAME, "offline")]
    station.wait(lambda: station.rows("SELECT id, status FROM device") == gone, "goodbye")
    assert nothing_is_lost(station)


def nothing_is_lost(station):
    """Each (boot, stream) has all of 1..n, once; the gateway knows of no gap and no conflict."""
    sequences = {}
    for boot, stream, seq in stored_in_db(station.db, NAME):
        sequences.setdefault((boot, stream), []).append(seq)
    assert all(sorted(seqs) == list(range(1, len(seqs) + 1)) for seqs in sequences.values())
    assert station.rows("SELECT * FROM gap") == station.rows("SELECT * FROM conflict") == []
    return bool(sequences)


def held(pico):
    """Keys of what the board's log has not forgotten; the app is stopped for it."""
    keys = set()
    held_source = HELD.format(region_bytes=pico.region_kb * 1024)
    with SerialLink(pico.address) as link:
        link.enter()
        for line in link.run(held_source).splitlines():
            boot, stream, seq, count = map(int, line.split())
            keys |= {(boot, stream, seq + i) for i in range(count)}
    return keys


@pytest.mark.soak
@pytest.mark.parametrize("station", [0, 256], ids=["files", "flash"], indirect=True)
def test_through_power_cuts_it_infers_waters_and_loses_nothing(station, tmp_path):
    """Half of the cuts strike in the midst of a flash operation."""
    deployed(station, tmp_path, MOIST_PCT)
    pico = station.pico
    with station.bridge():
        station.wait(lambda: pico.field.days() > 1, "first day")
        for cut in range(CUTS):
            day = pico.field.days()
            pico.unplug()
            if cut % 2:
                pico.chip.cut_power_at(5 + 15 * cut, torn=True)
            pico.plug_in()
            station.wait(lambda: not pico.plugged_in or pico.field.days() > day + 1, "life")  # noqa: B023
            if not pico.plugged_in:
                pico.plug_in()
        station.wait(lambda: len(station.values("pump")) >= 2, "watering")
    assert max(score for _, score in station.values("model.dry_2d")) >= 0.2
    assert pico.field.days() < DAYS
    left = held(pico)
    pico.unplug()
    pico.plug_in()
    with station.bridge():
        station.wait(lambda: left <= set(stored_in_db(station.db, NAME)), "last records")
    boots = {boot for boot, _, _ in stored_in_db(station.db, NAME)}
    assert len(boots) > CUTS // 2  # one that is cut early has written nothing
    assert nothing_is_lost(station)
    print(f"{len(stored_in_db(station.db, NAME))} records of {len(boots)} lives")
