"""Checks a .hgl file (SPEC.md) so completely that the kernels may run it without bounds checks.

    header = check(data)  # tuple, indices in layout.py; ModelError if anything at all is wrong

Runs once per load and allocates. A valid CRC proves nothing about intent, so every number counts.
"""

import binascii
import struct

from ..core.errors import ModelError
from . import layout as at

_MAX_FEATURES = 4096
_MAX_SCORES = 1024
_MAX_ROWS = 1 << 20
_MAX_LABEL = 1 << 29
_DECISIONS = {
    at.TREES: (at.VALUE, at.ARGMAX, at.SIGN_GE, at.SIGN_GT),
    at.LINEAR: (at.VALUE, at.ARGMAX, at.SIGN_GE, at.SIGN_GT),
    at.DISTANCES: (at.NEAREST, at.VOTE),
    at.GAUSSIANS: (at.NEAREST, at.OUTSIDE, at.DENSITY),
}


def need(ok, what):
    if not ok:
        raise ModelError("model file: " + what)


def check(data):
    """Header fields as a tuple; raises ModelError naming the first fault.

    data: bytes or memoryview of the whole file.
    """
    need(len(data) >= at.HEADER_BYTES, "shorter than its header")
    head = struct.unpack_from(at.HEADER, data, 0)
    need(head[0] == at.MAGIC, "not a .hgl file")
    need(head[1] == at.VERSION, "version %d, this firmware reads %d" % (head[1], at.VERSION))
    need(head[at.FILE_BYTES] == len(data), "truncated or padded")
    crc = binascii.crc32(memoryview(data)[16:]) & 0xFFFFFFFF
    need(head[at.CRC] == crc, "damaged (CRC differs)")
    _check_head(data, head)
    if head[at.KIND] in (at.TREES, at.LINEAR):
        from .check_scores import linear, trees

        (trees if head[at.KIND] == at.TREES else linear)(data, head)
    else:
        from .check_distances import distances, gaussians

        (distances if head[at.KIND] == at.DISTANCES else gaussians)(data, head)
    return head


def _check_head(data, head):
    need(head[at.KIND] in _DECISIONS, "unknown kind %d" % head[at.KIND])
    need(head[at.DECISION] in _DECISIONS[head[at.KIND]], "decision of another kind")
    need(head[at.LINK] <= at.EXP_NEGATIVE, "unknown link")
    need(0 < head[at.FEATURES] <= _MAX_FEATURES, "number of features")
    need(0 < head[at.SCORES] <= _MAX_SCORES, "number of scores")
    need(0 < head[at.ROWS] <= _MAX_ROWS, "number of rows")
    need(0.0 < head[at.SCORE_SCALE] < 1e30, "scale of scores")
    need(head[at.DECISION] == at.VOTE or head[at.NEIGHBOURS] == 0, "neighbours of another kind")
    need(head[at.INPUT] in (at.FLOAT32, at.INT16), "unknown input")
    need(head[at.INPUT] == at.INT16 or head[at.KIND] == at.TREES, "input of this kind is int16")
    _check_quant(data, head)
    _check_labels(data, head)


def section(data, offset, size, what):
    """A section of `size` bytes at a multiple of 4, behind the header, inside the file."""
    ok = offset >= at.HEADER_BYTES and not offset & 3 and offset + size <= len(data)
    need(ok, what + " outside the file or unaligned")


def _check_quant(data, head):
    if head[at.INPUT] == at.FLOAT32:
        need(head[at.QUANT_AT] == 0, "float32 input with a scale")
        return
    section(data, head[at.QUANT_AT], 8 * head[at.FEATURES], "input scales")
    for i in range(head[at.FEATURES]):
        scale, offset = struct.unpack_from("<ff", data, head[at.QUANT_AT] + 8 * i)
        need(0.0 < scale < 1e30 and -1e30 < offset < 1e30, "input scale %d" % i)


_ONE_SCORE = (at.SIGN_GE, at.SIGN_GT, at.OUTSIDE, at.DENSITY)


def _check_labels(data, head):
    count, scores, decision = head[at.LABELS], head[at.SCORES], head[at.DECISION]
    if decision == at.VALUE:
        wanted = 0
    elif decision in _ONE_SCORE:
        need(scores == 1 or decision == at.DENSITY, "number of scores")
        wanted = 2
    else:
        wanted = scores
    need(count == wanted, "number of labels")
    if count:
        section(data, head[at.LABELS_AT], 4 * count, "labels")
    for i in range(count):
        label = struct.unpack_from("<i", data, head[at.LABELS_AT] + 4 * i)[0]
        need(-_MAX_LABEL < label < _MAX_LABEL, "label %d" % label)
