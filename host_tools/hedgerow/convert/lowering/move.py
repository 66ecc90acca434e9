"""Ops that only move bytes: PAD, CONCATENATION, STRIDED_SLICE; parts of a batch.

A "move" is fills and copies between strided blocks:
    fills:  (offset in the output, count, value)
    copies: (input place, source offset, counts, source strides, target offset, target strides)
"""

from math import prod

from hedgerow.convert.lowering.build import Builder
from hedgerow.errors import ModelError

Shape = tuple[int, ...]
Copy = tuple[int, int, Shape, Shape, int, Shape]
_AXES = 4


def strides(shape: Shape) -> Shape:
    """Bytes from element to element along each axis of an int8 tensor."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


def block(
    place: int, source: int, counts: Shape, steps: Shape, target: int, target_steps: Shape
) -> Copy:
    """A copy of any number of axes, in four: axes of length 1 go, neighbours in both become one.

    Raises ModelError if more than four are left.
    """
    axes: list[tuple[int, int, int]] = []
    for count, step, target_step in zip(counts, steps, target_steps, strict=True):
        if count == 1:
            continue
        if axes and axes[-1][1:] == (count * step, count * target_step):
            axes[-1] = (axes[-1][0] * count, step, target_step)
        else:
            axes.append((count, step, target_step))
    if len(axes) > _AXES:
        raise ModelError(f"a block of {len(axes)} dimensions; at most {_AXES} can be moved")
    axes = [(1, 0, 0)] * (_AXES - len(axes)) + axes
    n, a, b = zip(*axes, strict=True)
    return place, source, n, a, target, b


def split(build: Builder, index: int, axis: int = 0) -> list[int]:
    """The slices of length 1 along `axis` as tensors of their own; the tensor itself if one."""
    shape = build.tensors[index].shape
    if shape[axis] == 1:
        return [index]
    part, steps, parts = (*shape[:axis], 1, *shape[axis + 1 :]), strides(shape), []
    for i in range(shape[axis]):
        parts.append(build.tensor(index, part, f"part {i}"))
        copy = block(0, i * steps[axis], part, steps, 0, strides(part))
        build.add("move", [index], parts[-1], fills=(), copies=(copy,))
    return parts


def split_output(build: Builder, parts: int, axis: int = 0) -> list[int]:
    """Tensors for the parts of the op's output, for join(); the output itself if one."""
    index, shape = build.at.outputs[0], build.output.shape
    if parts == 1:
        return [index]
    part = (*shape[:axis], 1, *shape[axis + 1 :])
    return [build.tensor(index, part, f"part {i}") for i in range(parts)]


def join(build: Builder, parts: list[int], axis: int = 0) -> None:
    """The op's output from its parts along `axis`, which fit it; nothing to do for itself."""
    target = build.at.outputs[0]
    if parts == [target]:
        return
    steps, at, copies = strides(build.output.shape), 0, []
    for place, index in enumerate(parts):
        shape = build.tensors[index].shape
        copies.append(block(place, 0, shape, strides(shape), at, steps))
        at += shape[axis] * steps[axis]
    build.add("move", parts, target, fills=(), copies=tuple(copies))


def concatenation(build: Builder) -> None:
    out, o = build.output, build.at.options
    parts = [build.input(place) for place in range(len(build.at.inputs))]
    axis, rank = o["axis"], len(out.shape)
    build.need(parts and -rank <= axis < rank, f"axis {axis} of {out.shape}")
    build.need(o["activation"] == "none", f"fused activation {o['activation']} is not supported")
    axis %= rank
    for part in parts:
        same = (part.scales, part.zero_point) == (out.scales, out.zero_point)
        build.need(same, f"{part.name!r} has another scale than the output: quantise them alike")
        wanted = (*out.shape[:axis], *part.shape[axis : axis + 1], *out.shape[axis + 1 :])
        build.need(part.shape == wanted and part.elements, f"{part.name!r} is {part.shape}")
    total = sum(part.shape[axis] for part in parts)
    build.need(total == out.shape[axis], f"{total} along axis {axis}, output {out.shape}")
    join(build, list(build.at.inputs), axis)


def pad(build: Builder) -> None:
    """PAD with the output's zero point, PADV2 with its third input."""
    x, out = build.input(), build.output
    numbers, value = build.integers(1), out.zero_point
    if build.has(2):
        given = build.integers(2)
        build.need(len(given) == 1 and build.input(2).dtype == "int8", "value must be one int8")
        value = given[0]
    widths = tuple(zip(numbers[::2], numbers[1::2], strict=False))
    build.need(len(numbers) == 2 * len(x.shape) and min(numbers, default=0) >= 0, f"by {numbers}")
    wanted = tuple(n + a + b for n, (a, b) in zip(x.shape, widths, strict=True))
    build.need(out.shape == wanted and x.elements, f"output {out.shape}, must be {wanted}")
    build.need((x.scales, x.zero_point) == (out.scales, out.zero_point), "changes the scale")
    steps = strides(out.shape)
    at = sum(first * step for (first, _), step in zip(widths, steps, strict=True))
    copy = block(0, 0, x.shape, strides(x.shape), at, steps)
    fills = ((0, out.elements, value),) if any(numbers) else ()
    whole = {"in_shape": x.shape, "widths": widths, "value": value}
    source, target = build.at.inputs[:1], build.at.outputs[0]
    build.add("move", source, target, fills=fills, copies=(copy,), pad=whole)


def strided_slice(build: Builder) -> None:
    x, out, o = build.input(), build.output, build.at.options
    plain = not o["ellipsis_mask"] and not o["new_axis_mask"]
    build.need(plain, "ellipsis and new axes are not supported")
    begin, end, step = (build.integers(place) for place in (1, 2, 3))
    ranks = {len(begin), len(end), len(step), len(x.shape)}
    build.need(len(ranks) == 1 and 0 not in step, f"{begin}, {end}, {step} for {x.shape}")
    build.need((x.scales, x.zero_point) == (out.scales, out.zero_point), "changes the scale")
    taken = [
        _taken(build, axis, *numbers)
        for axis, numbers in enumerate(zip(begin, end, step, strict=True))
    ]
    counts = tuple(len(places) for places in taken)
    left = tuple(n for axis, n in enumerate(counts) if not o["shrink_mask"] >> axis & 1)
    build.need(out.shape == left and 0 not in counts, f"output {out.shape}, must be {left}")
    inside = strides(x.shape)
    first = sum(places[0] * s for places, s in zip(taken, inside, strict=True))
    steps = tuple(places.step * s for places, s in zip(taken, inside, strict=True))
    copy = block(0, first, counts, steps, 0, strides(counts))
    build.add("move", build.at.inputs[:1], build.at.outputs[0], fills=(), copies=(copy,))


def _taken(build: Builder, axis: int, begin: int, end: int, step: int) -> range:
    """Indices along an axis (strided_slice_logic.h)."""
    o, size = build.at.options, build.input().shape[axis]
    if o["shrink_mask"] >> axis & 1:
        build.need(-size <= begin < size, f"index {begin} of axis {axis} with {size}")
        return range(begin % size, begin % size + 1)
    first = None if o["begin_mask"] >> axis & 1 else begin
    last = None if o["end_mask"] >> axis & 1 else end
    build.need(step > 0 or last != -1, "backwards to before the first")
    return range(*slice(first, last, step).indices(size))
