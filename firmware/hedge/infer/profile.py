"""Microseconds of every layer of an invoke; loaded for a model with profile=True."""

import time

from ..core.errors import ModelError
from .ops import NAMES
from .plan import records


def _now_us():
    return time.perf_counter_ns() // 1000


def _passed_us(start):
    return _now_us() - start


if hasattr(time, "ticks_us"):

    def _passed_us(start):
        return time.ticks_diff(time.ticks_us(), start)

    _now_us = time.ticks_us


def timed(model):
    """One invoke of a model whose cursor is set, record by record. Allocates nothing."""
    cursor, us = model._cursor, model._us
    for i in range(len(us)):
        cursor[2] = 1
        start = _now_us()
        model._advance()
        us[i] = _passed_us(start)


def named(data, us):
    """See Model.layers()."""
    if us is None:
        raise ModelError("no layer was timed: make the model with profile=True")
    resets, count, at = data[22], data[20] | data[21] << 8, 60
    for _, start, words in records(data, resets):
        at = start + 4 * words
    opcodes = [opcode for opcode, _, _ in records(data, count, at)]
    return [(NAMES[opcode], us[i]) for i, opcode in enumerate(opcodes)]
