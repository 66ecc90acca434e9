"""Several links in order of preference, as one: where the first fails the next carries on.

    link = FailoverLink([make_first, make_second], ["mqtt", "lorawan"])

DESIGN: uplink -> gateway, over whichever link there is. One store and one uplink are above: what
is under way at a change goes again over the other link, and the gateway keeps it once.

A session without any ack is a failure, whether it came up or not. after_failures of them in a row,
or after_s of failing, and the next link in the row is used, at once; after the last one the first
again. On any but the first, the better ones are tried beside the running session, after return_s,
then at doubled intervals up to an hour; one that comes up ends the session that runs. A link that
came back and fails again without an ack is left at its first failure.
"""

import asyncio
import time

from ..core import log
from ..core.errors import LinkError
from .backoff import Backoff
from .link import Link

_LOST = (LinkError, OSError, asyncio.TimeoutError, MemoryError)
_RETURN_MAX_MS = 3600000
_DECIDE_MS = 3000  # that an attempt at a better link may take when the session under it ends
_ACKS_KEPT = 8  # acks are watermarks: a dropped one is asked for again by a resent frame


class FailoverLink(Link):
    """makers: functions without arguments that give a Link, each called when it is first used.

    names: of the links, for the log. at: which is in use, 0 is preferred. switches: changes.
    uplink: is told the limits of another link when that is used from now on, or None.
    """

    def __init__(self, makers, names, after_failures=3, after_s=60, return_s=60):
        self._makers = makers
        self._links = [None] * len(makers)
        self._names = names
        self._after_failures = after_failures
        self._after_ms = after_s * 1000
        self._return = Backoff(int(return_s * 1000), _RETURN_MAX_MS)
        self.at = 0
        self.switches = 0
        self.uplink = None
        self._open = None  # the link of this session
        self._before = None  # the link of the session before
        self._back = None  # place of a better link that is connected and waits
        self._trying = False  # to connect one
        self._failures = 0
        self._began_ms = 0  # of the attempt that failed first
        self._acked = False  # in this session
        self._acks = []
        self._fault = None
        self._changed = asyncio.Event()
        self._tasks = ()

    @property
    def bytes_sent(self):
        return sum([link.bytes_sent for link in self._links if link])

    @property
    def hurry(self):
        """Of the link in use: a network that came back ends the uplink's wait."""
        return getattr(self._link(self.at), "hurry", None)

    def _link(self, at):
        if self._links[at] is None:
            self._links[at] = self._makers[at]()
        return self._links[at]

    async def connect(self):
        """As the link in use says, but False after a change: nothing of another link is kept."""
        kept = False
        if self._back is not None:
            back, self._back = self._back, None
            self._use(back)
            self._failures = self._after_failures - 1
        else:
            kept = await self._connect_one()
        link = self._link(self.at)
        kept = bool(kept and self._before is link)
        self._begin(link)
        return kept

    async def _connect_one(self):
        """Try the link in use; where that was one failure too many, the next ones, each once."""
        for _ in self._links:
            link = self._link(self.at)
            if not self._failures:
                self._began_ms = time.ticks_ms()
            try:
                return await link.connect()
            except _LOST as e:
                await link.close()
                log.debug("failover", "%s: %r", self._names[self.at], e)
                error = e
            if not self._failed():
                break
        raise error

    def _failed(self):
        """Count a failure; True if it was one too many and another link is in use now."""
        self._failures += 1
        failing_ms = time.ticks_diff(time.ticks_ms(), self._began_ms)
        if self._failures < self._after_failures and failing_ms < self._after_ms:
            return False
        self._use((self.at + 1) % len(self._links))
        return True

    def _use(self, at):
        if at != self.at:
            log.warn("failover", "%s, after %s", self._names[at], self._names[self.at])
            self.switches += 1
        self.at = at
        self._failures = 0
        self._began_ms = time.ticks_ms()
        if self.uplink:
            self.uplink.window = self._link(at).window
            self.uplink.ack_timeout_ms = self._link(at).ack_timeout_ms

    def _begin(self, link):
        self._open = self._before = link
        self._acked = False
        self._fault = None
        self._acks.clear()
        tasks = [self._receive(link)]
        if self.at:
            tasks.append(self._look_back())
        self._tasks = [asyncio.create_task(task) for task in tasks]

    async def _receive(self, link):
        try:
            while True:
                ack = await link.recv()
                self._heard()
                if len(self._acks) < _ACKS_KEPT:
                    self._acks.append(ack)
                self._changed.set()
        except _LOST as e:
            self._end(e)

    def _heard(self):
        self._acked = True
        self._failures = 0
        if self.at == 0:
            self._return.reset()

    def _end(self, error):
        if self._fault is None:
            self._fault = error
        self._changed.set()

    async def _look_back(self):
        """Until one of the better links is up; then this session ends."""
        while True:
            await asyncio.sleep_ms(self._return.next_ms())
            for at in range(self.at):
                if await self._is_back(at):
                    self._back = at
                    self._end(LinkError("%s is back" % self._names[at]))
                    return

    async def _is_back(self, at):
        link = self._link(at)
        self._trying = True
        try:
            await link.connect()
            return True
        except _LOST as e:
            log.debug("failover", "%s is not back: %r", self._names[at], e)
            await link.close()
        except BaseException:  # cancelled: nothing stays open
            await link.close()
            raise
        finally:
            self._trying = False
        return False

    async def send(self, frame):
        self._check_session()
        await self._open.send(frame)

    async def recv(self):
        while not self._acks:
            self._check_session()
            self._changed.clear()
            await self._changed.wait()
        return self._acks.pop(0)

    def _check_session(self):
        if self._fault:
            raise self._fault
        if self._open is None:
            raise LinkError("not connected")

    async def close(self):
        """A better link that is up already stays so for the next connect(), but not twice."""
        await self._let_decide()
        for task in self._tasks:
            task.cancel()
        self._tasks = ()
        link, self._open = self._open, None
        if link:
            if not self._acked and self._back is None:
                self._failed()
            await link.close()
        elif self._back is not None:
            back, self._back = self._back, None
            await self._link(back).close()
        self._fault = None
        self._acks.clear()
        self._changed.set()

    async def _let_decide(self):
        """Where both lead to one broker, it ends this session when the other one begins."""
        for _ in range(_DECIDE_MS // 20):
            if not self._trying:
                return
            await asyncio.sleep_ms(20)


def make(cfg, device, info):
    """See link.make_link. links: list of such cfgs, the preferred one first."""
    from .link import make_link

    def maker(one):
        return lambda: make_link(one, device, info)

    options = {k: cfg[k] for k in ("after_failures", "after_s", "return_s") if cfg.get(k)}
    names = ["%s %s" % (one["kind"], one.get("host", "")) for one in cfg["links"]]
    return FailoverLink([maker(one) for one in cfg["links"]], names, **options)
