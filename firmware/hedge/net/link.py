"""The interface every link offers, and the one place that picks a link by its kind.

DESIGN: uplink -> gateway carries frames (version, device, boot, stream, seq, SenML-CBOR pack) of
at most 200 bytes; acks (generation, time, watermarks) come back.

    link = make_link({"kind": "mqtt", "host": "192.168.1.2", "port": 1883}, "bed-3", info)
    kept = await link.connect()
    await link.send(frame)
    ack = await link.recv()
    await link.close()
"""

from ..core.errors import ConfigError
from ..wire.frame import MAX_FRAME_BYTES

_PACKAGE = __name__.rpartition(".")[0] + "."


def shown(said, most=100):
    """What a peer said, for a message: its ASCII, at most that much; all else is a "?"."""
    return "".join([chr(c) if 32 <= c < 127 else "?" for c in said[:most]])


class Link:
    """What the uplink needs of a link. One task sends, one other task receives.

    bytes_sent: bytes handed to the socket since construction, headers and keepalive included,
    TLS records and TCP/IP headers not.
    """

    bytes_sent = 0
    # What the uplink loop keeps to, where a link differs from a TCP connection:
    window = 8  # frames under way at once
    ack_timeout_ms = 10000
    max_frame_bytes = MAX_FRAME_BYTES
    hurry = None  # its wait() returns when connecting at once is worth it (an Event), or None

    async def connect(self):
        """Open a session. Raises LinkError or OSError when the peer refuses or stays silent.

        True: what was sent in the session before and not yet acknowledged is still on its way.
        False: it may be lost, so the caller starts again from its oldest unacknowledged record.
        """
        raise NotImplementedError

    async def send(self, frame):
        """Hand over one frame (bytes-like, copied if kept). Returns before the gateway has it.

        Raises LinkError or OSError when the session ended; may wait a bounded time for room.
        """
        raise NotImplementedError

    async def recv(self):
        """The next ack (bytes, owned by the caller). Waits while the session is healthy.

        Raises LinkError or OSError once the session has ended.
        """
        raise NotImplementedError

    async def close(self):
        """End the session; may be called at any time, any number of times. Never raises."""
        raise NotImplementedError


# Each is <kind>_link.py beside this file, with make(cfg, device, info): what a board does not use
# is never imported.
KINDS = ("mqtt", "coap", "lorawan", "http", "serial", "cellular", "espnow", "umqtt", "failover")


def make_link(cfg, device=None, info=b""):
    """Build the link that the `uplink` part of a compiled node file describes.

    cfg: dict with kind ("mqtt" | "umqtt"), host, and optionally port, user, password, tls (bool),
    ca (path of a PEM or DER file), server_hostname (when it differs from host), keepalive_s;
    mqtt: version (4 is 3.1.1, or 5), cert and cert_key (the node's own); umqtt: client ("simple":
    the board's umqtt.simple, "hedge": our own); and device. Other kinds: see their `make`.
    device: the name in the topics and the MQTT client id; falls back on cfg["device"].
    info: bytes published, retained, on hedge/<device>/info after each connect.
    Raises ConfigError if the kind is unknown or a file of certificates cannot be read.
    """
    kind = cfg.get("kind", "mqtt")
    if kind not in KINDS:
        raise ConfigError("uplink kind %r: one of %s" % (kind, ", ".join(KINDS)))
    module = __import__(_PACKAGE + kind + "_link", None, None, ("make",))
    link = module.make(cfg, device or cfg["device"], info)
    if cfg.get("wifi"):
        from .wifi_link import over_wifi

        link = over_wifi(link, cfg["wifi"])
    return link
