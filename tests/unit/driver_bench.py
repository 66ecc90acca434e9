"""What the driver tests share: steered device time, a board on simulated pins, a heap lock."""

import asyncio
import sys

import machine
import micropython

from hedge.board import Board
from hedge.core import clock

UPY = sys.implementation.name == "micropython"

TABLE = {
    "name": "UNIX",
    "port": "unix",
    "buses": {"i2c0": {"kind": "i2c", "id": 0, "scl": 5, "sda": 4, "freq_hz": 400000}},
}


class BenchClock:
    """Device time that passes only in sleep_ms, from the middle of the wrap-around's range."""

    def __init__(self):
        self.now_ms = 1000000

    def ticks_ms(self):
        return self.now_ms

    def epoch_s(self):
        return 1767225600 + self.now_ms // 1000

    async def sleep_ms(self, ms):
        self.now_ms += ms


class Bench:
    """A bare board at steered time; close() puts everything back."""

    def __init__(self):
        machine.clear_bench()
        self.clock = BenchClock()
        self._former = clock.use(self.clock)
        self.board = Board(TABLE)

    def now_ms(self):
        return self.clock.now_ms

    def close(self):
        clock.use(self._former)
        machine.clear_bench()


def read(sensor, out):
    """One awaited reading; returns out."""
    asyncio.run(sensor.read_into(out))
    return out


class locked_heap:
    """In the with block every allocation raises MemoryError (MicroPython only)."""

    def __enter__(self):
        micropython.heap_lock()

    def __exit__(self, kind, value, trace):  # a *args tuple would need the heap
        micropython.heap_unlock()


def shared_json(path):
    """Parsed file of the optional data folder beside the clone, or None if it is not there."""
    import json

    folder = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
    try:
        with open(folder + "/../../../shared/data/" + path) as f:
            return json.load(f)
    except OSError:
        return None
