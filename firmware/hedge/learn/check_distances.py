"""Checks of DISTANCES and GAUSSIANS (SPEC.md): every sum below 2**88, every index in range."""

import struct

from . import layout as at
from .check import need, section

_LIMIT = 1 << 88
_MAX_NEIGHBOURS = 255


def constant(data, offset):
    """A signed 90-bit number of three words: high (signed), middle, low, 30 bits each."""
    high, middle, low = struct.unpack_from("<iii", data, offset)
    need(0 <= middle < 1 << 30 and 0 <= low < 1 << 30, "constant")
    return (high << 60) + (middle << 30) + low


def weight(word):
    """m * 2**(15 * e) of a weight word of DISTANCES."""
    return (word & 0x3FFFFFFF) << (15 * (word >> 30))


def _check_shift(head):
    need(30 <= head[at.EXTRA] <= 60, "shift of scores")


def distances(data, head):
    rows, features, step = head[at.ROWS], head[at.FEATURES], head[at.STEP]
    _check_shift(head)
    need(step in (0, features), "weight step")
    section(data, head[at.A], (2 * rows * features + 3) // 4 * 4, "centres")
    weight_rows = rows if step else 1
    section(data, head[at.B], 4 * weight_rows * features, "weights")
    for i in range(rows * features):
        need(struct.unpack_from("<H", data, head[at.A] + 2 * i)[0] < 1 << 15, "centre")
    limits = [_largest(data, head[at.B] + 4 * features * j, features) for j in range(weight_rows)]
    if head[at.DECISION] == at.VOTE:
        _votes(data, head, limits)
        return
    need(rows == head[at.SCORES] and head[at.D] == 0, "rows of a nearest-centre model")
    section(data, head[at.C], 12 * rows, "constants")
    for j in range(rows):
        low = constant(data, head[at.C] + 12 * j)
        need(abs(low) + limits[j if step else 0] < _LIMIT, "distances may overflow")


def _largest(data, offset, features):
    """The largest distance that one row of weights allows."""
    total = 0
    for i in range(features):
        word = struct.unpack_from("<I", data, offset + 4 * i)[0]
        need(word >> 30 < 3, "weight")
        total += weight(word) << 30
    return total


def _votes(data, head, limits):
    rows, k = head[at.ROWS], head[at.NEIGHBOURS]
    need(head[at.C] == 0 and head[at.STEP] == 0 and limits[0] < _LIMIT, "distances may overflow")
    need(0 < k <= min(rows, _MAX_NEIGHBOURS), "neighbours")
    section(data, head[at.D], (2 * rows + 3) // 4 * 4, "classes of the rows")
    for i in range(rows):
        need(struct.unpack_from("<H", data, head[at.D] + 2 * i)[0] < head[at.SCORES], "class")


def gaussians(data, head):
    rows, n = head[at.ROWS], head[at.FEATURES]
    triangle = n * (n + 1) // 2
    dense = head[at.DECISION] == at.DENSITY
    _check_shift(head)
    need(head[at.SCORES] == rows + (1 if dense else 0), "components")
    need(head[at.DECISION] != at.OUTSIDE or rows == 1, "components")
    section(data, head[at.A], 4 * rows * triangle, "triangles")
    section(data, head[at.B], 4 * rows * n, "biases")
    section(data, head[at.C], 12 * rows, "constants")
    if dense:
        _softplus(data, head)
    for j in range(rows):
        low = constant(data, head[at.C] + 12 * j)
        need(abs(low) + _squares(data, head, j) < _LIMIT, "distances may overflow")


def _softplus(data, head):
    section(data, head[at.D], 4 * at.SOFTPLUS_ENTRIES, "softplus table")
    last = 1 << 16
    for i in range(at.SOFTPLUS_ENTRIES):
        value = struct.unpack_from("<i", data, head[at.D] + 4 * i)[0]
        need(0 <= value <= last, "softplus table")
        last = value


def _squares(data, head, j):
    """Largest sum of squares of component j; every y stays below 2**30."""
    n = head[at.FEATURES]
    place = head[at.A] + 4 * j * (n * (n + 1) // 2)
    total = 0
    for k in range(n):
        y = abs(struct.unpack_from("<i", data, head[at.B] + 4 * (j * n + k))[0]) + k + 1
        for _ in range(k + 1):
            y += abs(struct.unpack_from("<i", data, place)[0])
            place += 4
        need(y <= at.MAX_SCORE, "standardised values may overflow")
        total += y * y
    return total << 15
