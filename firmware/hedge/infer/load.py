"""Fills a Model from its file, in an order that finds a heap in one piece; then leaves the heap.

The arena is up to a third of a board's heap: it is taken after the header is checked, before the
checks of the records and the kernels come into the heap. Garbage of the imports is collected every
8 KB, before it spreads: what stays would lie among it and leave no piece for the next arena.
"""

import array
import gc
import sys

from ..core.errors import ModelError
from ..core.once import forget

_GARBAGE_BYTES = 8192
_CHECKS = ("ops", "check_image", "check_small", "check_recurrent", "fields")


def fill(model, source, arena, profile, kernels):
    """Set what a Model holds; see there. Leaves none of the modules that only loading needs.

    A module that nothing else imports is dropped as soon as it is here: MicroPython's table of
    modules grows with the most that were ever in it, and never shrinks.
    """
    _forget("load")
    threshold = _threshold(_GARBAGE_BYTES)
    try:
        data = _contents(source)
        header, opcodes, arena = _checked(data, arena)
        _forget(*_CHECKS)
        mark, model._run, is_aligned = _choose(kernels, opcodes)
    finally:
        _forget(*_CHECKS)
        _threshold(threshold)
    if is_aligned is not None and not is_aligned(data):
        data = bytes(data)
    if is_aligned is not None and not is_aligned(arena):
        raise ModelError("arena does not lie at a multiple of 4: use an array('b')")
    model._data = data
    model.arena = arena
    model._cursor = array.array("i", (0, 0, 0, 0, mark))
    view = memoryview(arena)
    at, size, out, out_size, op_count = header
    model.input = view[at : at + size]
    model.output = view[out : out + out_size]
    if profile:
        from .profile import timed

        model._us = array.array("I", [0] * op_count)
        model._timed = timed


def _threshold(n_bytes):
    """gc.threshold(n_bytes) where there is one; what it was."""
    if not hasattr(gc, "threshold"):
        return None
    before = gc.threshold()
    gc.threshold(n_bytes)
    return before


def _forget(*names):
    for name in names:
        forget("hedge.infer." + name)


def _contents(source):
    from ..core.mapped import contents

    forget("hedge.core.mapped")
    return contents(source)


def _checked(data, arena):
    """((input, its bytes, output, its bytes, ops), opcodes, arena) of a file that is sound."""
    from . import plan

    _forget("plan")
    header = plan.check_header(data)
    has_state = header[plan.STATE + 1] > 0
    arena = _arena(arena, header[plan.ARENA_BYTES], has_state)
    plan.check_records(data, header)
    opcodes = plan.opcodes(data, header[plan.RESET_COUNT] + header[plan.OP_COUNT])
    at = (plan.INPUT, plan.INPUT + 1, plan.OUTPUT, plan.OUTPUT + 1, plan.OP_COUNT)
    return tuple([header[i] for i in at]), opcodes, arena


def _choose(kernels, opcodes):
    from .kernels import choose

    _forget("kernels")
    return choose(kernels, opcodes)


def _arena(arena, needed, has_state):
    """The caller's arena, if it will do, or a new one."""
    if arena is None:
        return _new_arena(needed)
    if has_state:
        raise ModelError("the model has state, which a shared arena would lose: pass arena=None")
    if len(arena) < needed:
        raise ModelError("arena of %d bytes, needs %d" % (len(arena), needed))
    return arena


class _Length:
    """Has a length and no elements: MicroPython makes an array of that length and stores nothing
    (py/objarray.c, array_construct), which its heap has zeroed (MICROPY_GC_CONSERVATIVE_CLEAR)."""

    def __init__(self, count):
        self._count = count

    def __len__(self):
        return self._count

    def __iter__(self):
        return iter(())


def _new_arena(needed):
    """array("b") of zeros. Made of bytes(needed) it would take the heap twice for a moment."""
    if sys.implementation.name == "micropython":
        gc.collect()
    try:
        arena = array.array("b", _Length(needed))
        if len(arena) != needed:  # CPython believes the elements only
            arena = array.array("b", bytes(needed))
    except MemoryError:
        raise ModelError("arena of %d bytes does not fit in the heap" % needed)
    return arena
