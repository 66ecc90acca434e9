"""A button that opens the set-up page: from its pin to ground, held for 3 s.

task = asyncio.create_task(watch(pin, wifi))
"""

import asyncio

from ..core import log

_HOLD_MS = 3000
_POLL_MS = 100


async def watch(pin, wifi, hold_ms=_HOLD_MS, poll_ms=_POLL_MS):
    """Loop until cancelled. pin: a machine.Pin, of which this makes an input with pull-up.

    wifi: a Wifi with a set-up page; it is asked for once each time the button is held.
    """
    pin.init(pin.IN, pin.PULL_UP)
    held_ms = 0
    while True:
        await asyncio.sleep_ms(poll_ms)
        held_ms = 0 if pin.value() else held_ms + poll_ms
        if hold_ms <= held_ms < hold_ms + poll_ms:
            log.info("wifi", "button held: the set-up page is next")
            wifi.ask_setup()
