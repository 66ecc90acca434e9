"""TREES and LINEAR (SPEC.md) in viper: no heap, exact on 32-bit machine words.

viper ints are machine words (32 bits on boards) and its pointers are not checked: the caller has
run check(). No sum or product leaves 32 bits, and (v ^ top) - top gives an i32 its sign, which a
ptr32 load on a 64-bit port drops. Word 4 + i of the header is at byte 16 + 4 * i.
"""

import micropython

# ruff: noqa: F821  ptr8, ptr16, ptr32 and uint are words of viper


@micropython.viper
def choose(decision: int, scores: ptr32, count: int) -> int:
    """Index of the label by the scores; the first of equals."""
    top = 1
    top = top << 31
    best = 0
    most = (scores[0] ^ top) - top
    if decision == 2:
        return 1 if most >= 0 else 0
    if decision == 3:
        return 1 if most > 0 else 0
    for j in range(1, count):
        value = (scores[j] ^ top) - top
        if value > most:
            most = value
            best = j
    return best


@micropython.viper
def keys(is_int16: int, x, work: ptr32, count: int):
    """work[i]: the input as an unsigned word in the order of the inputs.

    0 is less than every input. Of a float32 these are its bits: all of them inverted if it is
    negative, else the sign set.
    """
    if is_int16:
        ints = ptr16(x)
        for i in range(count):
            work[i] = ((ints[i] + 32768) & 65535) + 1
        return
    bits = ptr32(x)
    top = 1
    top = top << 31
    for i in range(count):
        value = bits[i]
        work[i] = value ^ ((0 - ((value >> 31) & 1)) | top)


@micropython.viper
def trees(data: ptr8, order: ptr32, scores: ptr32):
    """Scores of TREES; order: what keys() made of the inputs."""
    base = int(data)
    head = ptr32(base)
    count = head[7]
    start = ptr32(base + head[16])
    for j in range(count):
        scores[j] = start[j]
    roots = ptr32(base + head[14])
    nodes = base + head[13]
    for t in range(head[12]):
        node = ptr32(nodes + 8 * roots[t])
        branch = node[1]
        feature = branch & 65535
        while feature != 65535:
            if uint(order[feature]) <= uint(node[0]):
                node = ptr32(int(node) + 8)
            else:
                node = ptr32(int(node) + ((branch >> 13) & 524280))
            branch = node[1]
            feature = branch & 65535
        score = (branch >> 16) & 65535
        if score:
            scores[score - 1] = scores[score - 1] + node[0]
        else:
            row = ptr32(base + head[15] + 4 * count * node[0])
            for j in range(count):
                scores[j] = scores[j] + row[j]


@micropython.viper
def linear(data: ptr8, x: ptr16, scores: ptr32):
    """Scores of LINEAR: bias + sum of floor(weight * x / 2**15)."""
    base = int(data)
    head = ptr32(base)
    n = head[6]
    weights = ptr32(base + head[13])
    biases = ptr32(base + head[14])
    top = 1
    top = top << 31
    for j in range(head[7]):
        total = (biases[j] ^ top) - top
        for i in range(n):
            value = (x[i] ^ 32768) - 32768
            weight = (weights[i] ^ top) - top
            total += value * (weight >> 15) + ((value * (weight & 32767)) >> 15)
        scores[j] = total
        weights = ptr32(int(weights) + 4 * n)


@micropython.viper
def run(data, x, work, scores) -> int:
    """Fill scores; index of the label. data: the file, at a multiple of 4."""
    head = ptr32(data)
    if head[4] & 65535 == 1:
        keys((head[4] >> 16) & 255, x, work, head[6])
        trees(data, work, scores)
    else:
        linear(data, x, scores)
    return int(choose((head[4] >> 24) & 255, scores, head[7]))


@micropython.viper
def is_aligned(data: ptr8) -> bool:
    """True if data starts at a multiple of 4, as a Cortex-M0+ needs it."""
    return (int(data) & 3) == 0
