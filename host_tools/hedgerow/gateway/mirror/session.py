"""One MQTT session for one convention; it connects again by itself for ever."""

import logging
import threading
from collections.abc import Callable, Sequence

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from hedgerow.gateway.mirror.convention import Convention, Message
from hedgerow.gateway.mirror.snapshot import Device
from hedgerow.gateway.mqtt import BrokerAddress, refusal, use_account

_log = logging.getLogger("hedgerow.gateway.mirror")

_KEEPALIVE_S = 20
_FAREWELL_S = 2.0


class MirrorSession:
    """refresh(): called in paho's thread when a connection stands; may block shortly.

    It returns None if the devices cannot be read now: update() comes later.
    """

    def __init__(
        self,
        address: BrokerAddress,
        client_id: str,
        convention: Convention,
        refresh: Callable[[], Sequence[Device] | None],
    ):
        self._address = address
        self._convention = convention
        self._refresh = refresh
        self._lock = threading.Lock()  # around the convention: paho's thread and ours
        self._ready = False
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
        use_account(client, address)
        client.reconnect_delay_set(min_delay=1, max_delay=10)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        self._client = client

    def start(self) -> None:
        self._set_will()
        self._client.connect_async(self._address.host, self._address.port, _KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        with self._lock:
            last = self._convention.farewell() if self._ready else []
            sent = [self._send(message) for message in last]
            self._ready = False
        for info in sent:  # without the lock: paho's thread may want it before the PUBACK
            info.wait_for_publish(_FAREWELL_S)
        self._client.disconnect()
        self._client.loop_stop()

    def update(self, devices: Sequence[Device]) -> None:
        """Publish what changed. Does nothing while there is no connection."""
        with self._lock:
            if self._ready:
                self._publish(self._convention.update(devices))

    def _publish(self, messages: list[Message]) -> None:
        for message in messages:
            self._send(message)

    def _send(self, message: Message) -> paho.MQTTMessageInfo:
        return self._client.publish(message.topic, message.payload, message.qos, message.retain)

    def _set_will(self) -> None:
        will = self._convention.will()
        self._client.will_set(will.topic, will.payload, will.qos, will.retain)

    def _on_connect(self, client, _userdata, _flags, reason, _properties) -> None:  # type: ignore[no-untyped-def]
        if reason.is_failure:
            text = "%s: broker %r refused: %s"
            _log.error(text, self._convention.name, self._address, refusal(reason))
        else:
            client.subscribe(list(self._convention.topics))

    def _on_subscribe(self, _client, _userdata, _mid, _reasons, _properties) -> None:  # type: ignore[no-untyped-def]
        devices = self._refresh()
        with self._lock:
            self._ready = True
            self._publish(self._convention.born())
            if devices is not None:
                self._publish(self._convention.update(devices))

    def _on_disconnect(self, _client, _userdata, _flags, _reason, _properties) -> None:  # type: ignore[no-untyped-def]
        with self._lock:
            self._ready = False
            self._set_will()  # paho sends it with the next CONNECT

    def _on_message(
        self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage
    ) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return  # nobody's topic
        with self._lock:
            if self._ready or message.retain:
                self._publish(self._convention.received(topic, bytes(message.payload)))
