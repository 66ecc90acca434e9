"""Simulated resets, deep sleep and watchdog: the process ends with a code, a supervisor restarts
it.

    80  machine.reset()
    81  the watchdog was not fed in time
    82  machine.deepsleep(): restart at the wake time in rtc.bin (retained.py)
    83  machine.soft_reset()

Nothing runs after a reset: no finally clause, no flush of files, as on a chip. Any other end of
the process (an exception, kill -9) counts as a power cut.
"""

import os
import sys
import time

from . import retained, wall

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5  # as on ESP32

EXIT_RESET = 80
EXIT_WDT = 81
EXIT_DEEPSLEEP = 82
EXIT_SOFT_RESET = 83

_MEMORY_BYTES = 2048  # RTC user memory of ESP32

_state = retained.take() or (PWRON_RESET, b"", 0, 0)
_cause = _state[0]
memory = _state[1]
offset_ms = _state[2]
woke_ms = _state[3] if _cause == DEEPSLEEP_RESET else 0  # when this run was to begin
_epoch_ms = None  # replaced by use_epoch_ms


def use_epoch_ms(source):
    """Let the RTC follow device time: source() gives ms since 1970 UTC; None is the wall clock."""
    global _epoch_ms
    _epoch_ms = source


def wake_ms():
    """When the deep sleep before this run was to end, ms since 1970; 0: none."""
    return woke_ms


def epoch_ms():
    """Device time in ms since 1970, before the RTC's own offset."""
    return _epoch_ms() if _epoch_ms else time.time_ns() // 1000000


def set_memory(data):
    """Replace the retained bytes; raises ValueError past 2048 bytes like ESP32."""
    global memory
    if len(data) > _MEMORY_BYTES:
        raise ValueError("buffer too long")
    memory = bytes(data)


def set_offset_ms(ms):
    """Shift the RTC against device time."""
    global offset_ms
    offset_ms = ms


def reset_cause():
    """Why this run began."""
    return _cause


def _leave(code, cause, wake_ms=0):
    """End the process at once, without unwinding."""
    retained.save(cause, memory, offset_ms, wake_ms)
    if sys.implementation.name == "micropython":
        import ffi

        ffi.open(None).func("v", "_exit", "i")(code)
    sys.stdout.flush()
    os._exit(code)


def reset():
    """Hard reset: exit code 80."""
    _leave(EXIT_RESET, HARD_RESET)


def soft_reset():
    """Restart of the interpreter: unwinds like the ports do, exit code 83."""
    retained.save(SOFT_RESET, memory, offset_ms, 0)
    sys.exit(EXIT_SOFT_RESET)


def deepsleep(time_ms=None):
    """Exit code 82; the RTC memory stays, everything else is lost. Without time_ms: no wake
    time."""
    wake_ms = epoch_ms() + time_ms if time_ms is not None else 0
    _leave(EXIT_DEEPSLEEP, DEEPSLEEP_RESET, wake_ms)


def lightsleep(time_ms=0):
    """Sleep in wall time; RAM and pins stay."""
    wall.sleep_ms(time_ms)


def idle():
    """Give other threads a moment."""
    wall.sleep_ms(1)


_watchdog = None


class _Watchdog:
    def __init__(self, timeout_ms):
        import _thread

        self.timeout_ms = timeout_ms
        self.fed_ms = wall.ticks_ms()
        _thread.start_new_thread(self._guard, ())

    def _guard(self):
        while True:
            left_ms = self.timeout_ms - wall.ticks_diff(wall.ticks_ms(), self.fed_ms)
            if left_ms <= 0:
                _leave(EXIT_WDT, WDT_RESET)
            wall.sleep_ms(left_ms)


class WDT:
    """machine.WDT(timeout=ms): resets the process in wall time unless fed; cannot be stopped."""

    def __init__(self, id=0, timeout=5000):
        global _watchdog
        if id != 0:
            raise ValueError("WDT(%r) doesn't exist" % (id,))
        if timeout < 1:
            raise ValueError("WDT timeout %r" % (timeout,))
        if _watchdog is None:
            _watchdog = _Watchdog(timeout)
        else:
            _watchdog.timeout_ms = timeout
            self.feed()

    def feed(self):
        _watchdog.fed_ms = wall.ticks_ms()
