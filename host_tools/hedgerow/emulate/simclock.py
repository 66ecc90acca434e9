"""Virtual device time: sleeps end in exact order, as fast as allowed and never faster.

    source = SimClock(start_s, end_s, speed=86400, wall_start_s=host_wall_s)
    clock.use(source)                       # hedge.core.clock: all device code now runs on it
    asyncio.create_task(source.run())       # the only place where virtual time moves

Device code that waits with `clock.sleep_ms` is queued here by its exact virtual due time. `run`
takes the earliest one, sets the virtual clock to its due time, lets it and whatever it wakes run,
and goes on. Between two such moments virtual time stands still, so a run does not depend on how
fast the host is. Network code waits in real time: it runs while virtual time waits for its pace,
and `run` yields to it between any two moments.

Pace: virtual time is never ahead of start_s + (wall - wall_start_s) * speed, where wall is
time.time() of the host. A restarted node gets the wall_start_s that continues its former life, so
that the time without power passes in the field too. Where the host is too slow by more than a
moment, the pace slips: the run takes longer, and no time of the field is skipped. speed 0 means no
pace.

Hold: `hold` (a function, or None) may stop virtual time for a while: the runner uses it to let the
network, which cannot be accelerated, catch up. It changes when things happen for the network
and nothing of what the node senses or decides.
"""

import asyncio
import time

try:
    from asyncio.core import _task_queue as _tasks  # MicroPython's queue of ready and timed tasks
except ImportError:
    _tasks = None  # CPython

_PASSES = 4  # of CPython's event loop, in which a woken task may wake others
_MOST_PASSES = 50  # of MicroPython's, in case a task never waits
_MOST_LAG_S = 0.3  # real time that is caught up; beyond it the pace slips
_NAP_MS = 5  # how often pace and hold are looked at
_NAPS_ALONE = 10  # naps without any sleeper before time jumps to the end


class SimClock:
    """A source of time for hedge.core.clock. start_s, end_s, resume_s: seconds since 1970 UTC.

    resume_s: where this node's life goes on after a restart, if the pace is not further already.
    """

    def __init__(self, start_s, end_s, speed=0, wall_start_s=None, resume_s=None):
        self.start_s = start_s
        self.end_ms = (end_s - start_s) * 1000
        self.speed = speed
        self.on_advance = None  # called with virtual seconds before each moment
        self.hold = None
        self.held_ms = 0  # real time for which `hold` stopped the clock
        self.slipped_s = 0.0  # real time by which the pace gave way to a slow host
        self.on_moment = None  # called with the real microseconds by which a moment came late
        self.refused_settings = 0
        self._wall_start_s = time.time() if wall_start_s is None else wall_start_s
        self._sleepers = []  # sorted (due_ms, number, event), earliest last
        self._number = 0
        self._now_ms = 0 if resume_s is None else int((resume_s - start_s) * 1000)
        self._ended = False
        if speed:
            self._now_ms = min(max(self._pace_ms(), self._now_ms), self.end_ms)

    # What hedge.core.clock asks of a source.

    def ticks_ms(self):
        """Virtual milliseconds since start_s, within the range of time.ticks_ms."""
        return time.ticks_add(0, self._now_ms)

    def epoch_s(self):
        return self.start_s + self._now_ms // 1000

    def set_epoch_s(self, now_s):
        """Ignored and counted: the simulated world owns the time."""
        self.refused_settings += 1

    async def sleep_ms(self, ms):
        """Return when virtual time has moved by ms; cancelling forgets the sleeper."""
        event = asyncio.Event()
        entry = self._push(self._now_ms + max(int(ms), 0), event)
        try:
            await event.wait()
        finally:
            if entry in self._sleepers:
                self._sleepers.remove(entry)

    # For the runner.

    def now_ms(self):
        """Virtual milliseconds since start_s; never goes back."""
        return self._now_ms

    def now_s(self):
        """Virtual seconds since 1970-01-01 with milliseconds, as a float."""
        return self.start_s + self._now_ms / 1000

    def ended(self):
        """True once end_s is reached."""
        return self._ended

    async def run(self):
        """Move virtual time until end_s; returns with the sleepers beyond it still asleep."""
        await self._let_run()
        alone = 0
        while not self._ended:
            if not self._sleepers and alone < _NAPS_ALONE:
                alone += 1
                await asyncio.sleep_ms(_NAP_MS)
                continue
            alone = 0
            due_ms = min(self._sleepers[-1][0], self.end_ms) if self._sleepers else self.end_ms
            if self._too_early(due_ms):
                await asyncio.sleep_ms(self._nap_ms(due_ms))
                continue
            if self.hold is not None and self.hold():
                before_ms = time.ticks_ms()
                await asyncio.sleep_ms(_NAP_MS)
                self.held_ms += time.ticks_diff(time.ticks_ms(), before_ms)
                continue
            self._move_to(due_ms)
            self._slip()
            await self._let_run()

    def _move_to(self, due_ms):
        self._now_ms = max(due_ms, self._now_ms)
        if self.on_advance is not None:
            self.on_advance(self.now_s())
        while self._sleepers and self._sleepers[-1][0] <= self._now_ms:
            self._sleepers.pop()[2].set()
        self._ended = self._now_ms >= self.end_ms

    async def _let_run(self):
        # A task that was woken may wake another through an Event; each hop takes one pass.
        # MicroPython's loop shows whether any task is ready; CPython's does not.
        if _tasks is None:
            for _ in range(_PASSES):
                await asyncio.sleep_ms(0)
            return
        for _ in range(_MOST_PASSES):
            await asyncio.sleep_ms(0)
            task = _tasks.peek()
            if task is None or time.ticks_diff(task.ph_key, time.ticks_ms()) > 0:
                return

    def _push(self, due_ms, event):
        # Equal due times wake in the order in which they were asked for.
        self._number += 1
        entry = (due_ms, self._number, event)
        at = len(self._sleepers)
        while at and self._sleepers[at - 1][0] <= due_ms:
            at -= 1
        self._sleepers.insert(at, entry)
        return entry

    def _pace_ms(self):
        return int((time.time() - self._wall_start_s) * self.speed * 1000)

    def _slip(self):
        if self.speed:
            late_s = (self._pace_ms() - self._now_ms) / 1000 / self.speed
            if self.on_moment is not None:
                self.on_moment(int(late_s * 1000000))
            if late_s > _MOST_LAG_S:
                self._wall_start_s += late_s - _MOST_LAG_S
                self.slipped_s += late_s - _MOST_LAG_S

    def _too_early(self, due_ms):
        return bool(self.speed) and due_ms > self._pace_ms()

    def _nap_ms(self, due_ms):
        wait_ms = int((due_ms - self._pace_ms()) / self.speed)
        return min(max(wait_ms, 0), _NAP_MS)
