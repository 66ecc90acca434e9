"""Who waits for what: an Exchange for an acknowledgement, a Waiter for responses to a token."""

import asyncio

from ...core.errors import LinkError

ANY = object()  # the address of a Waiter whose request went to a group: anyone may answer


class Exchange:
    """One CON under way to addr."""

    def __init__(self, addr):
        self.addr = addr
        self.reset = False
        self._done = asyncio.Event()

    def finish(self, reset=False):
        self.reset = reset
        self._done.set()

    async def wait(self, limit_ms):
        """True once finished, False after limit_ms."""
        try:
            await asyncio.wait_for_ms(self._done.wait(), limit_ms)
        except asyncio.TimeoutError:
            return False
        return True


class Waiter:
    """Responses to one token from addr, at most `keep` at a time: the oldest makes room."""

    def __init__(self, addr, token, keep=1):
        self.addr = addr
        self.token = token
        self.exchange = None  # of the request, while it is not acknowledged
        self._keep = keep
        self._fault = None
        self._found = []
        self._arrived = asyncio.Event()

    def put(self, message, addr):
        if len(self._found) >= self._keep:
            self._found.pop(0)
        self._found.append((message, addr))
        self._arrived.set()
        if self.exchange:
            self.exchange.finish()  # an answer is an acknowledgement too (5.2.2)

    def fail(self, fault):
        """Nothing will come any more."""
        self._fault = fault
        self._arrived.set()

    async def next(self, limit_ms):
        """The oldest response held. Raises LinkError after limit_ms without one."""
        if not self._found and not self._fault:
            self._arrived.clear()
            try:
                await asyncio.wait_for_ms(self._arrived.wait(), limit_ms)
            except asyncio.TimeoutError:
                raise LinkError("coap: no response in %d ms" % limit_ms)
        if not self._found:
            raise self._fault
        return self._found.pop(0)[0]

    def take_all(self):
        """List of (message, address) of all responses held."""
        found, self._found = self._found, []
        return found
