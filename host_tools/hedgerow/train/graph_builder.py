"""Builds a float graph op by op.

b = GraphBuilder()
x = b.computed("input", (1, 8, 8, 1))
y = b.op("CONV_2D", [x, b.constant("w", w), b.constant("b", bias)], (1, 8, 8, 4), **options)
graph = b.finish(x, y)
"""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from hedgerow.convert.graph import Graph, Op, Tensor

# What an op has unless it is given: the fields of its options table in convert.options.
_WINDOW = {"stride_h": 1, "stride_w": 1, "padding": "valid"}
_DILATED = {**_WINDOW, "dilation_h": 1, "dilation_w": 1, "activation": "none"}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "ADD": {"activation": "none"},
    "AVERAGE_POOL_2D": {**_WINDOW, "activation": "none"},
    "CONCATENATION": {"activation": "none"},
    "CONV_2D": _DILATED,
    "DEPTHWISE_CONV_2D": {**_DILATED, "depth_multiplier": 1},
    "FULLY_CONNECTED": {"activation": "none", "weights_format": 0},
    "MAX_POOL_2D": {**_WINDOW, "activation": "none"},
    "MEAN": {"keep_dims": False},
    "MUL": {"activation": "none"},
    "SOFTMAX": {"beta": 1.0},
    "STRIDED_SLICE": {
        "begin_mask": 0,
        "end_mask": 0,
        "shrink_mask": 0,
        "ellipsis_mask": 0,
        "new_axis_mask": 0,
    },
    "SUB": {"activation": "none"},
    "TRANSPOSE_CONV": _WINDOW,
}


class GraphBuilder:
    """Tensors and ops in the order they are added; a tensor is known by its index."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.ops: list[Op] = []

    def computed(self, name: str, shape: Sequence[int]) -> int:
        """A float tensor that an op or the user fills."""
        self.tensors.append(Tensor(name, tuple(int(n) for n in shape), "float32"))
        return len(self.tensors) - 1

    def constant(self, name: str, data: Any) -> int:
        """A constant: float32, or int32 if data is of whole numbers."""
        array = np.asarray(data)
        dtype = np.float32 if array.dtype.kind == "f" else np.int32
        array = np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)
        self.tensors.append(Tensor(name, array.shape, np.dtype(dtype).name, data=array))
        return len(self.tensors) - 1

    def op(
        self,
        kind: str,
        inputs: Sequence[int],
        shape: Sequence[int],
        name: str = "",
        **options: Any,
    ) -> int:
        """Add an op; returns its output, of the given shape."""
        output = self.computed(name or f"{kind.lower()}_{len(self.ops)}", shape)
        known = MappingProxyType({**_DEFAULTS.get(kind, {}), **options})
        self.ops.append(Op(kind, tuple(inputs), (output,), known))
        return output

    def finish(self, first: int, last: int) -> Graph:
        return Graph(tuple(self.tensors), tuple(self.ops), first, last)
