"""Wall time for what must not be steered: watchdog and timers run on hardware of their own."""

import time

if hasattr(time, "ticks_ms"):
    from time import sleep_ms, ticks_diff, ticks_ms
else:  # CPython without the tests' stand-ins

    def ticks_ms():
        return time.monotonic_ns() // 1000000

    def ticks_diff(later, earlier):
        return later - earlier

    def sleep_ms(ms):
        time.sleep(ms / 1000)
