"""umqtt.simple's interface on our own codec, so that code written for it runs unchanged.

    from hedge.net.umqtt import MQTTClient

    client = MQTTClient("bed-3", "192.168.1.2", keepalive=60)
    client.set_callback(lambda topic, msg: print(topic, msg))
    client.connect()
    client.subscribe(b"garden/pump")
    client.publish(b"garden/vwc", b"23.4", qos=1)
    client.check_msg()

It blocks, as umqtt.simple does. What is better: one write per packet, malformed packets raise
instead of running on, packet ids wrap, every answer has a time limit, a packet of more than
max_packet_bytes is dropped instead of eating the heap. MicroPython sockets only (they have read
and write). Takes the arguments of umqtt.simple 1.3 (ssl=True and ssl_params) and of later ones
(ssl=context, connect's timeout).
"""

import socket
import time

from ..core.errors import LinkError
from . import mqtt_codec as codec
from .mqtt_state import Inflight

_ANSWER_S = 10  # default limit of CONNACK, PUBACK, SUBACK and of the rest of a begun packet


class MQTTException(Exception):
    """The broker refused: args[0] is the CONNACK or SUBACK code, args[1] says it in words."""


class MQTTClient:
    """Same names and meanings as umqtt.simple; topics and messages are bytes or str going out,
    bytes coming in. Errors: MQTTException (refused), OSError (network, end of stream, silence),
    LinkError (the broker broke the protocol).
    """

    def __init__(
        self,
        client_id,
        server,
        port=0,
        user=None,
        password=None,
        keepalive=0,
        ssl=None,
        ssl_params=None,
        max_packet_bytes=1024,
    ):
        self.client_id = client_id
        self.server = server
        self.port = port or (8883 if ssl else 1883)
        self.user = user
        self.pswd = password
        self.keepalive = keepalive
        self.ssl = ssl
        self.ssl_params = ssl_params or {}
        self.sock = None
        self.cb = None
        self.oversized = 0
        self._will = None
        self._timeout_s = _ANSWER_S
        self._ids = Inflight()
        self._parser = codec.Parser(max_packet_bytes)

    def set_callback(self, f):
        """f(topic: bytes, msg: bytes); runs inside wait_msg, check_msg, publish and subscribe."""
        self.cb = f

    def set_last_will(self, topic, msg, retain=False, qos=0):
        if not topic or not 0 <= qos <= 2:
            raise ValueError("will needs a topic and a qos of 0..2")
        self._will = (topic, msg, qos, retain)

    def connect(self, clean_session=True, timeout=None):
        """Returns True if the broker still had the session. timeout: seconds for each answer."""
        self._timeout_s = timeout or _ANSWER_S
        self._parser.reset()
        self.sock = self._open()
        user, password = (self.user, self.pswd) if self.user else (None, None)
        hello = codec.connect(
            self.client_id, self.keepalive, clean_session, self._will, user, password
        )
        self.sock.write(hello)
        packet = self._wait_for(codec.CONNACK)
        if packet[2]:
            self.sock.close()
            raise MQTTException(packet[2], codec.refusal(packet[2]))
        return packet[1]

    def _open(self):
        address = socket.getaddrinfo(self.server, self.port, 0, socket.SOCK_STREAM)[0]
        sock = socket.socket(address[0], address[1], address[2])
        try:
            sock.settimeout(self._timeout_s)
            sock.connect(address[-1])
            return self._wrap(sock) if self.ssl else sock
        except BaseException:  # whatever it was, the socket must not leak
            sock.close()
            raise

    def _wrap(self, sock):
        if hasattr(self.ssl, "wrap_socket"):
            return self.ssl.wrap_socket(sock, server_hostname=self.server)
        import ssl

        return ssl.wrap_socket(sock, **self.ssl_params)

    def disconnect(self):
        self.sock.write(codec.DISCONNECT_PACKET)
        self.sock.close()

    def ping(self):
        """The answer is taken by wait_msg or check_msg."""
        self.sock.write(codec.PINGREQ_PACKET)

    def publish(self, topic, msg, retain=False, qos=0):
        """Blocks at QoS 1 until PUBACK; QoS 2 raises ValueError."""
        if qos > 1:
            raise ValueError("QoS 2 is not supported")
        packet_id = self._ids.new_id() if qos else 0
        self.sock.write(codec.publish(topic, _bytes(msg), qos, retain, packet_id))
        if qos:
            self._wait_for(codec.PUBACK, packet_id)

    def subscribe(self, topic, qos=0):
        if self.cb is None:
            raise ValueError("set_callback first")
        if qos > 1:
            raise ValueError("QoS 2 is not supported")
        packet_id = self._ids.new_id()
        self.sock.write(codec.subscribe(packet_id, topic, qos))
        code = self._wait_for(codec.SUBACK, packet_id)[2][0]
        if code == codec.SUBSCRIBE_FAILED:
            raise MQTTException(code, "subscription denied")

    def wait_msg(self):
        """Block until one packet came and was handled; returns its first byte's type, as umqtt.

        None for PINGRESP. Without a limit until a packet begins, as umqtt.simple.
        """
        self.sock.setblocking(True)
        return self._step()

    def check_msg(self):
        """The same if a packet is waiting, else None at once."""
        self.sock.setblocking(False)
        return self._step()

    def _step(self):
        packet = self._take()
        if packet is None or packet[0] == codec.PINGRESP:
            return None
        return min(packet[0], codec.PUBLISH if packet[0] == codec.OVERSIZED else 15) << 4

    def _wait_for(self, kind, packet_id=None):
        """Handle packets until this answer comes. OSError when it does not in time."""
        start_ms = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), start_ms) < self._timeout_s * 1000:
            self._limit()
            packet = self._take()
            if packet and packet[0] == kind and packet_id in (None, packet[1]):
                return packet
        raise OSError("no answer in %d s" % self._timeout_s)

    def _take(self):
        """Read and handle one packet; None if none had begun and the socket does not block."""
        packet = self._parser.next()
        while packet is None:
            if not self._read():
                return None
            packet = self._parser.next()
        self._handle(packet)
        return packet

    def _read(self):
        space = self._parser.space()
        data = self.sock.read(self._parser.wanted())
        if data is None:
            return False
        if not data:
            raise OSError("broker closed the connection")
        space[: len(data)] = data
        self._parser.feed(len(data))
        self._limit()  # the rest of a begun packet is waited for
        return True

    def _limit(self):
        if hasattr(self.sock, "settimeout"):
            self.sock.settimeout(self._timeout_s)
        else:
            self.sock.setblocking(True)  # a TLS socket; its TCP socket keeps the limit

    def _handle(self, packet):
        kind = packet[0]
        if kind == codec.PUBLISH:
            codec.need(packet[3] < 2, "PUBLISH of QoS 2, subscribed with at most 1")
            self.cb(packet[1].encode(), packet[2])
            if packet[3]:
                self.sock.write(codec.ack(codec.PUBACK, packet[6]))
        elif kind == codec.OVERSIZED:
            self.oversized += 1
            if packet[2]:
                self.sock.write(codec.ack(codec.PUBACK, packet[3]))


def _bytes(value):
    return value.encode() if isinstance(value, str) else value


__all__ = ("LinkError", "MQTTClient", "MQTTException")
