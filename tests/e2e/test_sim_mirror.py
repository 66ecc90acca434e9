"""A simulated node in full, seen by Home Assistant and a Sparkplug host at the broker."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from sim_runs import hedgerow, new_project

from hedgerow.gateway import Gateway, GatewayConfig

sys.path.append(str(Path(__file__).parent.parent / "interop"))

from observer import Observer

pytestmark = pytest.mark.e2e

_CONFIG = "homeassistant/device/hedgerow_bed-1/config"
_BIRTH = "spBv1.0/farm/DBIRTH/gate/bed-1"
_TOPICS = ("homeassistant/#", "hedgerow/#", "spBv1.0/#")


def test_the_soil_node_is_there_with_sensors_and_pump(tmp_path: Path) -> None:
    heard = asyncio.run(_mirrored(tmp_path))
    config = json.loads(heard[_CONFIG])
    parts = config["components"]
    for key, platform, device_class in (
        ("soil_vwc", "sensor", "moisture"),
        ("air_temp", "sensor", "temperature"),
        ("battery_voltage", "sensor", "voltage"),
        ("pump", "binary_sensor", None),
    ):
        part = next(parts[name] for name in parts if name.startswith(key))
        assert (part["platform"], part.get("device_class")) == (platform, device_class), key
        assert heard[part["state_topic"]]
    assert heard["hedgerow/bed-1/pump"] in (b"0", b"1")
    assert _BIRTH in heard


async def _mirrored(folder: Path) -> dict[str, bytes]:
    """Last payload by topic."""
    options = {"home_assistant": True, "sparkplug": ("farm", "gate")}
    config = GatewayConfig(folder / "g.db", http_port=0, mqtt_port=0, broker="python", **options)
    async with Gateway(config) as gateway:
        place = {"port = 1883": f"port = {gateway.mqtt_port}"}
        node_file = new_project(folder, "bed-1", 3600, place)
        return await asyncio.to_thread(_run, gateway, node_file)


def _run(gateway: Gateway, node_file: Path) -> dict[str, bytes]:
    with Observer(gateway.mqtt_host, gateway.mqtt_port, *_TOPICS) as observer:
        hedgerow("sim", node_file, "--days", 10, "--gateway", gateway.http_url, "--json")
        observer.wait(lambda: b"voltage" in observer.retained.get(_CONFIG, b""))
        # Two sessions tell them, each in its own time.
        for topic in ("hedgerow/bed-1/soil_vwc_mean", "hedgerow/bed-1/pump", _BIRTH):
            observer.wait(lambda topic=topic: topic in observer.retained)
        return dict(observer.retained)
