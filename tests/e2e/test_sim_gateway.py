"""`hedgerow sim` in the field, against a gateway that runs already; what it prints and refuses."""

import asyncio
from pathlib import Path

import pytest
from sim_runs import hedgerow, last_json, new_project

from hedgerow.gateway import Gateway, GatewayConfig
from hedgerow.gateway.service import gateway_in_thread
from hedgerow.sim import run
from hedgerow.sim.stored import stored_in_db

pytestmark = pytest.mark.e2e


def test_two_runs_of_one_node_on_one_gateway_do_not_clash(tmp_path: Path) -> None:
    asyncio.run(_two_runs(tmp_path))


async def _two_runs(folder: Path) -> None:
    config = GatewayConfig(db=folder / "g.db", http_port=0, mqtt_port=0, broker="python")
    async with Gateway(config) as gateway:
        node_file = new_project(
            folder, "bed-1", 3600, {"port = 1883": f"port = {gateway.mqtt_port}"}
        )
        arguments = ("sim", node_file, "--days", 10, "--gateway", gateway.http_url, "--json")
        results = [last_json(await asyncio.to_thread(hedgerow, *arguments)) for _ in range(2)]
    for result in results:
        assert (result["lost"], result["duplicates"], result["dropped"]) == (0, 0, 0)
        assert result["records_stored"] == result["records_created"] > 50
    # Same world, same node, as fast as possible: the same life.
    for key in ("water_litres", "actuations", "inferences", "raw_bytes", "dry_days"):
        assert results[0][key] == results[1][key]
    stored = stored_in_db(config.db_path, "bed-1")
    assert len(stored) == sum(result["records_stored"] for result in results)


def test_table_for_people_and_files_that_stay(tmp_path: Path) -> None:
    node_file = new_project(tmp_path, "bed-2")
    kept = tmp_path / "kept"
    arguments = ("--days", 5, "--weather", "generated", "--seed", 3, "--dir", kept)
    text = hedgerow("sim", node_file, *arguments, "--gateway", "private")
    values = dict(line.split() for line in text.strip().splitlines())
    assert values["lost"] == values["duplicates"] == "0"
    assert float(values["water_litres_timer"]) > 0
    assert {"gateway.db", "node"} <= {path.name for path in kept.iterdir()}


def test_a_node_that_signs_its_frames(tmp_path: Path) -> None:
    """A private gateway has its key. The Unix port has no umqtt.simple: our client stands in."""
    changes = {'kind = "mqtt"': 'kind = "umqtt"', "port = 1883": f'key = "{"0f" * 16}"'}
    node_file = new_project(tmp_path, "bed-4", 3600, changes)
    result = last_json(hedgerow("sim", node_file, "--days", 2, "--gateway", "private", "--json"))
    assert (result["lost"], result["duplicates"]) == (0, 0)
    assert result["records_stored"] == result["records_created"] > 5


def test_what_a_running_gateway_refuses_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key, where it wants one; and a node on LoRaWAN, whose radio is not simulated."""
    keys = {"*": b"0" * 16}
    config = GatewayConfig(
        db=tmp_path / "g.db", http_port=0, mqtt_port=0, broker="python", keys=keys
    )
    radio = 'radio = "sx1276"\nspi = "spi1"\ncs = "GP13"\n'
    lorawan = {
        'kind = "mqtt"\n': f'kind = "lorawan"\nkey = "{b"0".hex() * 16}"\n',
        'host = "127.0.0.1" ': 'dev_eui = "0000000000000001" ',
        "port = 1883": f'app_key = "{"0f" * 16}"\n{radio}',
    }
    said: list[str] = []
    lost = []
    with gateway_in_thread(config) as gateway:
        mqtt = {"port = 1883": f"port = {gateway.mqtt_port}"}
        for name, changes, drain_s in (("bed-1", mqtt, 3.0), ("bed-2", lorawan, 90.0)):
            monkeypatch.setattr(run, "_DRAIN_S", drain_s)
            node_file = new_project(tmp_path, name, 3600, changes)
            options = run.SimOptions(node_file, days=1, gateway=gateway.http_url)
            lost.append(asyncio.run(run.simulate(options, said.append))["lost"])
    assert lost[0] > 0 and lost[1] == 0
    assert any("not everything was acknowledged" in text for text in said)
    assert any("refused (mac)" in text for text in said)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--weather", "mars"], 3, "choose one of seattle, generated"),
        (["--replay", "r.csv", "--field"], 2, "exclude each other"),
        (["--replay", "missing.csv"], 3, "cannot read the recording"),
        (["--days", "0"], 2, "0.01"),
        (["--broker", "none", "--gateway", "private"], 7, "auto, mosquitto, python"),
    ],
)
def test_bad_arguments(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    assert said in hedgerow("sim", new_project(tmp_path, "bed-3"), *arguments, code=code)


def test_a_broken_node_file_shows_every_fault(tmp_path: Path) -> None:
    changes = {"GP26": "GP99", "sample_s = 3600": "sample_s = 0"}
    text = hedgerow("sim", new_project(tmp_path, "bed-4", 3600, changes), code=3)
    assert "node.toml:11:" in text
    assert "GP99" in text
