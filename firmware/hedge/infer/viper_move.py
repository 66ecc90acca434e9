"""COPY and FILL in viper; loaded by kernels.py for the models that need them."""

import micropython

# ruff: noqa: F821  ptr8, ptr16 and ptr32 are words of viper


@micropython.viper
def copy(take: int, put: int, i: int, data: ptr8, arena: ptr8, at: int):
    """One COPY record at byte `at`; the other arguments are free."""
    op = ptr32(int(data) + at)
    top = 1
    top = top << 31
    source = int(arena)
    if (op[0] >> 16) & 1 != 0:
        source = int(data)
    source += op[1]
    target = int(arena) + op[2]
    take3 = (op[10] ^ top) - top
    put3 = (op[14] ^ top) - top
    for a in range(op[3]):
        for b in range(op[4]):
            for c in range(op[5]):
                take = source + a * ((op[7] ^ top) - top) + b * ((op[8] ^ top) - top)
                take += c * ((op[9] ^ top) - top)
                put = target + a * ((op[11] ^ top) - top) + b * ((op[12] ^ top) - top)
                put += c * ((op[13] ^ top) - top)
                i = op[6]
                while i > 0:
                    ptr8(put)[0] = ptr8(take)[0]
                    take += take3
                    put += put3
                    i -= 1


@micropython.viper
def move(data, arena, at: int):
    """One COPY or FILL record at byte `at`."""
    op = ptr32(int(ptr8(data)) + at)
    if op[0] & 1 == 0:
        copy(0, 0, 0, data, arena, at)
    else:
        value = op[4] & 255
        out = ptr8(int(ptr8(arena)) + op[2])
        for i in range(op[3]):
            out[i] = value
