"""CONV and DEPTHWISE: weights in pairs of taps, the channel table, the window."""

import numpy as np

from hedgerow.convert.emit.layout import CONV, DEPTHWISE
from hedgerow.convert.emit.words import Source, halves, quarters, record
from hedgerow.convert.overlap import is_direct

_LANES = 4  # channels of a block
_WIDE, _DIRECT, _SCRATCH = 1, 2, 4  # flags
_SPAN = 4  # shifts that a compact table can tell apart


def conv(source: Source) -> list[bytes]:
    matrix = source.options["weights"]
    return [_image(source, CONV, pairs_of_taps(matrix), matrix, _DIRECT * is_direct(source.op))]


def depthwise(source: Source) -> list[bytes]:
    taps = source.options["weights"]
    return [_image(source, DEPTHWISE, np.ascontiguousarray(taps).tobytes(), taps.T, 0)]


def pairs_of_taps(matrix: np.ndarray) -> bytes:
    """(channels, taps) int8 -> blocks of four channels in pairs of taps, w + 128 (SPEC.md)."""
    channels, taps = matrix.shape
    blocks, pairs = -(-channels // _LANES), -(-taps // 2)
    full = np.full((blocks * _LANES, 2 * pairs), 128, dtype=np.uint8)
    full[:channels, :taps] = matrix.astype(np.int16) + 128
    return full.reshape(blocks, 2, 2, pairs, 2).transpose(0, 3, 1, 4, 2).tobytes()


def channel_table(bias: np.ndarray, pairs: np.ndarray) -> tuple[int, bytes]:
    """(flags, bytes); bias: (channels,) with the +128 fold; pairs: (channels, 2) int64.

    Compact where the numbers allow it: 28 bytes for four channels instead of 48.
    """
    multiplier, right = pairs[:, 0], -pairs[:, 1]
    base = int(right.min())
    small = int(np.abs(bias + 0.5).max()) < 1 << 23  # signed 24 bits
    if small and base >= 0 and int(right.max()) - base < _SPAN and multiplier.min() > 0:
        return base << 8, _compact(bias, multiplier, right - base)
    columns = [_blocks(values, "<i4") for values in (bias, multiplier, -right)]
    return _WIDE, np.concatenate(columns, axis=1).tobytes()


def _compact(bias: np.ndarray, multiplier: np.ndarray, s: np.ndarray) -> bytes:
    columns = [
        _blocks((multiplier - (1 << 30)) << 2 | s, "<u4"),
        _blocks(bias & 0xFFFF, "<u2"),
        _blocks(bias >> 16, "i1"),
    ]
    return np.concatenate([c.view(np.uint8) for c in columns], axis=1).tobytes()


def _blocks(values: np.ndarray, dtype: str) -> np.ndarray:
    """(blocks, 4): the last block filled up with zeros."""
    return np.pad(values, (0, -len(values) % _LANES)).astype(dtype).reshape(-1, _LANES)


def _image(source: Source, opcode: int, weights: bytes, matrix: np.ndarray, flags: int) -> bytes:
    """matrix: (channels, taps of a channel)."""
    o, area = source.options, source.options["window"]
    in_h, in_w, in_c = o["in_shape"][1:]
    bias = o["bias"] - 128 * matrix.astype(np.int64).sum(axis=1)  # the kernel sums (x + 128) * w
    pairs = np.broadcast_to(np.array(o["requant"], dtype=np.int64), (len(matrix), 2))
    shifts, table = channel_table(bias, pairs)
    gathers = len(source.op.outputs) > 1
    words = [
        source.at(0),
        source.out,
        source.constants.add(weights),
        source.constants.add(table),
        halves(in_h, in_w),
        halves(in_c, len(matrix)),
        halves(*area.out),
        quarters(*area.kernel, *area.stride),
        quarters(*area.dilation, *area.pad),
        quarters(o["zero_point"], o["act_min"], o["act_max"], o["fill"]),
        source.scratch,
    ]
    return record(opcode, flags | shifts | _SCRATCH * gathers, words)
