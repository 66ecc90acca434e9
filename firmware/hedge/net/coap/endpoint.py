"""The message layer (RFC 7252 section 4): confirmable or not, acknowledged, repeated, once.

    endpoint = Endpoint(udp)
    task = asyncio.create_task(endpoint.run())
    response = await endpoint.request(Message(CON, GET, options=[(URI_PATH, b"temp")]), addr)

Datagrams -> messages -> requests to on_request, responses to whoever waits for their token. A
malformed or stray datagram is counted, reset where the RFC wants it, and changes nothing.

udp offers: `await recv()` -> (bytes-like, addr); `send(data, addr)`, at once, raises OSError;
`close()`. addr is None on a socket that has one peer.
"""

import asyncio

from ...core import log
from ...core.errors import FrameError, LinkError
from . import numbers as n
from .message import Message, decode, peek
from .recent import Recent
from .sender import Sender
from .waiter import ANY

_ACK_DELAY_MS = 150  # a handler that takes longer is answered separately (5.2.2)
_PAUSE_MS = 100  # after a socket error, so that a broken socket does not spin


class Endpoint(Sender):
    """on_request(message, addr): the response Message, a coroutine that returns it, or None.

    It must not raise; kind, mid and token of what it returns are set here. on_reset(mid, addr):
    a peer refused what we sent under that mid. max_tasks: requests answered by coroutines at once;
    more are told 5.03. timing: see Sender. malformed, duplicates, resets, busy: counted.
    """

    def __init__(
        self,
        udp,
        on_request=None,
        on_reset=None,
        max_tasks=4,
        recent=16,
        **timing,
    ):
        super().__init__(udp, **timing)
        self._on_request = on_request
        self._on_reset = on_reset
        self._max_tasks = max_tasks
        self._recent = Recent(recent)
        self._tasks = set()
        self.malformed = 0
        self.duplicates = 0
        self.resets = 0
        self.busy = 0

    # Receiving

    async def run(self):
        """Take datagrams until cancelled; no datagram and no socket error ends it.

        Only a LinkError does (there is no DTLS session): all who wait are told it.
        """
        while True:
            try:
                data, addr = await self._udp.recv()
                self.handle(data, addr)
            except OSError as e:  # e.g. ECONNREFUSED: the peer's port is closed for now
                log.debug("coap", "receive: %r", e)
                await asyncio.sleep_ms(_PAUSE_MS)
            except MemoryError:
                self.malformed += 1  # as good as lost: the peer sends again
            except LinkError as e:
                self.fail(e)
                return

    def handle(self, data, addr=None):
        """Act on one datagram (bytes-like, may be reused afterwards)."""
        try:
            message = decode(data)
        except FrameError as e:
            self._handle_malformed(data, addr, e)
            return
        if message.kind in (n.ACK, n.RST):
            self._handle_ack(message, addr)
        elif message.code == n.EMPTY:
            if message.kind == n.CON:  # a ping (4.3)
                self._send_empty(n.RST, message.mid, addr)
        elif n.is_request(message.code):
            self._handle_request(message, addr)
        else:
            self._handle_response(message, addr)

    def _handle_malformed(self, data, addr, error):
        self.malformed += 1
        log.debug("coap", "ignored: %s", error)
        head = peek(data)
        if head and head[0] == n.CON:  # 4.2: reject it, so that it is not sent again
            self._send_empty(n.RST, head[1], addr)

    def _handle_ack(self, message, addr):
        exchange = self._exchanges.get(message.mid)
        if exchange is None or exchange.addr != addr:
            if message.kind == n.RST and self._on_reset:
                self._on_reset(message.mid, addr)
            return
        if message.kind == n.RST:
            self.resets += 1
            exchange.finish(reset=True)
        elif message.code == n.EMPTY or self._deliver(message, addr):  # or piggybacked (5.2.1)
            exchange.finish()

    def _handle_response(self, message, addr):
        if message.kind == n.CON:
            entry = self._recent.find(addr, message.mid)
            if entry is not None:
                self._repeat(entry, addr)
                return
        if self._deliver(message, addr):
            if message.kind == n.CON:
                entry = self._recent.add(addr, message.mid)
                entry.answer = self._send_empty(n.ACK, message.mid, addr)
        elif message.kind == n.CON or message.get(n.OBSERVE) is not None:
            self._send_empty(n.RST, message.mid, addr)  # 7641 3.6: a forgotten observation

    def _deliver(self, message, addr):
        """True if somebody waits for this response."""
        waiter = self._waiters.get(message.token)
        if waiter is None or not (waiter.addr is ANY or waiter.addr == addr):
            return False
        waiter.put(message, addr)
        return True

    def _repeat(self, entry, addr):
        self.duplicates += 1
        if entry.answer is not None:
            self._send(entry.answer, addr)

    # Answering requests

    def _handle_request(self, request, addr):
        entry = self._recent.find(addr, request.mid)
        if entry is not None:
            self._repeat(entry, addr)
            return
        entry = self._recent.add(addr, request.mid)
        if self._on_request is None:
            if request.kind == n.CON:
                entry.answer = self._send_empty(n.RST, request.mid, addr)
            return
        answer = self._on_request(request, addr)
        if not hasattr(answer, "send"):
            self._answer(request, answer, entry)
        elif len(self._tasks) < self._max_tasks:
            task = asyncio.create_task(self._answer_later(request, answer, entry))
            self._tasks.add(task)
        else:
            answer.close()
            self.busy += 1
            self._answer(request, Message(n.ACK, n.UNAVAILABLE), entry)

    def _answer(self, request, response, entry):
        """Answer at once; the ACK carries the response (5.2.1)."""
        if response is None:
            if request.kind == n.CON:
                entry.answer = self._send_empty(n.ACK, request.mid, entry.addr)
            return
        response.token = request.token
        if request.kind == n.CON:
            response.kind, response.mid = n.ACK, request.mid
        else:
            response.kind, response.mid = n.NON, self.new_mid()
        data = self._encoded(response)
        if request.kind == n.CON:
            entry.answer = data
        self._send(data, entry.addr)

    def _encoded(self, response):
        try:
            return response.encode()
        except ValueError as e:  # a handler's option does not fit
            log.warn("coap", "answer: %s", e)
            return Message(response.kind, n.INTERNAL_ERROR, response.mid, response.token).encode()

    async def _answer_later(self, request, answer, entry):
        promise = None
        try:
            if request.kind == n.CON:
                promise = asyncio.create_task(self._promise(request, entry))
            response = await answer
            if promise:
                promise.cancel()
            if request.kind == n.CON and entry.answer is not None and response is not None:
                await self._answer_separately(request, response, entry.addr)
            elif entry.answer is None:
                self._answer(request, response, entry)
        except (LinkError, OSError) as e:
            log.debug("coap", "separate response: %r", e)
        finally:
            if promise:
                promise.cancel()
            self._tasks.discard(asyncio.current_task())

    async def _promise(self, request, entry):
        """An empty ACK when the handler takes its time: the client stops repeating."""
        await asyncio.sleep_ms(_ACK_DELAY_MS)
        entry.answer = self._send_empty(n.ACK, request.mid, entry.addr)

    async def _answer_separately(self, request, response, addr):
        response.token = request.token
        response.kind = n.CON
        await self.confirm(response, addr)

    def close(self):
        """Free the socket and end the answers under way. The owner cancels run()."""
        for task in list(self._tasks):
            task.cancel()
        self._tasks.clear()
        self._udp.close()
