"""Reads an ONNX file (PyTorch's export, for one) into a float NHWC Graph.

    model = read_onnx(path.read_bytes(), path.parent)

Needs the `onnx` package, in hedgerow[train]. Nodes are translated by onnx_ops.NODES; those whose
inputs are all known (shape arithmetic) are computed here by onnx's own reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hedgerow.convert.graph import Graph
from hedgerow.errors import ModelError
from hedgerow.train.graph_builder import GraphBuilder
from hedgerow.train.onnx_ops import NODES, Node
from hedgerow.train.onnx_value import Value, stored
from hedgerow.train.read_model import FloatModel
from hedgerow.train.simplify import simplify

# ONNX axes in the order in which a sample is stored: channels last.
_STORED_AXES = {1: (0,), 2: (0, 1), 3: (0, 2, 1), 4: (0, 2, 3, 1)}
_MAX_ELEMENTS = 1 << 26


def read_onnx(data: bytes, folder: Path | None = None) -> FloatModel:
    """The model's graph; weights kept outside the file are looked for in `folder`.

    Raises ModelError: not ONNX, damaged, unsupported; or no `onnx`."""
    onnx = _onnx()
    from google.protobuf.message import DecodeError

    try:
        model = onnx.ModelProto.FromString(data)
        if folder is not None:
            onnx.load_external_data_for_model(model, str(folder))
        onnx.checker.check_model(model)
    except (DecodeError, onnx.checker.ValidationError, ValueError, RuntimeError, OSError) as error:
        first = str(error).strip().splitlines() or ["unreadable"]
        raise ModelError(f"damaged .onnx: {first[0]}") from error
    return _Reader(model).read()


def _onnx() -> Any:
    try:
        import onnx
        import onnx.checker
    except ImportError:
        raise ModelError("reading .onnx needs the onnx package: pip install onnx") from None
    return onnx


@dataclass(frozen=True)
class _Input:
    name: str
    shape: tuple[int, ...]


class _Reader:
    def __init__(self, model: Any) -> None:
        self._graph = model.graph
        self._opsets = {entry.domain: entry.version for entry in model.opset_import}
        self._b = GraphBuilder()
        self._known: dict[str, np.ndarray] = {}
        self._values: dict[str, Value] = {}

    def read(self) -> FloatModel:
        for tensor in self._graph.initializer:
            self._known[tensor.name] = self._constant(tensor)
        given, axes = self._input()
        for node in self._graph.node:
            self._translate(node)
        graph = simplify(self._finish())
        return FloatModel(graph, given.shape[1:], axes)

    def _constant(self, tensor: Any) -> np.ndarray:
        from onnx import numpy_helper

        try:
            return numpy_helper.to_array(tensor)
        except (ValueError, TypeError, KeyError) as error:
            raise ModelError(f"damaged .onnx: {tensor.name}: {error}") from error

    def _input(self) -> tuple[_Input, tuple[int, ...]]:
        given = [i for i in self._graph.input if i.name not in self._known]
        if len(given) != 1 or len(self._graph.output) != 1:
            raise ModelError("only models with one input and one output are supported")
        found = _Input(given[0].name, _sizes(given[0]))
        rank = len(found.shape)
        if rank not in _STORED_AXES:
            raise ModelError(f"input {found.name!r} has {rank} axes; 2 to 4 are supported")
        axes = _STORED_AXES[rank]
        if self._is_transposed(found.name):
            axes = tuple(range(rank))
        shape = tuple(found.shape[a] for a in axes)
        tensor = self._b.computed(found.name, shape)
        self._values[found.name] = stored(tensor, shape, tuple(np.argsort(axes)))
        return found, axes

    def _is_transposed(self, name: str) -> bool:
        """Whether the model itself turns channels-last samples round, as tf2onnx does."""
        users = [node for node in self._graph.node if name in node.input]
        return bool(users) and all(node.op_type == "Transpose" for node in users)

    def _translate(self, node: Any) -> None:
        what = f"{node.op_type} ({node.name or node.output[0]})"
        inputs = [name for name in node.input if name]
        if node.op_type == "Shape" and node.input[0] in self._values:
            shape = self._values[node.input[0]].shape
            self._known[node.output[0]] = np.array(shape, dtype=np.int64)
        elif all(name in self._known for name in inputs):
            self._compute(node, inputs, what)
        elif node.op_type not in NODES or node.domain not in ("", "ai.onnx"):
            raise ModelError(f"{what} is not supported; supported are {', '.join(sorted(NODES))}")
        else:
            self._values[node.output[0]] = self._translated(node, what)

    def _translated(self, node: Any, what: str) -> Value:
        values: list[Value | np.ndarray | None] = []
        for name in node.input:
            value = self._values.get(name, self._known.get(name)) if name else None
            if name and value is None:
                raise ModelError(f"{what} uses {name!r}, which nobody makes")
            values.append(value)
        opset = self._opsets.get(node.domain, 1)
        try:
            return NODES[node.op_type](self._b, Node(what, opset, _attributes(node), values))
        except (
            ValueError,
            IndexError,
            TypeError,
            KeyError,
            ZeroDivisionError,
            OverflowError,
            MemoryError,
        ) as error:
            raise ModelError(f"{what}: shapes or attributes do not fit: {error}") from error

    def _compute(self, node: Any, inputs: list[str], what: str) -> None:
        from onnx.reference import ReferenceEvaluator

        try:
            run = ReferenceEvaluator(node, opsets=self._opsets).run
            results = run(None, {name: self._known[name] for name in inputs})
        except Exception as error:  # the reference raises whatever NumPy and its own code raise
            raise ModelError(f"{what} cannot be computed: {error}") from error
        self._known.update(zip(node.output, map(np.asarray, results), strict=False))

    def _finish(self) -> Graph:
        name = self._graph.output[0].name
        value = self._values.get(name)
        if value is None:
            raise ModelError(f"output {name!r} does not depend on the input")
        if len(value.shape) < 3 and (np.diff(value.order.reshape(-1)) != 1).any():
            raise ModelError(f"output {name!r} is flattened from channels first; end in a Gemm")
        first = self._values[next(i.name for i in self._graph.input if i.name in self._values)]
        return self._b.finish(first.tensor, value.tensor)


def _sizes(given: Any) -> tuple[int, ...]:
    """Shape of an input; an unknown batch size is 1."""
    kind = given.type.tensor_type
    if kind.elem_type != 1:  # TensorProto.FLOAT
        raise ModelError(f"input {given.name!r} must be float32")
    sizes = [dim.dim_value if dim.HasField("dim_value") else 0 for dim in kind.shape.dim]
    sizes[:1] = [1 for size in sizes[:1] if size in (0, 1)]
    if len(sizes) != len(kind.shape.dim) or min(sizes, default=0) < 1:
        raise ModelError(
            f"input {given.name!r} must have a batch of 1 and else known sizes: export with an "
            "example input of that shape"
        )
    if int(np.prod(sizes, dtype=object)) > _MAX_ELEMENTS:
        raise ModelError(f"input {given.name!r} has the shape {tuple(sizes)}")
    return tuple(sizes)


def _attributes(node: Any) -> Mapping[str, Any]:
    from onnx import helper

    values = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    return {
        k: v.decode("utf-8", "replace") if isinstance(v, bytes) else v for k, v in values.items()
    }
