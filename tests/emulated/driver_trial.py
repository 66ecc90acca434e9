"""Runs on the emulated Pico: one driver on the board's real bus, one reading at a time.

    trial = Trial("sht4x", "SHT4x", ("i2c", "i2c0"), {"addr": 0x44}, 2)
    print(trial.read())      # [2500, 5000], or the name of the error
    print(trial.measure())   # the same with the heap locked, and what it cost

Times are the board's. bus: of `Board.bus`, on the pins of BUSES.
"""

import asyncio
import gc
import sys
import time
from array import array

import machine
import micropython

from hedge.board import Board
from hedge.core.errors import SensorError

_UNTOUCHED = -123456789
_CYCLES = 0x40068000  # emulate/pico/emulator.mjs
_WRAP = 2**30 - 1
_LOOK_MS = 10
BUSES = {
    "i2c0": {"kind": "i2c", "id": 0, "scl": 5, "sda": 4, "freq_hz": 400000},
    "spi0": {"kind": "spi", "id": 0, "sck": 18, "mosi": 19, "miso": 20, "freq_hz": 1000000},
    "uart0": {"kind": "uart", "id": 0, "tx": 0, "rx": 1},
}


def board_at(freq_hz):
    """A board whose I2C runs at freq_hz."""
    buses = dict(BUSES, i2c0=dict(BUSES["i2c0"], freq_hz=freq_hz))
    return Board({"name": "RPI_PICO", "port": "rp2", "buses": buses})


def load(name):
    """Module of a driver; what other drivers left behind is dropped."""
    if "hedge.drivers." + name in sys.modules:
        return sys.modules["hedge.drivers." + name]
    for old in [key for key in sys.modules if key.startswith("hedge.drivers.")]:
        del sys.modules[old]
    import hedge.drivers

    for old in dir(hedge.drivers):
        if not old.startswith("__"):
            delattr(hedge.drivers, old)
    gc.collect()
    return getattr(__import__("hedge.drivers." + name).drivers, name)


class Trial:
    def __init__(self, name, class_name, bus, args, n_channels, freq_hz=400000):
        self.bus = board_at(freq_hz).bus(*bus)
        self.sensor = getattr(load(name), class_name)(self.bus, **args)
        self.out = array("i", [_UNTOUCHED] * n_channels)
        self.cycles = self.us = 0  # of the last measure()
        self.said = ""  # text of the last error

    def read(self):
        """Values by `await read_into`, or what went wrong, with " half" if out was touched."""
        self._blank()
        try:
            asyncio.run(self.sensor.read_into(self.out))
        except (OSError, SensorError) as error:
            self.said = repr(error)
            touched = any(value != _UNTOUCHED for value in self.out)
            return type(error).__name__ + (" half" if touched else "")
        return list(self.out)

    def measure(self, locked=True):
        """One more reading by start() and poll(), in which an allocation is a MemoryError.

        [values, core cycles in the driver's calls, us in them, heap bytes that it took]
        """
        self._blank()
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        if locked:
            micropython.heap_lock()
        try:
            self._timed()
        finally:
            if locked:
                micropython.heap_unlock()
        used = gc.mem_alloc() - before
        gc.enable()
        return [list(self.out), self.cycles, self.us, used]

    def _timed(self):
        sensor, out, ticks_us = self.sensor, self.out, time.ticks_us
        began_us, began = ticks_us(), machine.mem32[_CYCLES]
        wait_ms = sensor.start()
        self.cycles = machine.mem32[_CYCLES] - began & _WRAP
        self.us = time.ticks_diff(ticks_us(), began_us)
        done = False
        while not done:
            time.sleep_ms(wait_ms)
            began_us, began = ticks_us(), machine.mem32[_CYCLES]
            done = sensor.poll(out)
            self.cycles += machine.mem32[_CYCLES] - began & _WRAP
            self.us += time.ticks_diff(ticks_us(), began_us)
            wait_ms = self._left_ms()

    def _left_ms(self):
        """As read_into waits between two looks."""
        sensor = self.sensor
        if hasattr(sensor, "POLL_MS") and hasattr(sensor, "_wait_ms"):
            return max(sensor._wait_ms - sensor._elapsed_ms(), sensor.POLL_MS)
        return _LOOK_MS

    def _blank(self):
        for i in range(len(self.out)):
            self.out[i] = _UNTOUCHED
