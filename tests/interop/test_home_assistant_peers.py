"""Home Assistant's discovery at a real broker: what is retained there, and when it goes."""

import json
import sqlite3

import pytest
from observer import Observer

from hedge.wire import cbor, frame, senml
from hedgerow.gateway import GatewayConfig
from hedgerow.gateway.service import gateway_in_thread

_NOW_S = 1_790_000_000
_CONFIG = "homeassistant/device/hedgerow_bed-1/config"
_KEYS = {"soil_vwc", "pump", "air_temp", "rule", "health_soil"}
_INFO = {"name": "Bed one", "firmware": "0.1.0", "board": "RPI_PICO", "actuators": ["pump"]}


@pytest.fixture
def broker_url(mosquitto_broker):
    return f"mqtt://127.0.0.1:{mosquitto_broker.port}"


@pytest.fixture
def observer(mosquitto_broker):
    with Observer("127.0.0.1", mosquitto_broker.port, "homeassistant/#", "hedgerow/#") as peer:
        yield peer


@pytest.fixture
def gateway(tmp_path, broker_url):
    def start(**options):
        settings = {"http_port": 0, "broker": broker_url, "home_assistant": True, **options}
        return gateway_in_thread(GatewayConfig(tmp_path / "farm.db", **settings))

    return start


def _frame(seq, *entries):
    return frame.pack("bed-1", 1, 1, seq, seq, [senml.encode(_NOW_S + seq, list(entries))])


def _speak(observer):
    """A node comes online and sends each kind of value once."""
    observer.publish("hedge/bed-1/info", cbor.encode(_INFO), retain=True)
    observer.publish("hedge/bed-1/status", b"online", retain=True)
    observer.publish("hedge/bed-1/up", _frame(1, ("soil.vwc", "%", 23.4), ("pump", None, True)))
    observer.publish("hedge/bed-1/up", _frame(2, ("air.temp", "Cel", -1.5)))
    observer.publish("hedge/bed-1/up", _frame(3, ("rule", None, "water: dry")))
    observer.publish("hedge/bed-1/up", _frame(4, ("health.soil", None, False)))
    observer.wait(lambda: _KEYS <= {topic.split("/")[-1] for topic in observer.retained})
    observer.wait(lambda: _KEYS <= set(json.loads(observer.retained[_CONFIG])["components"]))


def test_a_node_with_its_values_is_described_and_valid(gateway, observer):
    models = pytest.importorskip(
        "ha_mqtt_models_pydantic", reason="the package ha-mqtt-models-pydantic is not installed"
    )
    with gateway():
        _speak(observer)
        config = json.loads(observer.retained[_CONFIG])
        models.parse_device_discovery_payload(config)
        for part in config["components"].values():
            models.parse_component_payload(part["platform"], part)
        observer.wait(lambda: "hedgerow/bed-1/availability" in observer.retained)
        kept = {t.split("/", 2)[2]: p for t, p in observer.retained.items() if "/bed-1/" in t}
    assert config["device"]["name"] == "Bed one"
    assert config["components"]["soil_vwc"]["device_class"] == "moisture"
    assert config["components"]["air_temp"]["unit_of_measurement"] == "°C"
    assert config["components"]["pump"]["platform"] == "binary_sensor"
    assert kept == {
        "soil_vwc": b"23.4",
        "air_temp": b"-1.5",
        "pump": b"1",
        "rule": b"water: dry",
        "health_soil": b"1",  # a problem
        "availability": b"online",
    }


def test_availability_follows_the_node_and_the_gateway(gateway, observer):
    with gateway():
        _speak(observer)
        config = json.loads(observer.retained[_CONFIG])
        ours, nodes = (place["topic"] for place in config["availability"])
        observer.wait(lambda: observer.retained.get(ours) == b"online")
        observer.wait(lambda: observer.retained.get(nodes) == b"online")
        observer.publish("hedge/bed-1/status", b"offline", retain=True)
        observer.wait(lambda: observer.retained[nodes] == b"offline")
        assert observer.retained[ours] == b"online"
    observer.wait(lambda: observer.retained[ours] == b"offline")


def test_a_device_that_is_gone_is_removed_by_the_next_start_too(gateway, observer, tmp_path):
    with gateway():
        _speak(observer)
    with sqlite3.connect(tmp_path / "farm.db") as database:  # 40 days without a word
        for column in ("first_seen_s", "last_seen_s", "status_s", "info_s"):
            database.execute(f"UPDATE device SET {column} = {column} - 40 * 86400")
    observer.publish("hedge/bed-1/info", b"", retain=True)
    observer.publish("hedge/bed-1/status", b"", retain=True)
    other = '{"availability":[{"topic":"elsewhere"}],"components":{}}'
    observer.publish("homeassistant/device/other/config", other.encode(), retain=True)
    with gateway():
        observer.wait(lambda: not any("bed-1" in topic for topic in observer.retained))
        assert "homeassistant/device/other/config" in observer.retained


def test_a_broker_that_forgot_everything_is_told_again(tmp_path, mosquitto, gateway):
    from peers import Mosquitto

    with Mosquitto(mosquitto, tmp_path) as broker:
        where = ("127.0.0.1", broker.port, "homeassistant/#", "hedgerow/#")
        with gateway(broker=f"mqtt://127.0.0.1:{broker.port}"):
            with Observer(*where) as observer:
                _speak(observer)
            broker.kill()
            (tmp_path / "mosquitto.db").unlink(missing_ok=True)
            broker.start()
            with Observer(*where) as observer:
                observer.wait(lambda: observer.retained.get(_CONFIG))
                observer.wait(lambda: "hedgerow/bed-1/soil_vwc" in observer.retained)


def test_the_broker_in_the_gateways_own_process(gateway):
    pytest.importorskip("amqtt", reason="the Python package amqtt is not installed")
    with gateway(broker="python", mqtt_port=0) as farm:
        where = (farm.mqtt_host, farm.mqtt_port, "homeassistant/#", "hedgerow/#")
        with Observer(*where) as observer:
            _speak(observer)
        with Observer(*where) as observer:
            observer.wait(lambda: observer.retained.get(_CONFIG))
