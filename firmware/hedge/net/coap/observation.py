"""One observed resource on the client's side (RFC 7641).

observation = await client.observe("soil/vwc")
while True: response = await observation.next()
await observation.cancel()
"""

import os
import time

from ...core.errors import LinkError
from . import numbers as n
from .client import receive
from .message import Message

_KEPT = 4  # notifications not yet taken; only the newest matters, so the oldest goes
_DEFAULT_MAX_AGE_S = 60  # RFC 7252 5.10.5
_MAX_WAIT_S = 24 * 3600
_FRESH_AFTER_MS = 128000  # 7641 3.4: past this any number is newer
_HALF = 1 << 23


class Observation:
    """Made by Client.observe(). first: the response to the registration.

    stale: notifications left out because a newer one had come.
    """

    def __init__(self, client, head, secure, limit_ms):
        self._client = client
        self._head = head
        self._secure = secure
        self._limit_ms = limit_ms
        self._waiter = client.endpoint.watch(None, _KEPT)
        self._sealed = None
        self._number = 0
        self._seen_ms = 0
        self._wait_ms = 0
        self.first = None
        self.stale = 0

    async def register(self, lock):
        """Ask for notifications; also to renew. Raises LinkError if it is refused."""
        try:
            response = await self._register(lock)
        except BaseException:  # cancelled too: the token must not stay
            self._client.endpoint.forget(self._waiter)
            raise
        self._note(response)
        self.first = response

    async def _register(self, lock):
        response = await self._ask(0, lock)
        echo = response.get(n.ECHO)
        if response.code == n.UNAUTHORIZED and echo is not None:
            response = await self._ask(0, lock, [(n.ECHO, echo)])
        if response.code >> 5 != 2 or response.get(n.OBSERVE) is None:
            raise LinkError("coap: not observable, answer " + n.code_text(response.code))
        return response

    async def _ask(self, observe, lock, more=()):
        message = Message(n.CON, n.GET, options=self._head + list(more))
        message.add(n.OBSERVE, observe)
        self._sealed = self._secure.seal(message) if self._secure else None
        ask = self._sealed.message if self._sealed else message
        await self._client.endpoint.ask(ask, self._waiter, lock)
        return await receive(self._waiter, self._sealed, self._limit_ms)

    async def next(self):
        """The next notification with its whole body; waits as long as its peer keeps promises.

        When Max-Age passes in silence the registration is renewed (3.3.1). Raises LinkError when
        the server is silent or ends the observation (an error code: 3.2).
        """
        while True:
            try:
                response = await receive(self._waiter, self._sealed, self._wait_ms)
            except LinkError:
                await self.register(None)
                return self.first
            if response.code >> 5 != 2:
                self.forget()
                raise LinkError("coap: observation ended, " + n.code_text(response.code))
            if self._is_newer(response):
                whole = await self._client.complete(self._head, response)
                self._note(response)
                if whole is not None:  # None: it changed meanwhile, so another one comes
                    return whole
            else:
                self.stale += 1

    def _is_newer(self, response):
        number = response.uint(n.OBSERVE, self._number)
        if time.ticks_diff(time.ticks_ms(), self._seen_ms) > _FRESH_AFTER_MS:
            return True
        ahead = number - self._number
        return 0 < ahead < _HALF or ahead < -_HALF

    def _note(self, response):
        self._number = response.uint(n.OBSERVE, self._number)
        self._seen_ms = time.ticks_ms()
        max_age_s = min(response.uint(n.MAX_AGE, _DEFAULT_MAX_AGE_S), _MAX_WAIT_S)
        spread = int.from_bytes(os.urandom(1), "big")  # 5 to 15 s after the value went stale
        self._wait_ms = max_age_s * 1000 + 5000 + spread * 10000 // 256

    def forget(self):
        """Stop without a word: the next notification is answered with RST (3.6)."""
        self._client.endpoint.forget(self._waiter)

    async def cancel(self):
        """Tell the server (Observe: 1) and stop. Raises LinkError if it does not answer."""
        try:
            await self._ask(1, None)
        finally:
            self.forget()
