"""A CoAP client for one server: requests, bodies in blocks, observation.

    client = Client(Udp.to("192.168.1.2", 5683))
    client.start()
    response = await client.request(GET, "sensors/temp")
    if response.code == CONTENT: print(response.payload)
    client.close()

RFC 7252; Block1 and Block2 (7959); Echo and Request-Tag (9175). One request is under way at a time
until the server has acknowledged it (NSTART = 1), any number of tasks may ask.
"""

import asyncio
import time

from ...core.errors import LinkError
from . import block, options
from . import numbers as n
from .body import Assembly, Pieces, block_of
from .endpoint import Endpoint
from .message import Message, option_bytes

MAX_BODY_BYTES = 4096
_BLOCK_BYTES = 512
_KEPT_SEALED = 4  # so that a forged response does not displace the true one
_REPEATABLE = (n.GET, n.FETCH, n.PUT, n.DELETE)  # RFC 7252 5.1: twice is as once
_TRIES = 3  # of a body that changes while it is fetched, or of which a server forgot the start


class Client:
    """udp: connected, see udp.py and dtls.py. secure: an oscore.client.Secured, or None.

    block_bytes: largest piece of a body, 16 to 1024. max_body_bytes: of a response; more is a
    LinkError. limit_ms: how long a response may take once the server has the request. timing:
    ack_timeout_ms, max_retransmit. Every failure of the network or the peer is a LinkError.
    """

    def __init__(
        self,
        udp,
        secure=None,
        block_bytes=_BLOCK_BYTES,
        max_body_bytes=MAX_BODY_BYTES,
        limit_ms=60000,
        **timing,
    ):
        self._secure = secure
        self._szx = block.szx_of(block_bytes)
        self._max_body_bytes = max_body_bytes
        self._limit_ms = limit_ms
        self._lock = asyncio.Lock()
        self._task = None
        self._tags = 0
        self.endpoint = Endpoint(udp, **timing)

    def start(self):
        """Begin to receive."""
        self._task = asyncio.create_task(self.endpoint.run())

    def close(self):
        """Stop receiving, free the socket. Any number of times."""
        if self._task:
            self._task.cancel()
            self._task = None
        self.endpoint.close()

    @property
    def bytes_sent(self):
        return self.endpoint.bytes_sent

    async def ping(self):
        """Returns if the server lives."""
        await self.endpoint.ping()

    async def request(self, code, path, payload=b"", more=(), kind=n.CON):
        """The response Message with its whole body.

        path: "a/b?x=1&y=2". payload: bytes-like. more: list of (option number, bytes, str or
        uint). kind: CON or NON.
        """
        head = request_options(path, more)
        for _ in range(_TRIES):
            response = await self._upload(kind, code, head, payload)
            if response.code == n.INCOMPLETE and len(payload) > 16 << self._szx:
                continue  # the server lost the first blocks, e.g. it started anew
            whole = await self._download(kind, code, head, response)
            if whole is not None:
                return whole
            if code not in _REPEATABLE:
                raise LinkError("coap: the answer of %s changed while it was fetched" % path)
        raise LinkError("coap: the body of %s changes faster than it can be fetched" % path)

    async def _upload(self, kind, code, head, payload):
        """The response to the last block of payload; one block is the usual case (7959 2.5)."""
        if len(payload) <= 16 << self._szx:
            return await self.exchange(Message(kind, code, options=list(head), payload=payload))
        self._tags = self._tags + 1 & 0xFF
        head = head + [(n.REQUEST_TAG, bytes((self._tags,)))]  # 9175 3.4
        pieces = Pieces(payload, self._szx)
        while True:
            response = await self.exchange(pieces.message(kind, code, head))
            if not pieces.advance(response):
                return response

    async def _download(self, kind, code, head, response):
        """The response with the rest of its body; None when the body changed meanwhile (2.4)."""
        first = block_of(response, n.BLOCK2)
        if first is None or not (first.more or first.num):
            return response
        body = Assembly(response, self._max_body_bytes)
        while body.more:
            ask = Message(kind, code, options=[p for p in head if p[0] != n.OBSERVE])
            ask.set(n.BLOCK2, body.next_block().encode())
            if not body.add(await self.exchange(ask)):
                return None
        response.payload = body.payload()
        return response

    async def complete(self, head, response):
        """A notification with the rest of its body, or None if it changed meanwhile."""
        return await self._download(n.CON, n.GET, head, response)

    async def exchange(self, message):
        """One request as it is, one response; Echo is answered (9175 2.3). Raises LinkError."""
        response = await self._once(message)
        echo = response.get(n.ECHO)
        if response.code == n.UNAUTHORIZED and echo is not None:
            message.set(n.ECHO, echo)
            response = await self._once(message)
        return response

    async def _once(self, message):
        sealed = self._secure.seal(message) if self._secure else None
        waiter = self.endpoint.watch(None, _KEPT_SEALED if sealed else 1)
        try:
            await self.endpoint.ask(sealed.message if sealed else message, waiter, self._lock)
            return await receive(waiter, sealed, self._limit_ms)
        finally:
            self.endpoint.forget(waiter)

    async def observe(self, path, more=()):
        """An Observation, registered (7641). Raises LinkError if the server cannot do that."""
        from .observation import Observation

        found = Observation(self, request_options(path, more), self._secure, self._limit_ms)
        await found.register(self._lock)
        return found


def request_options(path, more=()):
    """List of (number, bytes) for "a/b?x=1&y" and more options."""
    path, _, query = path.partition("?")
    found = [(n.URI_PATH, part.encode()) for part in path.split("/") if part]
    found += [(n.URI_QUERY, part.encode()) for part in query.split("&") if part]
    return found + [(number, option_bytes(value)) for number, value in more]


async def receive(waiter, sealed, limit_ms):
    """The next response that holds. Raises LinkError after limit_ms without one.

    sealed: of the request, or None. A response that its key does not fit is a stranger's and is
    passed over: it must not end the wait for the true one.
    """
    begin_ms = time.ticks_ms()
    while True:
        left_ms = limit_ms - time.ticks_diff(time.ticks_ms(), begin_ms)
        response = await waiter.next(max(left_ms, 0))
        if sealed is None:
            return checked(response)
        opened = sealed.open(response)
        if opened is not None:
            return checked(opened)


def checked(response):
    """The response without options to be ignored. LinkError if one is critical and unknown."""
    unknown = options.sift(response)
    if unknown is not None:
        raise LinkError("coap: the response has option %d, which is not understood" % unknown)
    return response
