"""How long an asyncio loop was away, and whose doing that was: MicroPython's Unix port on Linux.

    gaps = Gaps()
    task = asyncio.create_task(gaps.run())
    gaps.take()     # {"late": .., "ours": .., "computed": ..}: the longest since the last, ms

A task sleeps 5 ms at a time. late: by how much a sleep took longer. ours: the same without the
time in which the process wanted a processor and another one had it (/proc/self/schedstat); a call
that blocks shows here, to within 5 ms, but so does a computer that stood still as a whole.
computed: processor time of the process in that sleep and until it ended: no piece of work in it
was longer.
"""

import asyncio
import time

import ffi

_EVERY_MS = 5
_THREAD_CPUTIME = 3  # of <time.h>
_clock_gettime = ffi.open(None).func("i", "clock_gettime", "iP")
_timespec = bytearray(16)


def cpu_us():
    """Processor time of this thread; differences only."""
    _clock_gettime(_THREAD_CPUTIME, _timespec)
    seconds = int.from_bytes(_timespec[:8], "little")
    return seconds * 1000000 + int.from_bytes(_timespec[8:], "little") // 1000


class Gaps:
    """worst_ms: late, since the start."""

    def __init__(self):
        self.worst_ms = 0
        self._worst = {"late": 0, "ours": 0, "computed": 0}
        self._schedstat = open("/proc/self/schedstat")  # noqa: SIM115  as long as this lives

    def take(self):
        """The longest since the last call, each for itself, in ms."""
        found = {name: us / 1000 for name, us in self._worst.items()}
        self._worst = dict.fromkeys(self._worst, 0)
        return found

    async def run(self):
        while True:
            start_us, computed_us, waited_us = time.ticks_us(), cpu_us(), self._waited_us()
            await asyncio.sleep_ms(_EVERY_MS)
            late_us = time.ticks_diff(time.ticks_us(), start_us) - _EVERY_MS * 1000
            if late_us > 0:
                ours_us = max(late_us - (self._waited_us() - waited_us), 0)
                self._note(late_us, ours_us, cpu_us() - computed_us)

    def _note(self, late_us, ours_us, computed_us):
        self.worst_ms = max(self.worst_ms, late_us // 1000)
        worst = self._worst
        for name, us in (("late", late_us), ("ours", ours_us), ("computed", computed_us)):
            worst[name] = max(worst[name], us)

    def _waited_us(self):
        """Time in the queue for a processor."""
        self._schedstat.seek(0)
        return int(self._schedstat.read().split()[1]) // 1000
