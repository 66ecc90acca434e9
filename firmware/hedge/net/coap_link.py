"""The link over CoAP: a frame is POSTed, the ack is in the response. OSCORE or DTLS if configured.

DESIGN: uplink -> gateway: POST up/<device> with a frame, 2.04 with the ack; PUT info/<device> at
the begin of a session. A response that takes its time may come separately.

    [uplink]
    kind = "coap"
    host = "192.168.1.2"
    oscore_secret = "00112233445566778899aabbccddeeff"     # as in the gateway's --coap-keys

What blocks the loop: with DTLS the arithmetic of its handshake; looking up a host name where no
DNS server is known (resolver.py: with [wifi] it is).
"""

import asyncio

from ..core.errors import LinkError, StoreError
from .asking import AskingLink
from .coap import numbers as n
from .coap.client import Client

_MAX_RETRANSMIT = 3  # gives up after 30 to 45 s; the uplink's back-off goes on from there
_LIMIT_MS = 30000  # for a separate response: the gateway's disk may be slow
_ENDED = (LinkError, OSError, StoreError, MemoryError)


class CoapLink(AskingLink):
    """open_udp(doubted): awaited, gives what a Client takes; doubted: nobody answered at the one
    before. secure: an oscore.client.Secured, or None.

    timing: ack_timeout_ms, max_retransmit, limit_ms, for tests.
    """

    window = 4
    ack_timeout_ms = 60000  # past the time that CoAP repeats by itself

    def __init__(self, open_udp, device, info=b"", secure=None, **timing):
        AskingLink.__init__(self, set())  # tasks, each with a frame
        self._open_udp = open_udp
        self._up = "up/" + device
        self._info_path = "info/" + device
        self._info = info
        self._secure = secure
        self._timing = dict({"max_retransmit": _MAX_RETRANSMIT, "limit_ms": _LIMIT_MS}, **timing)
        self._client = None
        self._doubted = False  # since connecting began, until somebody answers
        self._bytes_before = 0  # of clients already closed

    @property
    def bytes_sent(self):
        return self._bytes_before + (self._client.bytes_sent if self._client else 0)

    async def connect(self):
        """CoAP has no sessions: the first exchange shows that the gateway is there."""
        await self.close()
        doubted, self._doubted = self._doubted, True
        self._client = Client(await self._open_udp(doubted), self._secure, **self._timing)
        self._client.start()
        self._is_open = True
        try:
            if self._info:
                _check(await self._client.request(n.PUT, self._info_path, self._info))
            else:
                await self._client.ping()
        except BaseException:  # cancelled too: the socket must not stay behind
            await self.close()
            raise
        self._doubted = False
        return False

    async def send(self, frame):
        await self._wait_for_room()
        post = self._post(self._client, bytes(frame))
        self._under_way.add(asyncio.create_task(post))

    async def _post(self, client, frame):
        try:
            response = await client.request(n.POST, self._up, frame)
            self._acks.append(_check(response).payload)
        except _ENDED as e:
            if client is self._client:
                self._fault = e
        finally:
            self._under_way.discard(asyncio.current_task())
            self._changed.set()

    async def close(self):
        for post in list(self._under_way):
            post.cancel()
        if self._client:
            self._bytes_before += self._client.bytes_sent
            self._client.close()
            self._client = None
        self._end()


def _check(response):
    """The response if it is 2.xx. Raises LinkError with what the gateway said."""
    if response.code >> 5 == 2:
        return response
    said = "".join([chr(c) if 32 <= c < 127 else "?" for c in response.payload[:60]])
    raise LinkError("gateway refused: %s %s" % (n.code_text(response.code), said))


def _opener(cfg):
    """Coroutine function that opens the socket of a session."""
    from .coap.udp import Udp

    host, port = cfg["host"], cfg.get("port")
    if not cfg.get("tls"):
        return lambda doubted: Udp.open_to(host, port or n.PORT, doubted)
    from .coap.dtls import Dtls
    from .tls_context import client_context

    context = client_context(cfg.get("ca"), cfg.get("cert"), cfg.get("cert_key"), dtls=True)
    name = cfg.get("server_hostname") or host

    async def open_dtls(doubted):
        return Dtls(await Udp.open_to(host, port or n.SECURE_PORT, doubted), context, name)

    return open_dtls


def _secured(cfg, device):
    if not cfg.get("oscore_secret"):
        return None
    from binascii import unhexlify

    from ..store.kv import KV
    from .coap.oscore.client import Secured
    from .coap.oscore.context import Context
    from .coap.oscore.identity import GATEWAY_ID, device_id
    from .coap.oscore.sequence import Sequence

    secret = unhexlify(cfg["oscore_secret"])
    numbers = Sequence(KV(cfg["oscore_numbers"], volume=cfg.get("volume")), device)
    return Secured(Context(secret, b"", device_id(device), GATEWAY_ID, numbers))


def make(cfg, device, info):
    """See link.make_link. oscore_numbers: path of the KV of sequence numbers, volume: its own."""
    return CoapLink(_opener(cfg), device, info, _secured(cfg, device))
