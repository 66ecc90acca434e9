"""The sending half of the message layer (RFC 7252 section 4): ids, tokens, repetition.

    response = await sender.request(Message(CON, GET, options=[(URI_PATH, b"temp")]), addr)

endpoint.py has the receiving half, which tells exchanges and waiters what came.
"""

import os

from ...core import log
from ...core.errors import LinkError
from . import numbers as n
from .message import Message
from .waiter import Exchange, Waiter

ACK_TIMEOUT_MS = 2000  # 4.8
MAX_RETRANSMIT = 4


class Sender:
    """udp: see endpoint.py. retransmits, bytes_sent: counted."""

    def __init__(self, udp, ack_timeout_ms=ACK_TIMEOUT_MS, max_retransmit=MAX_RETRANSMIT):
        self._udp = udp
        self._ack_timeout_ms = ack_timeout_ms
        self._max_retransmit = max_retransmit
        self._exchanges = {}  # mid -> Exchange, not yet acknowledged
        self._waiters = {}  # token -> Waiter
        self._mid = int.from_bytes(os.urandom(2), "big")
        self._fault = None
        self.retransmits = 0
        self.bytes_sent = 0

    def fail(self, fault):
        """End every wait with this LinkError, those that are begun later too."""
        self._fault = fault
        for exchange in self._exchanges.values():
            exchange.finish()
        for waiter in self._waiters.values():
            waiter.fail(fault)

    def new_mid(self):
        """The next message id that nothing under way uses."""
        while True:
            self._mid = self._mid + 1 & 0xFFFF
            if self._mid not in self._exchanges:
                return self._mid

    def watch(self, addr, keep=1):
        """A Waiter with a new token; forget() it afterwards. keep: responses held, newest win."""
        while True:
            token = os.urandom(4)  # 5.3.1: not to be guessed by who does not see the traffic
            if token not in self._waiters:
                break
        waiter = self._waiters[token] = Waiter(addr, token, keep)
        return waiter

    def forget(self, waiter):
        """Responses with this token are strangers from now on."""
        self._waiters.pop(waiter.token, None)

    async def request(self, message, addr=None, limit_ms=60000, lock=None):
        """The response to a request, which is given a token of its own.

        limit_ms: how long it may take after the peer acknowledged it (or a NON was sent). lock:
        held until then, for NSTART = 1 (4.7). Raises LinkError when nobody answers or a RST
        comes.
        """
        waiter = self.watch(addr)
        try:
            await self.ask(message, waiter, lock)
            return await waiter.next(limit_ms)
        finally:
            self.forget(waiter)

    async def ask(self, message, waiter, lock=None):
        """Send a request under the waiter's token; returns once it is known to have arrived."""
        message.token = waiter.token
        if message.kind != n.CON:
            message.mid = self.new_mid()
            self._send(message.encode(), waiter.addr)
        elif lock is None:
            await self.confirm(message, waiter.addr, waiter)
        else:
            async with lock:
                await self.confirm(message, waiter.addr, waiter)

    async def confirm(self, message, addr, waiter=None):
        """Send a CON until it is acknowledged, or answered to the waiter (4.2). LinkError."""
        message.mid = self.new_mid()
        exchange = self._exchanges[message.mid] = Exchange(addr)
        if waiter:
            waiter.exchange = exchange
        try:
            await self._repeat_until(message.encode(), exchange)
        finally:
            del self._exchanges[message.mid]
            if waiter:
                waiter.exchange = None
        if exchange.reset:
            raise LinkError("coap: the peer does not know this exchange (RST)")

    async def _repeat_until(self, data, exchange):
        # 4.8: ACK_TIMEOUT times 1 to 1.5, doubled each time
        spread = int.from_bytes(os.urandom(1), "big")
        timeout_ms = self._ack_timeout_ms + (self._ack_timeout_ms * spread >> 9)
        for attempt in range(self._max_retransmit + 1):
            self.retransmits += attempt > 0
            self._send(data, exchange.addr)
            if self._fault:
                raise self._fault
            if await exchange.wait(timeout_ms):
                break
            timeout_ms *= 2
        else:
            raise LinkError("coap: no answer to %d datagrams" % (attempt + 1))
        if self._fault:
            raise self._fault

    async def ping(self, addr=None):
        """Returns when the peer lives (4.3: it resets an empty CON). Raises LinkError if not."""
        message = Message(n.CON, n.EMPTY, self.new_mid())
        exchange = self._exchanges[message.mid] = Exchange(addr)
        try:
            await self._repeat_until(message.encode(), exchange)
        finally:
            del self._exchanges[message.mid]

    def notify(self, message, addr):
        """Send a NON; returns its mid."""
        message.mid = self.new_mid()
        self._send(message.encode(), addr)
        return message.mid

    def _send_empty(self, kind, mid, addr):
        data = Message(kind, n.EMPTY, mid).encode()
        self._send(data, addr)
        return data

    def _send(self, data, addr):
        try:
            self._udp.send(data, addr)
        except OSError as e:  # no route, buffer full, port closed: a lost datagram like any other
            log.debug("coap", "send: %r", e)
            return
        self.bytes_sent += len(data)
