"""The gateway's own MQTT session: frames in, acks out.

Durable session (clean_session False, fixed client id) and manual acknowledgement: the broker's
PUBACK is sent after our commit, so what was not committed when the gateway died comes again.
"""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from hedgerow.errors import GatewayError
from hedgerow.gateway.messages import Inbound, Outbound

_log = logging.getLogger("hedgerow.gateway.mqtt")

TOPICS = ("hedge/+/up", "hedge/+/status", "hedge/+/info")
_KEEPALIVE_S = 20
_CONNECT_S = 15.0
_REFUSED = {4: "wrong user or password", 5: "not authorised", 134: "wrong user or password"}
_REFUSED[135] = "not authorised"  # MQTT 5 numbers, which paho also uses for 3.1.1


@dataclass(frozen=True)
class BrokerAddress:
    """Where a broker listens and the account to use there.

    tls: encrypted, its certificate checked against ca, a PEM file; None: what the system trusts.
    """

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    tls: bool = False
    ca: Path | None = None

    def __repr__(self) -> str:  # not the password
        return f"{self.host}:{self.port}"


def use_account(client: paho.Client, address: BrokerAddress) -> None:
    """User, password and TLS of an address; and no packet waits for another's acknowledgement.

    Raises GatewayError if its ca is no certificate.
    """
    client.on_socket_open = _send_at_once
    if address.user is not None:
        client.username_pw_set(address.user, address.password)
    if address.tls:
        try:
            client.tls_set(None if address.ca is None else str(address.ca))
        except OSError as error:  # ssl.SSLError is one
            raise GatewayError(
                f"{address.ca}: no certificate of an authority: {error}; expected a PEM file"
            ) from error


def _send_at_once(_client: paho.Client, _userdata: object, sock: Any) -> None:
    """An ack behind a PUBACK left 40 ms late: a broker's TCP delays what acknowledges a PUBACK."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def refusal(reason: ReasonCode) -> str:
    """In words, why a broker refused a connection."""
    return _REFUSED.get(reason.value, str(reason))


class MqttSession:
    """receive(message, done) is called in paho's thread and may block to slow the broker down.

    client_id: names the durable session; two gateways at one broker need two.
    """

    def __init__(
        self,
        address: BrokerAddress,
        client_id: str,
        receive: Callable[[Inbound, Callable[[], None]], None],
    ):
        self._address = address
        self._receive = receive
        self._session = 0  # counts connections: a PUBACK must not reach a later session
        self._first = threading.Event()
        self._refusal = ""
        self.connected = False
        self._client = self._make_client(client_id)

    def _make_client(self, client_id: str) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            manual_ack=True,
        )
        use_account(client, self._address)
        client.max_inflight_messages_set(1000)
        client.max_queued_messages_set(10000)
        client.reconnect_delay_set(min_delay=1, max_delay=10)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def start(self) -> None:
        """Connect and subscribe; later losses are repaired by paho's thread for ever.

        Blocks up to 15 s. Raises GatewayError if the broker refuses or cannot be reached.
        """
        try:
            self._client.connect(self._address.host, self._address.port, _KEEPALIVE_S)
        except ssl.SSLCertVerificationError as error:
            raise GatewayError(
                f"broker {self._address}: its certificate is not trusted: {error.verify_message}; "
                f"check --ca, and that --broker has the name in the certificate"
            ) from error
        except OSError as error:
            raise GatewayError(
                f"broker {self._address} cannot be reached: {error}; check --broker, or leave "
                f"it out to start one here"
            ) from error
        self._client.loop_start()
        if not self._first.wait(_CONNECT_S):
            self.stop()
            raise GatewayError(f"broker {self._address} does not answer as MQTT: check the port")
        if self._refusal:
            self.stop()
            raise GatewayError(
                f"broker {self._address} refused the gateway: {self._refusal}; check user and "
                f"password (--user, --password-file, or mqtt://user:password@host)"
            )

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, out: Outbound) -> None:
        """Send one ack, QoS 1. While there is no connection it is dropped: the node asks again."""
        if self.connected:
            self._client.publish(out.topic, out.data, qos=1)

    def _on_connect(self, client, _userdata, _flags, reason, _properties) -> None:  # type: ignore[no-untyped-def]
        if reason.is_failure:
            self._refusal = refusal(reason)
            if self._first.is_set():
                _log.error("broker %r refused: %s", self._address, self._refusal)
        else:
            self._session += 1
            client.subscribe([(topic, 1) for topic in TOPICS])
            if self._session > 1:
                _log.warning("broker %r is back", self._address)
            self.connected = True
        self._first.set()

    def _on_disconnect(self, _client, _userdata, _flags, reason, _properties) -> None:  # type: ignore[no-untyped-def]
        if self.connected and reason.is_failure:
            _log.warning("lost the broker %r: %s", self._address, reason)
        self.connected = False

    def _on_message(
        self, client: paho.Client, _userdata: object, message: paho.MQTTMessage
    ) -> None:
        session, mid, qos = self._session, message.mid, message.qos

        def done() -> None:
            if session == self._session and self.connected:
                client.ack(mid, qos)

        topic = _topic(message)
        self._receive(Inbound(topic, bytes(message.payload), time.time()), done)


def _topic(message: paho.MQTTMessage) -> str:
    try:
        return str(message.topic)
    except (
        UnicodeDecodeError
    ):  # paho decodes lazily; a topic of wild bytes must not end its thread
        return "?"
