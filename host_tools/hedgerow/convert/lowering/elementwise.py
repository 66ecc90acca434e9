"""ADD, SUB, MUL, SOFTMAX, ops that become tables, QUANTIZE of other types, MEAN."""

from math import prod

import numpy as np

from hedgerow.convert.emit.layout import MAX_DEPTH
from hedgerow.convert.lowering import channels
from hedgerow.convert.lowering.build import Builder
from hedgerow.convert.lowering.move import block, strides
from hedgerow.convert.ops import unary
from hedgerow.convert.ops.elementwise import product_pair, share, sum_pairs
from hedgerow.convert.ops.pool import mean_pair
from hedgerow.convert.ops.softmax import softmax_parameters

_INT32 = channels.INT32


def add(build: Builder) -> None:
    """ADD and SUB. The operand that broadcasts, or is constant, goes second."""
    a, b, swapped = _operands(build)
    first, second = build.tensors[a], build.tensors[b]
    pair_a, pair_b, pair = sum_pairs(first, second, build.output)
    ends = [
        np.abs(share(np.array([-128, 127]), t.zero_point, p)).max()
        for t, p in ((first, pair_a), (second, pair_b))
    ]
    channels.check_pairs(build, (pair,))
    build.need(int(sum(ends)) << max(pair[1], 0) < _INT32, "scales too far apart")
    subtract = build.at.kind == "SUB"
    build.add(
        "add",
        [a, b],
        build.at.outputs[0],
        pair_a=pair_a,
        pair_b=pair_b,
        zero_a=first.zero_point,
        zero_b=second.zero_point,
        negate_a=subtract and swapped,
        negate_b=subtract and not swapped,
        requant=(pair,),
        b_run=_run(build, b),
        **channels.clamp(build, build.at.options["activation"]),
    )


def mul(build: Builder) -> None:
    a, b, _ = _operands(build)
    first, second = build.tensors[a], build.tensors[b]
    pair = product_pair(first, second, build.output)
    channels.check_pairs(build, (pair,))
    build.need(255 * 255 << max(pair[1], 0) < _INT32, "output scale is too fine for the inputs'")
    build.add(
        "mul",
        [a, b],
        build.at.outputs[0],
        zero_a=first.zero_point,
        zero_b=second.zero_point,
        requant=(pair,),
        b_run=_run(build, b),
        **channels.clamp(build, build.at.options["activation"]),
    )


def _operands(build: Builder) -> tuple[int, int, bool]:
    """(a, b, swapped): a is computed and has every element of the output, b's repeat regularly."""
    first, second, out = build.input(0), build.input(1), build.output
    try:
        wanted = np.broadcast_shapes(first.shape, second.shape)
    except ValueError:
        wanted = ()
    fits = wanted == out.shape and out.elements > 0
    build.need(fits, f"shapes {first.shape} and {second.shape} to {out.shape}")
    build.need(first.data is None or second.data is None, "both operands are constants")
    a, b = build.at.inputs[:2]
    swapped = first.data is not None or (first.elements < out.elements and second.data is None)
    if swapped:
        a, b = b, a
    a = _expanded(build, a) if build.tensors[a].elements < out.elements else a
    b = _expanded(build, b) if _run(build, b) == 0 else b
    return a, b, swapped


def _run(build: Builder, b: int) -> int:
    """Output elements in a row that share one element of b; 0 if b repeats in no such way.

    b's axes must be: some of length 1, then some of the output's, then some of length 1.
    """
    full = build.output.shape
    shape = (1,) * (len(full) - len(build.tensors[b].shape)) + build.tensors[b].shape
    equal = [axis for axis, n in enumerate(full) if n > 1 and shape[axis] == n]
    if not equal:
        return max(1, prod(full)) if prod(full) else 1
    first, last = equal[0], equal[-1]
    inside = all(shape[axis] == full[axis] for axis in range(first, last + 1))
    return prod(full[last + 1 :]) if inside else 0


def _expanded(build: Builder, index: int) -> int:
    """The operand with all elements of the output."""
    full, t = build.output.shape, build.tensors[index]
    if t.data is not None:
        return build.constant(index, np.broadcast_to(t.data, full), "all elements")
    shape = (1,) * (len(full) - len(t.shape)) + t.shape
    steps = tuple(s if n > 1 else 0 for s, n in zip(strides(shape), shape, strict=True))
    target = build.tensor(index, full, "all elements")
    copy = block(0, 0, full, steps, 0, strides(full))
    build.add("move", [index], target, fills=(), copies=(copy,))
    return target


def softmax(build: Builder) -> None:
    x, out, beta = build.input(), build.output, build.at.options["beta"]
    bits = {"int8": 8, "int16": 16}.get(out.dtype, 0)
    if bits == 16:  # the exact scale is not looked at (softmax_common.cc)
        build.need(out.zero_point == -32768, "int16 output must have the zero point -32768")
    else:
        exact = (out.scale, out.zero_point) == (1 / 256, -128) and bits
        build.need(exact, "output must be int8 of scale 1/256, zero point -128")
    build.need(x.shape == out.shape and len(x.shape) > 0, f"shape {x.shape}")
    build.need(x.shape[-1] <= MAX_DEPTH, f"more than {MAX_DEPTH} classes")
    real = beta * x.scale
    build.need(0 < real < 32 and real * (1 << 26) >= 1, "scale or beta out of range")
    multiplier, shift, radius = softmax_parameters(x.scale, beta)
    place = {"depth": x.shape[-1], "bits": bits}
    numbers = {"multiplier": multiplier, "shift": shift, "radius": radius}
    build.add("softmax", build.at.inputs[:1], build.at.outputs[0], **place, **numbers)


_FIXED_OUTPUT = ("LOGISTIC", "TANH")  # far inputs saturate before anything is multiplied


def table(build: Builder) -> None:
    """One int8 to one int8: any function."""
    x, out = build.input(), build.output
    build.need(x.elements == out.elements > 0, f"shapes {x.shape} and {out.shape}")
    if build.at.kind not in _FIXED_OUTPUT:
        steepest = max(1.0, abs(build.at.options.get("alpha", 0.0)))
        fits = x.scale * steepest / out.scale < 1 << 22  # 255 steps of it stay in int32
        build.need(fits, "output scale is too fine for the input's")
    values = unary.table_of(build.graph, build.at)
    build.add("table", build.at.inputs[:1], build.at.outputs[0], table=values)


_REQUANTIZE_IN, _REQUANTIZE_OUT = ("int8", "int16"), ("int8", "int16", "int32")


def quantize(build: Builder) -> None:
    x, out = build.input(), build.output
    if (x.dtype, out.dtype) == ("int8", "int8"):
        return table(build)
    known = x.dtype in _REQUANTIZE_IN and out.dtype in _REQUANTIZE_OUT
    build.need(known, f"from {x.dtype} to {out.dtype}: use int8 or int16 to int8, int16 or int32")
    build.need(x.elements == out.elements > 0, f"shapes {x.shape} and {out.shape}")
    build.need(-128 <= out.zero_point <= 127, f"output zero point {out.zero_point}")
    pair = unary.quantize_pair(x, out)
    channels.check_pairs(build, (pair,))
    limits = np.iinfo(x.dtype)
    widest = max(limits.max - x.zero_point, x.zero_point - limits.min)
    build.need(widest << max(pair[1], 0) < _INT32, "output scale is too fine for the input's")
    place = {"requant": (pair,), "zero_in": x.zero_point, "zero_point": out.zero_point}
    build.add("requantize", build.at.inputs[:1], build.at.outputs[0], **place)
    return None


def mean(build: Builder) -> None:
    """The axes meant must lie together; else a move brings them to the end."""
    x, out = build.input(), build.output
    build.need(x.elements > 0 and len(x.shape) > 0, f"shape {x.shape}")
    axes = build.integers(1)
    build.need(all(-len(x.shape) <= a < len(x.shape) for a in axes), f"axes {axes} of {x.shape}")
    meant = sorted({a % len(x.shape) for a in axes})
    kept = [a for a in range(len(x.shape)) if a not in meant]
    n = prod(x.shape[a] for a in meant)
    build.need(out.elements * n == x.elements, f"output {out.shape} for axes {axes} of {x.shape}")
    pair = mean_pair(x, out)
    channels.check_pairs(build, (pair,))
    fits = 255 * n << max(pair[1], 0) < _INT32
    build.need(fits, f"sum of {n} values may overflow; average in two steps")
    source, outer, inner = _outer_inner(build, meant, kept)
    options = {"requant": (pair,), "total_zero": x.zero_point * n, "zero_point": out.zero_point}
    sides = {"outer": outer, "n": n, "inner": inner}
    build.add("mean", [source], build.at.outputs[0], **options, **sides)


def _outer_inner(build: Builder, meant: list[int], kept: list[int]) -> tuple[int, int, int]:
    """(input tensor, elements before the axes meant, elements after)."""
    source, shape = build.at.inputs[0], build.input().shape
    if not meant:
        return source, prod(shape), 1
    first, last = meant[0], meant[-1]
    if all(shape[a] == 1 or a in meant for a in range(first, last + 1)):
        return source, prod(shape[:first]), prod(shape[last + 1 :])
    order = [*kept, *meant]
    moved = tuple(shape[a] for a in order)
    target = build.tensor(source, moved, "transposed")
    copy = block(0, 0, moved, tuple(strides(shape)[a] for a in order), 0, strides(moved))
    build.add("move", [source], target, fills=(), copies=(copy,))
    return target, prod(shape[a] for a in kept), 1
