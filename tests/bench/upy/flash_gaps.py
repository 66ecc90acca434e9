"""Appends to a log in raw flash that takes its time, with and without an erase ahead.

Prints {"append": ms, "prepared": ms, "idle": ms, "begun": [n, n]}: the longest append without and
with prepare() between, the longest prepare(), and how many sectors began in each.
"""

import json

from gaps import cpu_us
from ram_flash import RamFlash

from hedge.core import log
from hedge.store import KV, Store
from hedge.store.region import Region

_BLOCKS, _BLOCK_BYTES = 16, 4096
_ERASE_US, _PROGRAM_US = 45000, 400  # W25Q16JV datasheet: a sector, a page, typically
_RECORDS = 600


class SlowFlash(RamFlash):
    """Computes as long as a chip would keep the processor waiting."""

    def do(self, block, offset, data):
        end_us = cpu_us() + (_ERASE_US if data is None else _PROGRAM_US)
        RamFlash.do(self, block, offset, data)
        while cpu_us() < end_us:
            pass


def timed(work, *args):
    """Processor time of a call, in us."""
    start_us = cpu_us()
    work(*args)
    return cpu_us() - start_us


def run(idle):
    """(longest append or save in us, longest idle moment in us, sectors erased)."""
    flash = SlowFlash(_BLOCKS, _BLOCK_BYTES)
    region = Region(flash)
    store, kv = Store(region), KV("node", volume=region)
    store.open()
    while region._programmed < region.ahead_after_bytes:
        store.append(1, bytes(32))
    longest_us = idle_us = 0
    begun = sum(flash.erases)
    for i in range(_RECORDS):
        if idle:
            idle_us = max(idle_us, timed(store.prepare))
        longest_us = max(longest_us, timed(store.append, i % 2, bytes(32)))
        if i % 16 == 0:
            kv.set("rules", bytes([i & 255] * 300))
            longest_us = max(longest_us, timed(kv.save))
    return longest_us, idle_us, sum(flash.erases) - begun


log.level = log.WARN + 1
plain, prepared = run(False), run(True)
print(
    json.dumps(
        {
            "append": plain[0] / 1000,
            "prepared": prepared[0] / 1000,
            "idle": prepared[1] / 1000,
            "begun": [plain[2], prepared[2]],
        }
    )
)
