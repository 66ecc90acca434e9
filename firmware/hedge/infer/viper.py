"""The plan of a .hgm file in viper: no heap, exact on 32-bit machine words.

viper ints are machine words (32 bits on boards) and its pointers are not checked: the caller has
run plan.check(). The Unix port (64-bit words) and a board compute the same: no sum or product
leaves 32 bits, and (v ^ top) - top gives an i32 its sign, which a ptr32 load on a 64-bit port
drops. tests/host/test_infer_words.py runs this source with simulated 32-bit words. Only small
ints cross from one function to another: an int of 2**30 would be boxed on the heap.
"""

import micropython

from .viper_conv import conv, conv_depthwise, dense
from .viper_small import add, pool, softmax, table

# ruff: noqa: F821  ptr8 and ptr32 are words of viper


@micropython.viper
def run(data, arena, op_count: int):
    """Execute the plan. data: the file, at a multiple of 4; arena: int8 array of arena_bytes."""
    words = ptr32(data)
    at = 16
    while op_count > 0:
        head = words[at]
        code = head & 0xFFFF
        if code == 1:
            dense(data, arena, at * 4, words[at + 1], words[at + 2], 1)
        elif code == 2:
            table(data, arena, at * 4)
        elif code == 3:
            conv(data, arena, at * 4)
        elif code == 4:
            conv_depthwise(data, arena, at * 4)
        elif code == 5:
            pool(data, arena, at * 4)
        elif code == 6:
            add(data, arena, at * 4)
        else:
            softmax(data, arena, at * 4)
        at += head >> 16
        op_count -= 1


@micropython.viper
def is_aligned(data: ptr8) -> bool:
    """True if data starts at a multiple of 4, as a Cortex-M0+ needs it."""
    return (int(data) & 3) == 0
