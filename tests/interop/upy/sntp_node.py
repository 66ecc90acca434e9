"""Asks time servers, a few times, under MicroPython; driven by test_sntp.py.

SCENARIO: {"servers": [[address, port, limit_ms]], "times": .., "pause_ms": ..}. limit_ms: how long
that server's answer is waited for. What it gives was read at one moment: epoch_s, and the
computer's time then, real_s.
"""

import asyncio
import json
import os
import time

from hedge.core import clock, log
from hedge.net import sntp as sntp_module
from hedge.net.sntp import Sntp


class PatientSntp(Sntp):
    """Waits for each server as the test says: a computer that stood still is no bad server."""

    limits_ms = {}

    async def _ask(self, server):
        sntp_module._TIMEOUT_MS = self.limits_ms[server]
        await super()._ask(server)


async def main(args):
    log.level = log.WARN + 1
    sntp_module._MAX_TRIP_MS = 120000
    steps = []
    sntp = PatientSntp(
        [tuple(server[:2]) for server in args["servers"]],
        on_clock=lambda before, after: steps.append(after - before),
    )
    sntp.limits_ms = {tuple(server[:2]): server[2] for server in args["servers"]}
    known = []
    for _ in range(args["times"]):
        known.append(await sntp.sync())
        await asyncio.sleep_ms(args["pause_ms"])
    for _ in range(args.get("nudges", 0)):
        sntp.nudge(time.ticks_ms())
    facts = {"event": "result", "known": known, "steps": steps}
    facts.update(epoch_s=clock.epoch_s(), real_s=time.time())
    for name in ("syncs", "refused", "bad"):
        facts[name] = getattr(sntp, name)
    print(json.dumps(facts))


asyncio.run(main(json.loads(os.getenv("SCENARIO"))))
