"""Light sleep: the chip stops, RAM and pins stay.

With board.py and more_buses.py the only users of `machine`. What a port's lightsleep can do, read
in MicroPython 1.25:
    RP2: at most 2**32 us, 71 minutes, by timer alarm (ports/rp2/modmachine.c); ends early at any
        interrupt and while the radio has work. Its deepsleep is the same sleep and then a reset
        that cannot be told from one by the watchdog: there, light is all there is.
    ESP32: until the time is up; radio off before.
    Unix port: waits in device time, so that a simulator can steer it.
The watchdog of RP2 runs on during sleep, so slices are as short as it needs.
"""

import asyncio

from ..core import clock

_LONGEST_MS = 4000000  # below 2**32 us


async def nap(board, ms, watchdog=None, feed_ms=0):
    """Sleep for ms of device time; the event loop stands still but on the Unix port."""
    begin_ms = clock.ticks_ms()
    while True:
        if watchdog:
            watchdog.feed()
        left_ms = ms - clock.ticks_diff(clock.ticks_ms(), begin_ms)
        if left_ms <= 0:
            return
        slice_ms = min(left_ms, feed_ms if watchdog else _LONGEST_MS)
        if board.port == "unix":
            await clock.sleep_ms(slice_ms)
        else:
            import machine

            machine.lightsleep(slice_ms)
            await asyncio.sleep_ms(0)  # what became due while the loop stood still
