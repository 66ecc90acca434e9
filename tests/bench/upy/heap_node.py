"""A node in a heap as small as a board's: what does it hold, and does it live?

    micropython -X heapsize=64wk -m heap_node plan.json folder days

Frozen beside hedge (manifest.py), run by heap.py. Sensors answer with recordings (machine.py,
onewire.py), the soil dries by 1 % a day; device time is virtual, store and uplink are real.

Prints JSON lines of bytes in use after a collection: "bench", what stands for hardware, clock and
this program, and is not on a board; "built", the node without network; "connected", at work; and
in the last line "most", the most at the end of any day, and "held", the least at the ends of the
last five (what a frame under way adds comes and goes), with what the node did.
"""

import gc
import json
import sys

_bare_bytes = gc.mem_alloc()
import asyncio  # noqa: E402  measured: on a board it is in the heap as well

_asyncio_bytes = gc.mem_alloc() - _bare_bytes

import machine  # noqa: E402

from hedgerow.emulate.simclock import SimClock  # noqa: E402

_START_S = 1748736000  # 2025-06-01
_DAY_S = 86400
_WET_MV = 1960  # of the template's probe: 17 %
_MV_PER_DAY = 26  # 1 %
_MOST_PENDING = 40  # virtual time waits above this, as a day leaves the network time to keep up
_DRAIN_MS = 20000


def used_bytes():
    """Heap in use; collected twice, because finalisers of the first run may free more."""
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


def tell(name, less=0):
    """One line of JSON: heap in use but for `less` bytes."""
    print(json.dumps({name: used_bytes() - less}))


def build(plan_file, folder):
    """The node of a plan. The plan's memory is free again before the node runs."""
    from hedge.board import Board
    from hedge.node import node_from_plan

    with open(plan_file) as file:
        plan = json.load(file)
    node = node_from_plan(plan, Board(plan["board"]), folder)
    plan.clear()
    return node


async def live(node, clock):
    """All days, then what is left to send; returns what was in use at the end of each day."""
    running = asyncio.create_task(node.run())
    while not (node.uplink and node.uplink.up):
        if running.done():
            await running
        await asyncio.sleep_ms(5)
    tell("connected")
    living = asyncio.create_task(clock.run())
    day = 0
    ends = []
    while not clock.ended():
        await asyncio.sleep_ms(2)
        if clock.now_ms() // 1000 // _DAY_S != day:
            day += 1
            ends.append(used_bytes())
    await living
    node.stop()
    for _ in range(_DRAIN_MS // 5):
        if not node.store.pending():
            break
        await asyncio.sleep_ms(5)
    return ends


def main(plan_file, folder, days):
    """Lives `days`; see the top of the file."""
    source = SimClock(_START_S, _START_S + int(days) * _DAY_S)
    tell("bench", _asyncio_bytes)
    from hedge.core import clock

    clock.use(source)
    node = build(plan_file, folder)
    tell("built")
    source.on_advance = dry
    source.hold = lambda: node.store.pending() > _MOST_PENDING
    ends = asyncio.run(live(node, source))
    print(json.dumps(summary(node, ends)))


def summary(node, ends):
    """What the node did; a warning is anything that failed or was lost."""
    from hedge.core import log

    return {
        "most": max(ends),
        "held": min(ends[-5:]),
        "heap": gc.mem_alloc() + gc.mem_free(),
        "records": sum([node.store.last_seq(stream) for stream in range(3)]),
        "pending": node.store.pending(),
        "inferences": node.model.runs,
        "actuations": node.control.actuations,
        "outages": node.uplink.outages,
        "warnings": log.warnings,
    }


def dry(now_s):
    """The soil at this time, dry enough for the pump after 3 days; wet again every 10 days."""
    days = (now_s - _START_S) / _DAY_S
    machine.level_mv[26] = _WET_MV + int(days % 10 * _MV_PER_DAY)


if __name__ == "__main__":
    main(*sys.argv[1:])
