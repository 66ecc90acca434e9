"""Asks time servers, a few times, under MicroPython; driven by test_sntp.py.

SCENARIO: {"servers": [[address, port]], "times": .., "pause_ms": ..}
"""

import asyncio
import json
import os
import time

from hedge.core import clock, log
from hedge.net import sntp as sntp_module
from hedge.net.sntp import Sntp


async def main(args):
    log.level = log.WARN + 1
    sntp_module._TIMEOUT_MS = 400  # on loopback
    steps = []
    sntp = Sntp(
        [tuple(server) for server in args["servers"]],
        on_clock=lambda before, after: steps.append(after - before),
    )
    known = []
    for _ in range(args["times"]):
        known.append(await sntp.sync())
        await asyncio.sleep_ms(args["pause_ms"])
    for _ in range(args.get("nudges", 0)):
        sntp.nudge(time.ticks_ms())
    facts = {"event": "result", "known": known, "steps": steps, "epoch_s": clock.epoch_s()}
    for name in ("syncs", "refused", "bad"):
        facts[name] = getattr(sntp, name)
    print(json.dumps(facts))


asyncio.run(main(json.loads(os.getenv("SCENARIO"))))
