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
    "buses": {
        "i2c0": {"kind": "i2c", "id": 0, "scl": 5, "sda": 4, "freq_hz": 400000},
        "spi0": {"kind": "spi", "id": 0, "sck": 18, "mosi": 19, "miso": 20, "freq_hz": 1000000},
        "uart0": {"kind": "uart", "id": 0, "tx": 0, "rx": 1},
    },
}


class BenchClock:
    """Device time that passes only in sleep_ms, from the middle of the wrap-around's range."""

    def __init__(self):
        self.now_ms = 1000000
        self.each_ms = None

    def ticks_ms(self):
        return self.now_ms

    def epoch_s(self):
        return 1767225600 + self.now_ms // 1000

    async def sleep_ms(self, ms):
        self.pass_ms(ms)

    def pass_ms(self, ms):
        """Let time pass; each_ms, if set, is called every millisecond of it."""
        if self.each_ms is None:
            self.now_ms += ms
            return
        for _ in range(ms):
            self.now_ms += 1
            self.each_ms()


class Bench:
    """A bare board at steered time; close() puts everything back."""

    def __init__(self):
        machine.clear_bench()
        self.clock = BenchClock()
        self._former = clock.use(self.clock)
        self.board = Board(TABLE)

    def board_at(self, freq_hz):
        """Another board on the same wires whose I2C runs at freq_hz."""
        buses = dict(TABLE["buses"])
        buses["i2c0"] = dict(buses["i2c0"], freq_hz=freq_hz)
        return Board({"name": "UNIX", "port": "unix", "buses": buses})

    def now_ms(self):
        return self.clock.now_ms

    def close(self):
        clock.use(self._former)
        machine.clear_bench()


def read(sensor, out):
    """One awaited reading; returns out."""
    asyncio.run(sensor.read_into(out))
    return out


class Tape:
    """A bus that records what the chip answers and plays it back without allocating.

    A simulated chip allocates, so the heap can only be locked over a recording of it.
    """

    def __init__(self, bus):
        self._bus = bus
        self._takes = []
        self._next = -1  # -1 while it records

    def record(self):
        self._takes = []
        self._next = -1

    def play(self):
        self._next = 0

    def _take(self):
        self._next += 1
        return self._takes[self._next - 1]

    def _fill(self, buf):
        take = self._take()
        for i in range(len(buf)):
            buf[i] = take[i]

    def writeto(self, addr, buf, stop=True):
        if self._next < 0:
            return self._bus.writeto(addr, buf, stop)
        return len(buf)

    def writeto_mem(self, addr, reg, buf):
        if self._next < 0:
            self._bus.writeto_mem(addr, reg, buf)

    def readfrom_into(self, addr, buf):
        if self._next >= 0:
            self._fill(buf)
            return
        self._bus.readfrom_into(addr, buf)
        self._takes.append(bytes(buf))

    def readfrom_mem_into(self, addr, reg, buf):
        if self._next >= 0:
            self._fill(buf)
            return
        self._bus.readfrom_mem_into(addr, reg, buf)
        self._takes.append(bytes(buf))

    def readfrom_mem(self, addr, reg, count):
        return self._bus.readfrom_mem(addr, reg, count)  # allocates by its nature: set-up only

    def readinto(self, buf):
        if self._next >= 0:
            self._fill(buf)
            return
        self._bus.readinto(buf)
        self._takes.append(bytes(buf))

    def _number(self, ask):
        if self._next < 0:
            self._takes.append(getattr(self._bus, ask)())
            return self._takes[-1]
        return self._take()

    def any(self):
        return self._number("any")

    def init(self, **settings):
        self._bus.init(**settings)

    def reset(self):
        return self._number("reset")

    def readbit(self):
        return self._number("readbit")

    def read_uv(self):
        return self._number("read_uv")

    def writebyte(self, value):
        if self._next < 0:
            self._bus.writebyte(value)

    def write(self, buf):
        if self._next < 0:
            self._bus.write(buf)

    def __call__(self, buf):
        if self._next >= 0:
            self._fill(buf)
            return
        self._bus(buf)
        self._takes.append(bytes(buf))

    def write_readinto(self, out, into):
        if self._next >= 0:
            self._fill(into)
            return
        self._bus.write_readinto(out, into)
        self._takes.append(bytes(into))

    def crc8(self, data):
        return self._bus.crc8(data)


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
