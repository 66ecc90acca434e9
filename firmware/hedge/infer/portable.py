"""The plan of a .hgm file in plain Python: the path of CPython, and of boards without viper.

Same numbers as the viper path, to the byte; allocates (struct tuples, long ints). The caller has
run plan.check() on the file.
"""

import struct

from . import portable_image, portable_recurrent, portable_small
from .fields import u16

_KERNELS = dict(portable_small.KERNELS)
_KERNELS.update(portable_recurrent.KERNELS)


def run(data, arena, cursor):
    """Run records from where cursor stands. data: the file; arena: int8 array of arena_bytes.

    cursor: four ints, [0] byte offset of the record, [1] its next output row, [2] records left,
    [3] rows to do in this call, 0 or less for all; [0] to [2] are moved on. An op without rows
    counts as one. Blocks; allocates.
    """
    budget = max(0, cursor[3])
    while cursor[2] > 0:
        op = struct.unpack_from("<%di" % data[cursor[0] + 1], data, cursor[0])
        done = _run_part(data, arena, op, cursor, budget)
        if budget:
            budget -= done
            if budget <= 0:
                return


def _run_part(data, arena, op, cursor, budget):
    """Up to `budget` rows of a record, 0 for all; the rows done."""
    opcode = op[0] & 0xFF
    if opcode not in portable_image.KERNELS:
        _KERNELS[opcode](data, arena, op)
        rows = total = 1
    else:
        kernel, at = portable_image.KERNELS[opcode]
        total = u16(op[at], 0)
        rows = total - cursor[1]
        if budget:
            rows = min(rows, budget)
        kernel(data, arena, op, range(cursor[1], cursor[1] + rows))
    cursor[1] += rows
    if cursor[1] == total:
        cursor[0] += 4 * (op[0] >> 8 & 0xFF)
        cursor[1] = 0
        cursor[2] -= 1
    return rows
