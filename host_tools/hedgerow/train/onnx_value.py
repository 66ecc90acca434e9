"""Where the numbers of an ONNX value lie in the NHWC graph made of it.

ONNX is NCHW. A value here is a tensor of the graph plus `order`: an array of the ONNX shape that
holds, for every element, its flat place in the tensor. Reshape, Transpose and their kin only
rearrange `order`; a convolution then finds its image already channels-last, and a Gemm after a
Flatten takes its weights' columns in the order in which the numbers lie.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from hedgerow.errors import ModelError
from hedgerow.train.graph_builder import GraphBuilder


@dataclass(frozen=True)
class Value:
    """tensor: index in the builder; order: int64 of the ONNX shape."""

    tensor: int
    order: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.order.shape


_MAX_ELEMENTS = 1 << 24
_USUAL = ((0, 3, 1, 2), (0, 3, 2), (0, 2, 1))  # images, and sequences stored as images or not


def stored(tensor: int, shape: Sequence[int], axes: Sequence[int]) -> Value:
    """A value whose ONNX axes are `axes` of the tensor of `shape`; axes left out have size 1.

    Raises ModelError if it is larger than any board's model could be.
    """
    if prod(shape) > _MAX_ELEMENTS:
        raise ModelError(f"a value of shape {tuple(shape)}: at most {_MAX_ELEMENTS} elements")
    rest = [axis for axis in range(len(shape)) if axis not in axes]
    order = np.arange(prod(shape)).reshape(shape).transpose((*axes, *rest))
    return Value(tensor, order.reshape([shape[axis] for axis in axes]))


def lies_as(value: Value, order: Sequence[int]) -> bool:
    """Whether the numbers lie one after another when the ONNX axes are taken in this order."""
    flat = value.order.transpose(order).reshape(-1)
    return bool((flat == np.arange(flat.size)).all())


def to_nhwc(b: GraphBuilder, value: Value, what: str) -> int:
    """A (1, h, w, c) tensor of an NCHW value; NCW counts as height 1.

    Raises ModelError if that would need numbers moved.
    """
    order = value.order
    if order.ndim == 3:
        order = order[:, :, None, :]
    if order.ndim != 4 or not lies_as(Value(value.tensor, order), (0, 2, 3, 1)):
        raise ModelError(
            f"{what}: its input {value.shape} is no image with channels first; a transposition "
            "at run time is not supported"
        )
    n, c, h, w = order.shape
    return reshaped(b, value.tensor, (n, h, w, c))


def from_nhwc(tensor: int, shape: Sequence[int], rank: int) -> Value:
    """The NCHW value (NCW for rank 3) of a (1, h, w, c) tensor."""
    value = stored(tensor, shape, (0, 3, 1, 2))
    return value if rank == 4 else Value(tensor, value.order[:, :, 0, :])


def to_rows(b: GraphBuilder, value: Value, what: str) -> tuple[int, np.ndarray]:
    """A (1, n) tensor of a (1, n) value, and the place of each ONNX column in it."""
    if value.order.ndim != 2 or value.shape[0] != 1:
        raise ModelError(f"{what}: its input {value.shape} must be flat: put a Flatten before it")
    return reshaped(b, value.tensor, value.shape), value.order[0]


def reshaped(b: GraphBuilder, tensor: int, shape: Sequence[int]) -> int:
    """The tensor in another shape; itself if it has it."""
    if b.tensors[tensor].shape == tuple(shape):
        return tensor
    size = b.constant(f"shape_{len(b.tensors)}", list(shape))
    return b.op("RESHAPE", [tensor, size], shape)


def tensor_axis(b: GraphBuilder, value: Value, axis: int, what: str) -> int:
    """The tensor's axis that an ONNX axis is; negative ones count from the end.

    Raises ModelError if the two do not line up.
    """
    shape = b.tensors[value.tensor].shape
    rank = len(value.shape)
    tried = [axes for axes in _USUAL if len(axes) == rank and max(axes) < len(shape)]
    for axes in (*tried, *itertools.permutations(range(len(shape)), rank)):
        sizes = tuple(shape[a] for a in axes)
        if sizes == value.shape and (stored(0, shape, axes).order == value.order).all():
            return axes[axis]
    raise ModelError(f"{what}: axis {axis} of {value.shape} after that reshape is not supported")


def constant_like(b: GraphBuilder, name: str, data: np.ndarray, value: Value) -> int:
    """A constant that combines with the value's tensor as `data` does with the ONNX value."""
    flat = np.empty(value.order.size, dtype=np.float32)
    flat[value.order.reshape(-1)] = np.broadcast_to(data, value.shape).reshape(-1)
    full = flat.reshape(b.tensors[value.tensor].shape)
    for axis in range(full.ndim):
        first = full.take([0], axis=axis)
        full = first if (full == first).all() else full
    return b.constant(name, full)
