"""Runs under MicroPython until killed: appends, reads and acknowledges as fast as it can.

    micropython writer.py FOLDER keep|forget|drop SEED

Prints "a BOOT STREAM SEQ" once an append has returned, "k BOOT STREAM UPTO" before it
acknowledges. `drop` gives the log little room and acknowledges rarely.
"""

import random
import sys

from hedge.core import log
from hedge.core.errors import StoreError
from hedge.store import Store


def payload(boot, stream, seq):
    """What record (boot, stream, seq) holds; test_kill.py has the same line."""
    return b"%d/%d/%d" % (boot, stream, seq) + bytes(seq * 7 % 40)


def run(folder, mode, seed):
    """Never returns."""
    log.level = log.WARN + 1
    random.seed(seed)
    store = Store(folder, 12000 if mode == "drop" else 1 << 22, 2048, mode == "keep")
    store.open()
    reader = store.reader()
    count = {}
    while True:
        stream = random.getrandbits(3) % 3
        seq = count.get(stream, 0) + 1
        try:
            count[stream] = store.append(stream, payload(store.boot, stream, seq))
        except StoreError:  # full of more important records
            acknowledge(store, reader)
            continue
        print(f"a {store.boot} {stream} {seq}\n", end="")
        if random.getrandbits(8) < (8 if mode == "drop" else 64):
            acknowledge(store, reader)


def acknowledge(store, reader):
    """Acknowledge one batch, as a gateway does that has everything before it."""
    batch = reader.next(200)
    if batch:
        upto = batch.seq + len(batch.records) - 1
        print(f"k {batch.boot} {batch.stream} {upto}\n", end="")
        store.ack(batch.boot, batch.stream, upto)


run(sys.argv[1], sys.argv[2], int(sys.argv[3]))
