"""Checks of TREES and LINEAR (SPEC.md): every index in range, every sum below 2**30."""

import struct

from . import layout as at
from .check import need, section


def _largest(data, offset, count):
    """Largest absolute value of i32[count]."""
    largest = 0
    for i in range(count):
        largest = max(largest, abs(struct.unpack_from("<i", data, offset + 4 * i)[0]))
    return largest


def trees(data, head):
    """Every branch goes forward inside its tree, every leaf exists, no sum leaves 30 bits."""
    count, scores, leaf_rows = head[at.ROWS], head[at.SCORES], head[at.EXTRA]
    section(data, head[at.B], 4 * (count + 1), "roots")
    section(data, head[at.D], 4 * scores, "base scores")
    if leaf_rows:
        need(leaf_rows < 1 << 24, "leaf rows")
        section(data, head[at.C], 4 * scores * leaf_rows, "leaf rows")
    starts = struct.unpack_from("<I", data, head[at.B] + 4 * count)[0]
    section(data, head[at.A], 8 * starts, "nodes")
    need(struct.unpack_from("<I", data, head[at.B])[0] == 0, "first root")
    total = _largest(data, head[at.D], scores)
    row_limit = _largest(data, head[at.C], scores * leaf_rows)
    for i in range(count):
        start, end = struct.unpack_from("<II", data, head[at.B] + 4 * i)
        need(start < end <= starts, "roots out of order")
        total += _check_tree(data, head, start, end, row_limit)
        need(total <= at.MAX_SCORE, "scores may overflow")


def _check_tree(data, head, start, end, row_limit):
    """The largest absolute value one leaf of this tree adds."""
    features, scores, leaf_rows = head[at.FEATURES], head[at.SCORES], head[at.EXTRA]
    largest = 0
    for i in range(start, end):
        value, feature, skip = struct.unpack_from("<iHH", data, head[at.A] + 8 * i)
        if feature != at.LEAF:
            need(feature < features, "feature %d of a node" % feature)
            need(skip >= 2 and i + skip < end, "branch out of its tree")
        elif skip:
            need(skip <= scores, "score of a leaf")
            largest = max(largest, abs(value))
        else:
            need(0 <= value < leaf_rows, "row of a leaf")
            largest = max(largest, row_limit)
    return largest


def linear(data, head):
    """abs(bias) + sum of abs(weights) + one per feature (rounding) stays below 2**30."""
    scores, features = head[at.SCORES], head[at.FEATURES]
    need(head[at.ROWS] == scores, "rows of a linear model")
    section(data, head[at.A], 4 * scores * features, "weights")
    section(data, head[at.B], 4 * scores, "biases")
    for j in range(scores):
        total = abs(struct.unpack_from("<i", data, head[at.B] + 4 * j)[0]) + features
        for i in range(features):
            place = head[at.A] + 4 * (j * features + i)
            total += abs(struct.unpack_from("<i", data, place)[0])
        need(total <= at.MAX_SCORE, "scores may overflow")
