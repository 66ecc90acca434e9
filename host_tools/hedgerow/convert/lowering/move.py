"""Ops that only move bytes: a "move" is fills and copies between strided blocks."""

from math import prod

from hedgerow.convert.lowering.build import Builder

Copy = tuple[int, int, tuple[int, ...], tuple[int, ...], int, tuple[int, ...]]
_AXES = 4


def strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Bytes from element to element along each axis of an int8 tensor."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


def block(
    place: int,
    source: int,
    counts: tuple[int, ...],
    steps: tuple[int, ...],
    target: int,
    target_steps: tuple[int, ...],
) -> Copy:
    """(input place, source offset, 4 counts, 4 source strides, target offset, 4 target strides).

    Any number of axes: those of length 1 go, those that lie one after the other become one.
    """
    axes: list[tuple[int, int, int]] = []
    for axis in zip(counts, steps, target_steps, strict=True):
        count, step, target_step = axis
        if count == 1:
            continue
        if axes and axes[-1][1:] == (count * step, count * target_step):
            axes[-1] = (axes[-1][0] * count, step, target_step)
        else:
            axes.append(axis)
    axes = [(1, 0, 0)] * (_AXES - len(axes)) + axes
    assert len(axes) == _AXES
    n, a, b = zip(*axes, strict=True)
    return place, source, n, a, target, b


def split(build: Builder, index: int) -> list[int]:
    """The images of a batch (n, ...) as tensors of their own; itself if n is 1."""
    shape = build.tensors[index].shape
    if shape[0] == 1:
        return [index]
    size, images = prod(shape[1:]), []
    for row in range(shape[0]):
        images.append(build.tensor(index, (1, *shape[1:]), f"image {row}"))
        copy = block(0, row * size, (size,), (1,), 0, (1,))
        build.add("move", [index], images[-1], fills=(), copies=(copy,))
    return images


def join(build: Builder, parts: list[int], target: int, axis: int) -> None:
    """Concatenation along `axis`."""
    out, at, copies = build.tensors[target].shape, 0, []
    for place, index in enumerate(parts):
        shape = build.tensors[index].shape
        copies.append(block(place, 0, shape, strides(shape), at, strides(out)))
        at += shape[axis] * strides(out)[axis]
    build.add("move", parts, target, fills=(), copies=tuple(copies))
