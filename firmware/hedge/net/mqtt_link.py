"""The link over our own MQTT client: sessions, QoS 1, will, TLS.

DESIGN: uplink -> gateway: frames on hedge/<device>/up; acks on hedge/<device>/ack, both QoS 1.
Nothing blocks but what tcp.py names: looking up a host name, and the arithmetic of TLS.
"""

from collections import deque

from ..core import log
from ..core.errors import LinkError
from .link import Link
from .mqtt import Client
from .tcp import Tcp
from .topics import OFFLINE, ONLINE, topic

_MAX_PACKET_BYTES = 512  # what comes in is acks: 255 bytes at most, and their topic
_ACKS_KEPT = 8  # acks are watermarks: a dropped one is asked for again by a resent frame


class MqttLink(Link):
    """Publishes frames and takes acks; tells the world `online` and, by its will, `offline`.

    The device's name is the MQTT client id too: a second node of that name takes the session away.
    tls: a `tls.SSLContext` (see tls_context.client_context) or None.
    server_hostname: the name in the broker's certificate where it differs from host.
    info: bytes for the retained hedge/<device>/info, published after each connect.
    timeout_ms: limit of every wait for the broker.
    acks_dropped: acks that came faster than recv() took them.
    open_stream: replaces the TCP connection, for tests and other transports.
    version: of MQTT, 4 is 3.1.1, or 5: topic aliases make frames shorter, refusals say why.
    """

    def __init__(
        self,
        host,
        port,
        device,
        user=None,
        password=None,
        tls=None,
        keepalive_s=60,
        info=b"",
        server_hostname=None,
        timeout_ms=10000,
        open_stream=None,
        version=4,
    ):
        self._device = device
        self._info = info
        self._acks = deque((), _ACKS_KEPT)  # noqa: RUF037  MicroPython's deque wants both
        self.acks_dropped = 0
        self._client = Client(
            open_stream or Tcp(host, port, tls, server_hostname).open,
            device,
            user=user,
            password=password,
            keepalive_s=keepalive_s,
            will=(topic(device, "status"), OFFLINE, 1, True),
            on_message=self._on_message,
            max_packet_bytes=_MAX_PACKET_BYTES,
            timeout_ms=timeout_ms,
            resend_lost=False,  # the uplink sends again from the store
            version=version,
            # a day: after that the store sends again anyway
            **({"session_expiry_s": 86400} if version == 5 else {}),
        )

    @property
    def bytes_sent(self):
        return self._client.bytes_sent

    async def connect(self):
        kept = await self._client.connect()
        # Always: a broker that kept the session may have lost or never had this subscription.
        await self._client.subscribe(topic(self._device, "ack"), 1)
        # QoS 0: if the connection breaks, the next connect says both again.
        if self._info:
            await self._tell("info", self._info)
        await self._tell("status", ONLINE)
        return kept

    async def _tell(self, part, payload):
        told = self._client.told or {}
        retain = told.get("retain_available", True)  # MQTT 5 says if it is not
        await self._client.publish(topic(self._device, part), payload, retain=retain)

    async def send(self, frame):
        await self._client.publish(topic(self._device, "up"), frame, qos=1, wait=False)

    async def recv(self):
        while not self._acks:
            await self._client.wait_change()
        return self._acks.popleft()

    async def close(self):
        if self._client.connected:
            try:
                await self._tell("status", OFFLINE)
            except (LinkError, OSError) as e:
                log.debug("mqtt", "offline not told, the will does: %r", e)
        await self._client.disconnect()

    def _on_message(self, name, payload, retain, properties=None):
        if name != topic(self._device, "ack"):
            return
        if len(self._acks) == _ACKS_KEPT:
            self._acks.popleft()
            self.acks_dropped += 1
        self._acks.append(payload)


PORT = 1883  # where cfg has none, without TLS


def make(cfg, device, info, open_stream=None):
    """See link.make_link. open_stream: in place of TCP, where a modem has the network."""
    tls = None
    if cfg.get("tls"):
        from .tls_context import client_context

        tls = client_context(cfg.get("ca"), cfg.get("cert"), cfg.get("cert_key"))
    return MqttLink(
        cfg["host"],
        cfg.get("port") or (8883 if tls else PORT),
        device,
        user=cfg.get("user"),
        password=cfg.get("password"),
        tls=tls,
        server_hostname=cfg.get("server_hostname"),
        keepalive_s=cfg.get("keepalive_s") or 60,
        info=info,
        timeout_ms=cfg.get("timeout_ms") or 10000,
        open_stream=open_stream,
        version=cfg.get("version") or 4,
    )
