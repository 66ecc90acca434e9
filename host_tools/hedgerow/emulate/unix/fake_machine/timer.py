"""Simulated hardware timer on wall time.

Callbacks run between bytecodes of the main program (soft, the default), so they also run while an
event loop hangs in Python code; with hard=True they run at once in the timer's own thread. A soft
tick is lost when MicroPython's queue of scheduled calls is full, as on a board.
"""

from . import wall
from .pin import schedule


class Timer:
    """machine.Timer(id): id -1 is a virtual timer, as on RP2."""

    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, id=-1, **settings):
        self.id = id
        self._run = 0  # number of the current init; a thread of an older one ends itself
        self.lost = 0  # soft ticks that found the queue full
        if settings:
            self.init(**settings)

    def init(self, *, mode=PERIODIC, freq=-1, period=-1, callback=None, hard=False):
        """Start: callback(timer) after period ms (or 1/freq s), once or again and again."""
        import _thread

        period_ms = int(1000 / freq) if freq > 0 else period
        if period_ms <= 0:
            raise ValueError("invalid period")
        self._run += 1
        if callback:
            _thread.start_new_thread(self._tick, (self._run, mode, period_ms, callback, hard))

    def _tick(self, run, mode, period_ms, callback, hard):
        due_ms = wall.ticks_ms()
        while True:
            due_ms += period_ms
            wall.sleep_ms(max(wall.ticks_diff(due_ms, wall.ticks_ms()), 0))
            if run != self._run:
                return
            self._fire(run, callback, hard)
            if mode == Timer.ONE_SHOT:
                return

    def _fire(self, run, callback, hard):
        if hard:
            callback(self)
            return
        try:
            schedule(self._soft, (run, callback))
        except RuntimeError:
            self.lost += 1

    def _soft(self, what):
        run, callback = what
        if run == self._run:  # not stopped while it was in the queue
            callback(self)

    def deinit(self):
        """Stop; no callback starts after this."""
        self._run += 1
