"""Device time: one place to ask, one place to steer.

Everything that measures, decides or records uses these functions; tests and the simulator replace
the source with `use(source)`. The network does not: its time-outs are in real time (asyncio).

A source has: ticks_ms() -> int, wraps like time.ticks_ms; epoch_s() -> int, seconds since
1970-01-01 UTC, 0 while unknown; sleep_ms(ms) -> awaitable.
"""

import asyncio
import time

# Boards count from 2000-01-01, the Unix port and CPython from 1970-01-01.
_EPOCH_OFFSET_S = 946684800 if time.gmtime(0)[0] == 2000 else 0
_PLAUSIBLE_S = 1704067200  # 2024-01-01: a clock before this was never set


class SystemClock:
    """The board's own clock; `adjust_s` is what a time server or the gateway said to add."""

    def __init__(self):
        self.adjust_s = 0

    def ticks_ms(self):
        return time.ticks_ms()

    def epoch_s(self):
        now_s = int(time.time()) + _EPOCH_OFFSET_S + self.adjust_s
        return now_s if now_s >= _PLAUSIBLE_S else 0

    def sleep_ms(self, ms):
        return asyncio.sleep_ms(ms)

    def set_epoch_s(self, now_s):
        """Correct the clock to now_s; the hardware RTC is left alone."""
        self.adjust_s = now_s - int(time.time()) - _EPOCH_OFFSET_S


_source = SystemClock()


def use(source):
    """Replace the source of time; returns the former one."""
    global _source
    former = _source
    _source = source
    return former


def ticks_ms():
    """Milliseconds, wrapping; compare with ticks_diff only."""
    return _source.ticks_ms()


def ticks_diff(later, earlier):
    """Signed milliseconds from earlier to later, valid within half the wrap-around."""
    return time.ticks_diff(later, earlier)


def epoch_s():
    """Seconds since 1970-01-01 UTC, or 0 while the clock was never set."""
    return _source.epoch_s()


def set_epoch_s(now_s):
    """Correct device time (from the gateway's ack); order never depends on it."""
    _source.set_epoch_s(now_s)


def sleep_ms(ms):
    """Awaitable: device time passes."""
    return _source.sleep_ms(ms)
