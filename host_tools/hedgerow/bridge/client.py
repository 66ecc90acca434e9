"""A board's place at the broker: what mqtt_link does on a board with a network, done for it."""

import contextlib
from collections.abc import Callable

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from hedge.net.topics import OFFLINE, ONLINE, topic
from hedgerow.gateway.mqtt import BrokerAddress, refusal, use_account

_KEEPALIVE_S = 20
_CONNECT_S = 5.0
_GOODBYE_S = 1.0
_IN_FLIGHT = 20  # of one board, whose uplink has 8 frames under way


class DeviceClient:
    """One MQTT session in the device's name: its will says offline, its acks come in.

    on_ack(bytes) is called in paho's thread. Once started it connects again by itself, until
    close(). ready: subscribed and announced; reason: why not. sessions: how often it became ready;
    failures: how often it did not.
    """

    def __init__(
        self, address: BrokerAddress, device: str, on_ack: Callable[[bytes], None]
    ) -> None:
        self._device = device
        self._on_ack = on_ack
        self._info = b""
        self._client = self._make_client(address)
        self.ready = False
        self.sessions = self.failures = 0
        doubt = ", or its certificate is not trusted: check --ca" if address.tls else ""
        self.reason = self._unreachable = f"broker {address!r} cannot be reached{doubt}"
        self._client.connect_async(address.host, address.port, _KEEPALIVE_S)
        self._client.loop_start()

    def _make_client(self, address: BrokerAddress) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=self._device, clean_session=True
        )
        use_account(client, address)
        client.will_set(topic(self._device, "status"), OFFLINE, qos=1, retain=True)
        client.connect_timeout = _CONNECT_S
        client.max_inflight_messages_set(_IN_FLIGHT)
        client.max_queued_messages_set(_IN_FLIGHT)
        client.reconnect_delay_set(min_delay=1, max_delay=10)
        client.on_connect = self._on_connect
        client.on_connect_fail = lambda _client, _userdata: self._fail(self._unreachable)
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = lambda _client, _userdata, message: self._on_ack(
            bytes(message.payload)
        )
        return client

    def set_info(self, info: bytes) -> None:
        """Bytes of the retained info topic, published now and after each reconnect."""
        self._info = info
        if self.ready:
            self._client.publish(topic(self._device, "info"), info, retain=True)

    def publish(self, frame: bytes) -> bool:
        """Hand a frame to the broker; False if it is not there. Only the gateway's ack counts."""
        if not self.ready:
            return False
        sent = self._client.publish(topic(self._device, "up"), frame, qos=1)
        return bool(sent.rc == paho.MQTT_ERR_SUCCESS)

    def close(self) -> None:
        """Say offline and leave; waits for paho's thread, 5 s at most while it connects."""
        if self.ready:
            said = self._client.publish(topic(self._device, "status"), OFFLINE, qos=1, retain=True)
            with contextlib.suppress(RuntimeError, ValueError):  # not sent: the will says it
                said.wait_for_publish(_GOODBYE_S)
        self._client.disconnect()
        self._client.loop_stop()
        self.ready = False

    def _on_connect(self, client, _userdata, _flags, reason, _properties) -> None:  # type: ignore[no-untyped-def]
        if reason.is_failure:
            self._fail(f"broker refused: {refusal(reason)}")
        else:
            client.subscribe(topic(self._device, "ack"), 1)

    def _on_subscribe(self, client, _userdata, _mid, granted, _properties) -> None:  # type: ignore[no-untyped-def]
        if granted[0].is_failure:
            self._fail(f"broker refused the subscription of {topic(self._device, 'ack')}")
            return
        if self._info:
            client.publish(topic(self._device, "info"), self._info, retain=True)
        client.publish(topic(self._device, "status"), ONLINE, retain=True)
        self.sessions += 1
        self.ready = True

    def _fail(self, reason: str) -> None:
        self.reason = reason
        self.failures += 1

    def _on_disconnect(self, _client, _userdata, _flags, _reason, _properties) -> None:  # type: ignore[no-untyped-def]
        if self.ready:
            self.reason = self._unreachable
        self.ready = False
