"""An MQTT client that keeps what it hears, for tests of what the gateway publishes."""

import threading
from collections.abc import Callable

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion


class Observer:
    """retained: topic -> last payload of what came, without what was removed by an empty one.

    heard: (topic, payload) in order.
    """

    def __init__(self, host: str, port: int, *topics: str) -> None:
        self.retained: dict[str, bytes] = {}
        self.heard: list[tuple[str, bytes]] = []
        self._topics = topics
        self._changed = threading.Condition()
        self._subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._client.connect(host, port)
        self._client.loop_start()
        assert self._subscribed.wait(120)

    def _on_connect(self, client, *_):
        client.subscribe([(topic, 1) for topic in self._topics])

    def _on_message(self, _client, _userdata, message):
        with self._changed:
            self.heard.append((message.topic, message.payload))
            self.retained[message.topic] = message.payload
            if not message.payload:
                del self.retained[message.topic]
            self._changed.notify_all()

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self._client.publish(topic, payload, 1, retain).wait_for_publish(120)

    def wait(self, is_there: Callable[[], object], limit_s: float = 120) -> None:
        """Until is_there() is true after some message."""
        assert self.sees(is_there, limit_s), sorted(self.retained)

    def sees(self, is_there: Callable[[], object], limit_s: float) -> bool:
        """False if it did not become true in time."""
        with self._changed:
            return bool(self._changed.wait_for(is_there, limit_s))

    def __enter__(self) -> "Observer":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
