"""The link over any module with umqtt.simple's interface: the real one where a board has it.

    from umqtt import simple
    link = UmqttLink(simple, "192.168.1.2", 1883, "bed-3")

DESIGN: uplink -> gateway: frames on hedge/<device>/up; acks back on hedge/<device>/ack.

What umqtt.simple costs, beside mqtt_link:
- connect() blocks the whole node: name look-up, TCP and CONNACK, with the real module for as long
  as the port's TCP waits (over a minute on some). subscribe() blocks for a round trip. Rules and
  actuators stand still meanwhile: a pump's maximum on-time must not rest on the node's loop alone.
- publish blocks while the socket's buffer is full. At QoS 1 it also waits for PUBACK, so QoS 0 is
  the default: the gateway's ack covers it, lost frames are sent again from the store.
- A dead peer is noticed by the uplink's missing acks or a failing write, not by keepalive.
- Nothing stays in flight across sessions; the uplink starts again from its oldest record.
"""

import asyncio
import time
from collections import deque

from ..core import log
from ..core.errors import ConfigError, LinkError
from . import mqtt_codec as codec
from .link import Link
from .topics import OFFLINE, ONLINE, topic

_ACKS_KEPT = 8
# umqtt.simple checks its peer with assert and by indexing what may be None or empty.
_BROKEN = (AssertionError, IndexError, TypeError)


class _CountingSocket:
    """Stands before the client's socket and counts the bytes written."""

    def __init__(self, sock):
        self._sock = sock
        self.bytes_sent = 0

    def write(self, data, *size):
        n = self._sock.write(data, *size)
        self.bytes_sent += n or 0
        return n

    def __getattr__(self, name):
        return getattr(self._sock, name)


class UmqttLink(Link):
    """client_module: has MQTTClient and MQTTException with umqtt.simple's interface.

    qos: of the frames, 0 or 1. poll_ms: how often check_msg looks for acks.
    """

    def __init__(
        self,
        client_module,
        host,
        port,
        device,
        user=None,
        password=None,
        keepalive_s=60,
        info=b"",
        qos=0,
        poll_ms=50,
    ):
        self._module = client_module
        self._args = (device, host, port, user, password, keepalive_s)
        self._device = device
        self._keepalive_ms = keepalive_s * 1000
        self._info = info
        self._qos = qos
        self._poll_ms = poll_ms
        self._acks = deque((), _ACKS_KEPT)  # noqa: RUF037  MicroPython's deque wants both
        self._client = None
        self._sock = None
        self._sent_ms = 0
        self._bytes_sent = 0  # of sockets already closed
        self.acks_dropped = 0

    @property
    def bytes_sent(self):
        return self._bytes_sent + (self._sock.bytes_sent if self._sock else 0)

    async def connect(self):
        """Blocks the loop, see above. Always False: what was under way may be lost."""
        await self.close()
        self._client = self._call(self._module.MQTTClient, *self._args)
        self._client.set_callback(self._on_message)
        self._client.set_last_will(topic(self._device, "status"), OFFLINE, True, 1)
        try:
            self._call(self._client.connect, False)
            self._count_bytes()
            self._call(self._client.subscribe, topic(self._device, "ack").encode(), 1)
            self._announce()
        except BaseException:  # a half-open session must not stay behind
            self._drop()
            raise
        return False

    def _announce(self):
        if self._info:
            self._publish("info", self._info, True, 0)
        self._publish("status", ONLINE, True, 0)

    def _count_bytes(self):
        device, _, _, user, password, keepalive_s = self._args
        will = (topic(device, "status"), OFFLINE, 1, True)
        hello = codec.connect(device, keepalive_s, False, will, user, password)
        self._bytes_sent += len(hello)  # went out before its socket could be watched
        self._client.sock = self._sock = _CountingSocket(self._client.sock)

    async def send(self, frame):
        if self._sock is None:
            raise LinkError("not connected")
        self._publish("up", frame, False, self._qos)
        await asyncio.sleep_ms(0)

    def _publish(self, part, payload, retain, qos):
        name = topic(self._device, part).encode()
        self._call(self._client.publish, name, payload, retain, qos)
        self._sent_ms = time.ticks_ms()

    async def recv(self):
        while not self._acks:
            if self._sock is None:
                raise LinkError("not connected")
            self._call(self._client.check_msg)
            self._ping_if_due()
            if not self._acks:
                await asyncio.sleep_ms(self._poll_ms)
        return self._acks.popleft()

    def _ping_if_due(self):
        idle_ms = time.ticks_diff(time.ticks_ms(), self._sent_ms)
        if self._keepalive_ms and idle_ms >= self._keepalive_ms // 2:
            self._call(self._client.ping)
            self._sent_ms = time.ticks_ms()

    def _call(self, function, *args):
        """Call the module; its ways to fail become LinkError, OSError passes."""
        try:
            return function(*args)
        except self._module.MQTTException as e:
            raise LinkError("broker refused: " + _refusal(e))
        except _BROKEN as e:
            raise LinkError("umqtt: broken answer: %r" % e)

    async def close(self):
        if self._sock:
            try:
                self._publish("status", OFFLINE, True, 0)
                self._call(self._client.disconnect)
            except (LinkError, OSError) as e:
                log.debug("umqtt", "goodbye did not leave: %r", e)
        self._drop()

    def _drop(self):
        if self._sock:
            self._bytes_sent += self._sock.bytes_sent
        raw = self._client.sock if self._client else None
        self._client = self._sock = None
        if raw:
            try:
                raw.close()
            except OSError:
                pass  # reset by the peer; nothing left to free

    def _on_message(self, name, payload):
        if bytes(name) != topic(self._device, "ack").encode():
            return
        if len(self._acks) == _ACKS_KEPT:
            self._acks.popleft()
            self.acks_dropped += 1
        self._acks.append(bytes(payload))


def _refusal(error):
    code = error.args[0] if error.args else None
    return codec.refusal(code) if isinstance(code, int) else repr(error)


def _client_module(name):
    if name == "hedge":
        from . import umqtt as module
    else:
        try:
            from umqtt import simple as module
        except ImportError:
            raise ConfigError('uplink kind umqtt: no umqtt.simple here; use client = "hedge"')
    return module


def make(cfg, device, info):
    """See link.make_link."""
    if cfg.get("tls"):
        raise ConfigError("uplink kind umqtt: tls is not supported here; use kind mqtt")
    return UmqttLink(
        _client_module(cfg.get("client", "simple")),
        cfg["host"],
        cfg.get("port") or 1883,
        device,
        user=cfg.get("user"),
        password=cfg.get("password"),
        keepalive_s=cfg.get("keepalive_s") or 60,
        info=info,
    )
