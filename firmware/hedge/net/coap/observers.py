"""Who observes what on the server's side (RFC 7641 section 4)."""

import asyncio

from ...core import log
from ...core.errors import LinkError, StoreError
from . import numbers as n

_CONFIRM_EVERY = 8  # one notification in so many asks whether the observer still lives (4.5)


class Observers:
    """limit: observers at a time; a further one gets its answer without Observe (4.1).

    render(observer): the current response Message or a coroutine of it, sealed where need be.
    """

    def __init__(self, endpoint, render, limit=4):
        self._endpoint = endpoint
        self._render = render
        self._limit = limit
        self._observers = []
        self._number = 0

    def __len__(self):
        return len(self._observers)

    def add(self, addr, token, request, opened):
        """True if it is registered; the same token again renews."""
        self.remove(addr, token)
        if len(self._observers) >= self._limit:
            return False
        self._observers.append(Observer(addr, token, request, opened))
        return True

    def remove(self, addr, token):
        self._observers = [o for o in self._observers if not (o.addr == addr and o.token == token)]

    def on_reset(self, mid, addr):
        """The observer of that notification does not know it (3.6)."""
        self._observers = [
            o for o in self._observers if not (o.addr == addr and o.last_mid == mid)
        ]

    def next_number(self):
        self._number = self._number + 1 & 0xFFFFFF
        return self._number

    def changed(self, path):
        """Tell the observers of that path, each in a task of its own."""
        for observer in self._observers:
            if observer.request.path == path:
                observer.stale = True
                if observer.task is None:
                    observer.task = asyncio.create_task(self._tell(observer))

    async def _tell(self, observer):
        """Until what it knows is current; changes on the way are joined (4.5.2)."""
        try:
            while observer.stale and observer in self._observers:
                observer.stale = False
                await self._send(observer)
        except (LinkError, OSError, StoreError) as e:
            log.debug("coap", "observer lost: %r", e)
            self.remove(observer.addr, observer.token)
        finally:
            observer.task = None

    async def _send(self, observer):
        notification = self._render(observer)
        if hasattr(notification, "send"):
            notification = await notification
        if notification.get(n.OBSERVE) is None:  # an error ends it (4.2)
            self.remove(observer.addr, observer.token)
        notification.token = observer.token
        observer.count += 1
        if observer.count % _CONFIRM_EVERY == 0:
            notification.kind = n.CON
            await self._endpoint.confirm(notification, observer.addr)
        else:
            notification.kind = n.NON
            observer.last_mid = self._endpoint.notify(notification, observer.addr)

    def close(self):
        for observer in self._observers:
            if observer.task:
                observer.task.cancel()
        self._observers.clear()


class Observer:
    """request: a resource.Request. opened: its oscore.server.Opened, or None."""

    def __init__(self, addr, token, request, opened):
        self.addr = addr
        self.token = token
        self.request = request
        self.opened = opened
        self.last_mid = None
        self.count = 0
        self.stale = False
        self.task = None
