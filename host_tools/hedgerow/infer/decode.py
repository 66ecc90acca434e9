"""Records of a .hgm back into device ops of the converter: emit, backwards.

    step = decode(record)

Written from the SPEC, not from emit: a mistake in one of them shows as a difference.
"""

import struct
from collections.abc import Callable, Mapping

import numpy as np

from hedgerow.convert.ops.conv import Window
from hedgerow.infer.decode_recurrent import lstm, svdf
from hedgerow.infer.records import Input, Record, Step, make_step


def decode(record: Record) -> Step:
    """What the record does."""
    return _DECODERS[record.words[0] & 0xFF](record)


def _channel_table(r: Record, offset: int, channels: int) -> tuple[np.ndarray, list]:
    """(bias as the kernel uses it, (multiplier, shift) of each channel)."""
    blocks = -(-channels // 4)
    if r.flags & 1:
        table = r.array(offset, 12 * blocks, "<i4").reshape(blocks, 3, 4)
        bias, multiplier, shift = (table[:, i].reshape(-1).astype(np.int64) for i in range(3))
    else:
        raw = r.array(offset, 28 * blocks, "u1").reshape(blocks, 28)
        word = np.ascontiguousarray(raw[:, :16]).view("<u4").reshape(-1).astype(np.int64)
        low = np.ascontiguousarray(raw[:, 16:24]).view("<u2").reshape(-1).astype(np.int64)
        high = np.ascontiguousarray(raw[:, 24:]).view("i1").reshape(-1).astype(np.int64)
        bias, multiplier = high * 65536 + low, (word >> 2) + (1 << 30)
        shift = -((r.flags >> 8 & 31) + (word & 3))
    return bias[:channels], list(zip(multiplier.tolist(), shift.tolist(), strict=True))[:channels]


def _window(r: Record, out: tuple[int, int], kernel: int, pads: int) -> Window:
    kernel_h, kernel_w, stride_h, stride_w = r.bytes_of(kernel)
    dilation_h, dilation_w, top, left = r.bytes_of(pads)
    dilation = (dilation_h or 1, dilation_w or 1)  # POOL has none
    return Window((kernel_h, kernel_w), (stride_h, stride_w), dilation, (top, left), out)


def _image(r: Record, kind: str, weights: np.ndarray, taps_axis: int) -> Step:
    in_h, in_w = r.halves(5)
    in_c, out_c = r.halves(6)
    bias, requant = _channel_table(r, r.words[4], out_c)
    zero_point, act_min, act_max, fill = r.int8s(10)
    options = {
        "weights": weights,
        "bias": bias + 128 * weights.astype(np.int64).sum(axis=taps_axis),  # for x * w
        "requant": tuple(requant),
        "zero_point": zero_point,
        "act_min": act_min,
        "act_max": act_max,
        "fill": fill,
        "window": _window(r, r.halves(7), 8, 9),
        "in_shape": (1, in_h, in_w, in_c),
    }
    x = ((1, in_h, in_w, in_c), "int8", "arena", r.words[1])
    return make_step(kind, options, [x], ((1, *r.halves(7), out_c), "int8", r.words[2]))


def _conv(r: Record) -> Step:
    (in_c, out_c), kernel = r.halves(6), r.bytes_of(8)
    taps, blocks = kernel[0] * kernel[1] * in_c, -(-out_c // 4)
    pairs = -(-taps // 2)
    packed = r.array(r.words[3], blocks * pairs * 8, "u1").astype(np.int16) - 128
    # (block, pair, c // 2, tap % 2, c % 2) -> (channel, tap)
    matrix = packed.reshape(blocks, pairs, 2, 2, 2).transpose(0, 2, 4, 1, 3)
    matrix = matrix.reshape(4 * blocks, 2 * pairs)[:out_c, :taps].astype(np.int8)
    return _image(r, "conv", matrix, 1)


def _depthwise(r: Record) -> Step:
    (_, out_c), kernel = r.halves(6), r.bytes_of(8)
    weights = r.array(r.words[3], kernel[0] * kernel[1] * out_c, "i1").reshape(-1, out_c)
    return _image(r, "depthwise", weights, 0)


def _pool(r: Record) -> Step:
    (height, width), (channels, _) = r.halves(3), r.halves(4)
    _, act_min, act_max, _ = r.int8s(8)
    shape = (1, height, width, channels)
    options = {
        "average": not r.flags & 1,
        "act_min": act_min,
        "act_max": act_max,
        "window": _window(r, r.halves(5), 6, 7),
        "in_shape": shape,
    }
    x = (shape, "int8", "arena", r.words[1])
    return make_step("pool", options, [x], ((1, *r.halves(5), channels), "int8", r.words[2]))


def _operands(r: Record) -> list[Input]:
    a = ((r.words[4],), "int8", "arena", r.words[1])
    return [a, ((r.words[5],), "int8", "file" if r.flags & 1 else "arena", r.words[3])]


def _add(r: Record) -> Step:
    shifts, zeros, limits = r.int8s(10), r.int8s(11), r.int8s(12)
    options = {
        "b_run": r.words[6],
        "negate_a": bool(r.flags & 2),
        "negate_b": bool(r.flags & 4),
        "pair_a": (r.words[7], shifts[0]),
        "pair_b": (r.words[8], shifts[1]),
        "requant": ((r.words[9], shifts[2]),),
        "zero_a": zeros[0],
        "zero_b": zeros[1],
        "zero_point": zeros[2],
        "act_min": limits[0],
        "act_max": limits[1],
    }
    return make_step("add", options, _operands(r), ((r.words[4],), "int8", r.words[2]))


def _mul(r: Record) -> Step:
    (shift, act_min, act_max, _), zeros = r.int8s(8), r.int8s(9)
    options = {
        "b_run": r.words[6],
        "requant": ((r.words[7], shift),),
        "zero_a": zeros[0],
        "zero_b": zeros[1],
        "zero_point": zeros[2],
        "act_min": act_min,
        "act_max": act_max,
    }
    return make_step("mul", options, _operands(r), ((r.words[4],), "int8", r.words[2]))


def _softmax(r: Record) -> Step:
    rows, depth = r.words[3], r.words[4]
    options = {
        "depth": depth,
        "multiplier": r.words[5],
        "shift": r.int8s(6)[0],
        "radius": r.halves(6)[1],
        "bits": 16 if r.flags & 1 else 8,
    }
    x = ((rows * depth,), "int8", "arena", r.words[1])
    return make_step(
        "softmax", options, [x], ((rows * depth,), f"int{options['bits']}", r.words[2])
    )


def _table(r: Record) -> Step:
    x = ((r.words[3],), "int8", "arena", r.words[1])
    options = {"table": r.array(r.words[4], 256, "i1")}
    return make_step("table", options, [x], ((r.words[3],), "int8", r.words[2]))


def _copy(r: Record) -> Step:
    """As a move over the bytes that it spans, from its first to its last."""
    counts, source, target = r.words[3:7], r.words[7:11], r.words[11:15]
    down = sum(min(0, (n - 1) * s) for n, s in zip(counts, source, strict=True))
    span = 1 + sum(abs((n - 1) * s) for n, s in zip(counts, source, strict=True))
    x = ((span,), "int8", "file" if r.flags & 1 else "arena", r.words[1] + down)
    copies = [(0, -down, counts, source, 0, target)]
    return make_step("copy", {"fills": [], "copies": copies}, [x], ((0,), "int8", r.words[2]))


def _fill(r: Record) -> Step:
    options = {"fills": [(0, r.words[3], r.int8s(4)[0])], "copies": []}
    return make_step("copy", options, [], ((0,), "int8", r.words[2]))


def _mean(r: Record) -> Step:
    outer, n, inner = r.words[3:6]
    shift, zero_point, _, _ = r.int8s(8)
    options = {
        "outer": outer,
        "n": n,
        "inner": inner,
        "total_zero": r.words[7],
        "requant": ((r.words[6], shift),),
        "zero_point": zero_point,
    }
    x = ((outer * n * inner,), "int8", "arena", r.words[1])
    return make_step("mean", options, [x], ((outer * inner,), "int8", r.words[2]))


def _requantize(r: Record) -> Step:
    types = {1: "int8", 2: "int16", 4: "int32"}
    zero_in = struct.unpack("<h", struct.pack("<H", r.halves(5)[1]))[0]
    shift, zero_point = r.int8s(5)[:2]
    options = {"requant": ((r.words[4], shift),), "zero_in": zero_in, "zero_point": zero_point}
    x = ((r.words[3],), types[r.flags & 15], "arena", r.words[1])
    out = ((r.words[3],), types[r.flags >> 4 & 15], r.words[2])
    return make_step("requantize", options, [x], out)


_DECODERS: Mapping[int, Callable[[Record], Step]] = {  # by opcode
    1: _conv,
    2: _depthwise,
    3: _pool,
    4: _add,
    5: _mul,
    6: _softmax,
    7: _table,
    8: _copy,
    9: _fill,
    10: _mean,
    11: _requantize,
    12: svdf,
    13: lstm,
}
