"""Runs a plan in viper: no heap, exact on 32-bit machine words.

viper ints are machine words (32 bits on boards) and its pointers are not checked: the caller has
run plan.check(). The Unix port (64-bit words) and a board compute the same: no sum or product
leaves 32 bits, and (v ^ top) - top gives an i32 its sign, which a ptr32 load on a 64-bit port
drops. tests/host/test_infer_words.py runs this source with simulated 32-bit words. Only small
ints cross from one function to another: an int of 2**30 would be boxed on the heap.
"""

import array

import micropython

# ruff: noqa: F821  ptr8, ptr16 and ptr32 are words of viper

# Numbers on their way from one function to the next; multipliers of viper_fixed.py from 64 on,
# numbers of SOFTMAX up to 79. A constant of its own would be another object on the heap.
WORK = array.array("i", (0,) * 79)


def load(opcodes):
    """Import the kernels of these opcodes: small models stay small.

    0: a CONV or DEPTHWISE that is more than a fully connected layer.
    """
    global dense, rows_of_image, pool, sums, softmax, move, mean, recurrent
    if 0 in opcodes:
        from .viper_conv import rows_of_image
    if 1 in opcodes:
        from .viper_dense import dense
    if 3 in opcodes:
        from .viper_pool import pool
    if 4 in opcodes or 5 in opcodes:
        from .viper_sums import sums
    if 6 in opcodes:
        from .viper_softmax import softmax
    if 8 in opcodes or 9 in opcodes:
        from .viper_move import move
    if 10 in opcodes or 11 in opcodes:
        from .viper_mean import mean
    if 12 in opcodes or 13 in opcodes:
        from .viper_recurrent import recurrent


@micropython.viper
def table(data: ptr8, arena: ptr8, at: int):
    """One TABLE record at byte `at`."""
    base = int(data)
    op = ptr32(base + at)
    src = op[1]
    out = op[2]
    values = ptr8(base + op[4])
    for i in range(op[3]):
        arena[out + i] = values[int(arena[src + i]) ^ 128]


@micropython.viper
def run(data, arena, cursor):
    """Run records from where cursor stands; see portable.run. data: at a multiple of 4."""
    state = ptr32(cursor)
    budget = state[3]
    limited = budget
    while state[2] > 0:
        at = state[0]
        op = ptr32(int(ptr8(data)) + at)
        code = op[0] & 255
        first = state[1]
        total = 1
        if code == 3:
            total = op[5] & 0xFFFF
        elif code < 3:
            total = op[7] & 0xFFFF
        last = total
        if limited != 0 and last - first > budget:
            last = first + budget
        if code == 1 and op[0] & 0x40000 == 0:
            dense(data, arena, at)
        elif code < 3:
            rows_of_image(data, arena, at, first, last)
        elif code == 3:
            pool(data, arena, at, first, last)
        elif code < 6:
            sums(data, arena, at)
        elif code == 6:
            softmax(data, arena, at)
        elif code == 7:
            table(data, arena, at)
        elif code < 10:
            move(data, arena, at)
        elif code < 12:
            mean(data, arena, at)
        else:
            recurrent(data, arena, at)
        state[1] = last
        if last == total:
            state[0] = at + ((op[0] >> 8) & 255) * 4
            state[1] = 0
            state[2] = state[2] - 1
        budget -= last - first
        if limited != 0 and budget <= 0:
            break


@micropython.viper
def is_aligned(data: ptr8) -> bool:
    """True if data starts at a multiple of 4, as a Cortex-M0+ needs it."""
    return (int(data) & 3) == 0
