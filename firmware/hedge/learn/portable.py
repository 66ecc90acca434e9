"""The kernels of a .hgl file in plain Python: CPython, and boards without viper.

Same numbers as viper*.py, to the bit; allocates (struct tuples, long ints, floats of float32
inputs). The caller has run check() on the file. This is the readable definition of every kind.
"""

import struct

from . import layout as at


def run(data, x, work, scores):
    """Fill scores from x; index of the label. work is unused here."""
    head = struct.unpack_from(at.HEADER, data, 0)
    return _KERNELS[head[at.KIND]](data, head, x, scores)


def _i32(data, offset, count):
    return struct.unpack_from("<%di" % count, data, offset)


def keys(head, x):
    """Ints, 0..2**32-1, in the order of the inputs: what thresholds are compared with."""
    if head[at.INPUT] == at.INT16:
        return [value + 32769 for value in x]
    found = []
    for value in x:
        bits = struct.unpack("<I", struct.pack("<f", value))[0]
        found.append(bits ^ (0xFFFFFFFF if bits >> 31 else 0x80000000))
    return found


def choose(decision, scores):
    """Index of the label by the scores."""
    if decision == at.SIGN_GE:
        return 1 if scores[0] >= 0 else 0
    if decision == at.SIGN_GT:
        return 1 if scores[0] > 0 else 0
    best = 0
    for j in range(1, len(scores)):
        if scores[j] > scores[best]:
            best = j
    return best


def _leaf(data, offset, order):
    """(value, score + 1 or 0) of the leaf that the keys `order` reach from the node at offset."""
    while True:
        threshold, feature, skip = struct.unpack_from("<IHH", data, offset)
        if feature == at.LEAF:
            return struct.unpack_from("<i", data, offset)[0], skip
        offset += 8 if order[feature] <= threshold else 8 * skip


def _trees(data, head, x, scores):
    order = keys(head, x)
    count = len(scores)
    for j, value in enumerate(_i32(data, head[at.D], count)):
        scores[j] = value
    for root in struct.unpack_from("<%dI" % head[at.ROWS], data, head[at.B]):
        value, score = _leaf(data, head[at.A] + 8 * root, order)
        if score:
            scores[score - 1] += value
            continue
        for j, part in enumerate(_i32(data, head[at.C] + 4 * count * value, count)):
            scores[j] += part
    return choose(head[at.DECISION], scores)


def _dot(weights, x):
    """sum of floor(w * x / 2**15)"""
    total = 0
    for w, value in zip(weights, x):
        total += w * value >> 15
    return total


def _linear(data, head, x, scores):
    n = head[at.FEATURES]
    for j in range(len(scores)):
        bias = _i32(data, head[at.B] + 4 * j, 1)[0]
        scores[j] = bias + _dot(_i32(data, head[at.A] + 4 * j * n, n), x)
    return choose(head[at.DECISION], scores)


def clipped(distance, shift):
    """A distance as a score: 30 bits with sign, so that two of them differ by 31."""
    return min(max(distance >> shift, -at.MAX_DISTANCE), at.MAX_DISTANCE)


def _constant(data, offset):
    high, middle, low = _i32(data, offset, 3)
    return (high << 60) + (middle << 30) + low


def _distance(data, head, q, j):
    n = head[at.FEATURES]
    centres = struct.unpack_from("<%dH" % n, data, head[at.A] + 2 * n * j)
    words = struct.unpack_from("<%dI" % n, data, head[at.B] + 4 * head[at.STEP] * j)
    total = 0
    for value, centre, word in zip(q, centres, words):
        total += ((value - centre) ** 2 * (word & 0x3FFFFFFF)) << (15 * (word >> 30))
    return total


def _distances(data, head, x, scores):
    q = [min(max(value, -at.CENTRE), at.CENTRE - 1) + at.CENTRE for value in x]
    found = [_distance(data, head, q, j) for j in range(head[at.ROWS])]
    if head[at.DECISION] == at.VOTE:
        return _vote(data, head, found, scores)
    return _nearest(data, head, found, scores)


def _nearest(data, head, found, scores):
    for j in range(head[at.ROWS]):
        found[j] += _constant(data, head[at.C] + 12 * j)
        scores[j] = clipped(found[j], head[at.EXTRA])
    return found.index(min(found))


def _vote(data, head, found, scores):
    for j in range(len(scores)):
        scores[j] = 0
    for _, j in sorted((d, j) for j, d in enumerate(found))[: head[at.NEIGHBOURS]]:
        scores[struct.unpack_from("<H", data, head[at.D] + 2 * j)[0]] += 1
    return choose(at.ARGMAX, scores)


def _squares(data, head, x, j):
    n = head[at.FEATURES]
    place = head[at.A] + 4 * j * (n * (n + 1) // 2)
    total = 0
    for k in range(n):
        bias = _i32(data, head[at.B] + 4 * (j * n + k), 1)[0]
        total += (bias + _dot(_i32(data, place, k + 1), x)) ** 2
        place += 4 * (k + 1)
    return total << 15


def _gaussians(data, head, x, scores):
    found = [_squares(data, head, x, j) for j in range(head[at.ROWS])]
    best = _nearest(data, head, found, scores)
    if head[at.DECISION] == at.OUTSIDE:
        return 1 if found[0] > 0 else 0
    if head[at.DECISION] == at.DENSITY:
        table = _i32(data, head[at.D], at.SOFTPLUS_ENTRIES)
        scores[head[at.ROWS]] = log_sum(scores, head[at.ROWS], table)
        return 1 if scores[head[at.ROWS]] > head[at.THRESHOLD] else 0
    return best


def log_sum(scores, rows, table):
    """-log(sum of exp(-score)), all in units of 2**-16; table: log(1 + exp(-i / 32)) likewise."""
    total = scores[0]
    for j in range(1, rows):
        apart = abs(total - scores[j])
        total = min(total, scores[j])
        i = apart >> 11
        if i < at.SOFTPLUS_ENTRIES - 1:
            total -= table[i] + ((table[i + 1] - table[i]) * (apart & 2047) >> 11)
    return total


_KERNELS = {
    at.TREES: _trees,
    at.LINEAR: _linear,
    at.DISTANCES: _distances,
    at.GAUSSIANS: _gaussians,
}
