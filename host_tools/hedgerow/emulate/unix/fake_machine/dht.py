"""Simulated `machine.dht_readinto`: one transfer of a DHT sensor on a pin.

A chip has: frame() -> 5 bytes, or None if it does not answer the start signal. The C code of
MicroPython (drivers/dht/dht.c) raises OSError(ETIMEDOUT) then.
"""

import errno

from .pin import number_of

_chips = {}  # pin number -> chip


def attach_dht(pin, chip):
    """Put chip on that pin."""
    _chips[number_of(pin)] = chip


def clear():
    """Take every chip off (between tests)."""
    _chips.clear()


def dht_readinto(pin, buf):
    """Send the start signal and take 40 bits."""
    if len(buf) < 5:
        raise ValueError("buffer too small")
    chip = _chips.get(number_of(pin))
    frame = chip.frame() if chip else None
    if frame is None:
        raise OSError(errno.ETIMEDOUT)
    for i in range(5):
        buf[i] = frame[i]
