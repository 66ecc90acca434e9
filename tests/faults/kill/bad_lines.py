"""Weather for links: each line is cut, stalled, hung or silenced, again and again, until calm."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from peers import LoopThread

from hedgerow.sim.linkproxy import LinkProxy

_GOOD_S = (0.3, 4.0)
_BAD_S = (0.1, 2.5)
_LOST_BYTES = (1, 400)


class BadWeather:
    """Runs in an event loop's thread. faults: how many of each kind there were."""

    def __init__(self, thread: LoopThread, seed: int) -> None:
        self.faults: Counter = Counter()
        self._thread = thread
        self._dice = random.Random(seed)
        self._tasks: list[asyncio.Task] = []
        self._proxies: list[LinkProxy] = []

    def line_to(self, port: int) -> LinkProxy:
        """A TCP line through which the storm goes."""
        proxy = LinkProxy("127.0.0.1", port)
        self._proxies.append(self._thread.run(proxy.__aenter__()))
        faults = {name: getattr(proxy, name) for name in ("stall", "cut", "hang")}
        self._begin(faults, proxy.restore)
        return proxy

    def over_datagrams(self, relay: Any) -> None:
        """A LossyRelay that loses its share anyway: now and then nothing passes at all."""

        def silence(silent: bool) -> None:
            relay.silent = silent

        self._begin({"silence": lambda: silence(True)}, lambda: silence(False))

    def over_cable(self, lose: Callable[[int], None]) -> None:
        """lose(n): the next n bytes of a serial line are lost."""
        self._begin({"noise": lambda: lose(self._dice.randint(*_LOST_BYTES))}, lambda: None)

    def _begin(self, faults: dict[str, Callable], repair: Callable) -> None:
        async def begin() -> asyncio.Task:
            return asyncio.get_running_loop().create_task(self._storm(faults, repair))

        self._tasks.append(self._thread.run(begin()))

    async def _storm(self, faults: dict[str, Callable], repair: Callable) -> None:
        try:
            while True:
                await asyncio.sleep(self._dice.uniform(*_GOOD_S))
                name = self._dice.choice(list(faults))
                faults[name]()
                self.faults[name] += 1
                await asyncio.sleep(self._dice.uniform(*_BAD_S))
                if self._dice.random() < 0.3 and "cut" in faults:
                    faults["cut"]()  # what a stall held back is lost
                repair()
        finally:
            repair()

    def calm(self) -> None:
        """All lines are good from now on."""

        async def end() -> None:
            for task in self._tasks:
                task.cancel()
            ended = await asyncio.gather(*self._tasks, return_exceptions=True)
            failed = [e for e in ended if not isinstance(e, asyncio.CancelledError)]
            assert not failed, failed

        self._thread.run(end())
        self._tasks.clear()

    def close(self) -> None:
        self.calm()
        for proxy in self._proxies:
            self._thread.run(proxy.__aexit__())
