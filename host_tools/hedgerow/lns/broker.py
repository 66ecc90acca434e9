"""Over an MQTT broker: frames to the gateway and its acks, or ChirpStack's events and commands.

One paho session for all devices. Its thread hands messages over to the event loop.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from hedgerow.gateway.mqtt import BrokerAddress, refusal, use_account

_log = logging.getLogger("hedgerow.lns.broker")

_KEEPALIVE_S = 20

OnMessage = Callable[[str, bytes], None]


class BrokerSession:
    """Connects again by itself for ever. on_message(topic, payload): in the event loop.

    kind: what the broker's log shows. Nothing of a session outlives it, so each has an id of its
    own: two servers of one id would throw each other out.
    """

    def __init__(
        self, address: BrokerAddress, kind: str, topics: list[str], on_message: OnMessage
    ):
        self._address = address
        self._topics = topics
        self._on_message = on_message
        self._loop = asyncio.get_running_loop()
        self.ready = False
        client_id = f"{kind}-{secrets.token_hex(4)}"
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        use_account(self._client, address)
        self._client.reconnect_delay_set(min_delay=1, max_delay=10)
        self._trouble = ""  # as logged: told once, and when it ends
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._take

    def start(self) -> None:
        self._client.connect_async(self._address.host, self._address.port, _KEEPALIVE_S)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self.ready = False

    def publish(self, topic: str, data: bytes | str) -> bool:
        """QoS 1; False if there is no broker at the moment."""
        if not self.ready:
            return False
        sent = self._client.publish(topic, data, qos=1)
        return bool(sent.rc == paho.MQTT_ERR_SUCCESS)

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            _log.error("broker %r %s; retrying", self._address, trouble)
        elif self._trouble and not trouble:
            _log.warning("broker %r answers again", self._address)
        self._trouble = trouble

    def _on_connect_fail(self, _client, _userdata) -> None:  # type: ignore[no-untyped-def]
        self._tell("cannot be reached")

    def _on_connect(self, client, _userdata, _flags, reason, _properties) -> None:  # type: ignore[no-untyped-def]
        if reason.is_failure:
            self._tell(f"refused: {refusal(reason)}")
        else:
            client.subscribe([(topic, 1) for topic in self._topics])

    def _on_subscribe(self, _client, _userdata, _mid, granted, _properties) -> None:  # type: ignore[no-untyped-def]
        if any(reason.is_failure for reason in granted):
            self._tell(f"refused a subscription of {self._topics}")
        else:
            self._tell("")
            self.ready = True

    def _on_disconnect(self, _client, _userdata, _flags, reason, _properties) -> None:  # type: ignore[no-untyped-def]
        if self.ready and reason.is_failure:
            self._tell(f"is lost: {reason}")
        self.ready = False

    def _take(self, _client, _userdata, message: paho.MQTTMessage) -> None:  # type: ignore[no-untyped-def]
        try:
            topic = str(message.topic)
        except UnicodeDecodeError:
            return
        self._loop.call_soon_threadsafe(self._on_message, topic, bytes(message.payload))
