"""The least a gateway must do, on paho-mqtt and our wire codecs: commit, then ack."""

import threading

import paho.mqtt.client as paho
from fake_uplink import FakeGateway


class GatewayStub:
    """Context manager, subscribed once entered. deaf: ignores frames.

    rows(device): {(boot, stream, seq): payload}.

    echo: instead of committing, sends each frame's bytes back on the ack topic.
    """

    def __init__(self, port: int, echo: bool = False) -> None:
        self.gateways: dict[str, FakeGateway] = {}
        self.status: list[tuple[str, bytes, bool]] = []
        self.info: dict[str, bytes] = {}
        self.deaf = False
        self._echo = echo
        self._port = port
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id="gateway", clean_session=False
        )
        self._client.reconnect_delay_set(1, 1)
        self._subscribed = threading.Event()
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message

    def __enter__(self) -> "GatewayStub":
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        assert self._subscribed.wait(120)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def rows(self, device: str = "bed-3") -> dict:
        return self.gateways[device].rows

    def count(self, boot: int = 1, device: str = "bed-3") -> int:
        """How many records of that boot it has so far."""
        found = self.gateways.get(device)
        return sum(key[0] == boot for key in list(found.rows)) if found else 0

    def _on_connect(self, client, _data, _flags, _code, _properties) -> None:
        client.subscribe([("hedge/+/up", 1), ("hedge/+/status", 1), ("hedge/+/info", 1)])

    def _on_message(self, client, _data, message) -> None:
        _, device, part = message.topic.split("/")
        if part == "status":
            self.status.append((device, message.payload, message.retain))
        elif part == "info":
            self.info[device] = message.payload
        elif not self.deaf:
            client.publish(f"hedge/{device}/ack", self._answer(device, message.payload), qos=1)

    def _answer(self, device: str, data: bytes) -> bytes:
        if self._echo:
            return data
        return self.gateways.setdefault(device, FakeGateway()).take(data)
