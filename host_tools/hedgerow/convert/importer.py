"""Reads a .tflite file into a Graph, with the `tflite` schema classes; no TensorFlow.

    graph = read_tflite(path.read_bytes())

Nothing in the file is trusted: flatbuffers follows offsets anywhere, so whatever it trips over
becomes one ModelError here. Whether ops are supported and fit is for the first pass to say.
"""

import struct
from typing import Any

import numpy as np
import tflite

from hedgerow.convert.graph import Graph, Op, Tensor
from hedgerow.convert.options import read_options
from hedgerow.errors import ModelError

# Types whose constants are read; TFLite's names are NumPy's in capitals.
_CONSTANT_DTYPES = (
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("bool", "float16", "float32", "float64"),
)
_TYPE_NAMES = {v: k for k, v in vars(tflite.TensorType).items() if not k.startswith("_")}
_OP_NAMES = {v: k for k, v in vars(tflite.BuiltinOperator).items() if not k.startswith("_")}
_RESHAPES = ("EXPAND_DIMS", "SQUEEZE")  # round every Conv1D of Keras; the shapes are known here
_MAX_ELEMENTS = 1 << 26
# What reading a damaged flatbuffer may raise: a cut field, a wild offset, a bad string, a
# negative count, an impossible array.
_DAMAGE = (
    struct.error,
    IndexError,
    ValueError,
    TypeError,
    OverflowError,
    MemoryError,
    AttributeError,
)


def read_tflite(data: bytes) -> Graph:
    """The model's only subgraph. Raises ModelError: not a .tflite, damaged, several inputs."""
    if len(data) < 8 or data[4:8] != b"TFL3":
        raise ModelError("not a .tflite file (no TFL3 mark at byte 4)")
    try:
        return _read(bytearray(data))
    except _DAMAGE as error:
        raise ModelError(f"damaged .tflite: {type(error).__name__}: {error}") from error


def _read(data: bytearray) -> Graph:
    model = tflite.Model.GetRootAs(data, 0)
    if model.SubgraphsLength() != 1:
        raise ModelError(
            f"{model.SubgraphsLength()} subgraphs; only models with one are supported"
        )
    subgraph = model.Subgraphs(0)
    ends = subgraph.InputsLength(), subgraph.OutputsLength()
    if ends != (1, 1):
        raise ModelError(
            f"{ends[0]} inputs and {ends[1]} outputs, must be one of each: join them with "
            "CONCATENATION, or make a model of each output"
        )
    tensors = [_tensor(model, subgraph.Tensors(i)) for i in range(subgraph.TensorsLength())]
    ops = [_op(model, subgraph.Operators(i), tensors) for i in range(subgraph.OperatorsLength())]
    graph = Graph(tuple(tensors), tuple(ops), subgraph.Inputs(0), subgraph.Outputs(0))
    for index in (graph.input, graph.output):
        _pick(tensors, index)
    return graph


def _pick(tensors: list[Tensor], index: int) -> Tensor:
    if not 0 <= index < len(tensors):
        raise ModelError(f"damaged .tflite: no tensor {index}")
    return tensors[index]


def _tensor(model: Any, raw: Any) -> Tensor:
    name = (raw.Name() or b"").decode("utf-8", "replace")
    dtype = _TYPE_NAMES.get(raw.Type(), f"type {raw.Type()}").lower()
    shape = tuple(int(raw.Shape(i)) for i in range(raw.ShapeLength()))
    if any(n < 0 for n in shape) or int(np.prod(shape, dtype=object)) > _MAX_ELEMENTS:
        raise ModelError(f"tensor {name!r} has the shape {shape}; sizes must be known and sane")
    scales, zero_point = _quantization(raw.Quantization(), name)
    constant = _constant(model, raw, name, shape, dtype)
    return Tensor(name, shape, dtype, scales, zero_point, constant, bool(raw.IsVariable()))


def _quantization(raw: Any, name: str) -> tuple[tuple[float, ...], int]:
    if raw is None or raw.ScaleLength() == 0:
        return (), 0
    scales = tuple(float(raw.Scale(i)) for i in range(raw.ScaleLength()))
    zero_points = {int(raw.ZeroPoint(i)) for i in range(raw.ZeroPointLength())} or {0}
    if not all(0.0 <= s < np.inf for s in scales):
        raise ModelError(f"tensor {name!r} has a scale that is no positive number")
    if len(zero_points) != 1:
        raise ModelError(f"tensor {name!r} has several zero points; per-channel must be symmetric")
    return scales, zero_points.pop()


def _constant(model: Any, raw: Any, name: str, shape: tuple, dtype: str) -> np.ndarray | None:
    """Constant data, read-only; None if the tensor is computed."""
    buffer = model.Buffers(raw.Buffer())
    if raw.Buffer() >= model.BuffersLength():
        raise ModelError(f"damaged .tflite: tensor {name!r} has no buffer")
    if buffer is None or buffer.DataLength() == 0 or dtype not in _CONSTANT_DTYPES:
        return None
    flat = np.frombuffer(buffer.DataAsNumpy().tobytes(), dtype=np.dtype(dtype).newbyteorder("<"))
    if flat.size != int(np.prod(shape, dtype=np.int64)):
        raise ModelError(f"damaged .tflite: tensor {name!r} has {flat.size} values, shape {shape}")
    return flat.reshape(shape)


def _op(model: Any, raw: Any, tensors: list[Tensor]) -> Op:
    inputs = tuple(int(raw.Inputs(i)) for i in range(raw.InputsLength()))
    outputs = tuple(int(raw.Outputs(i)) for i in range(raw.OutputsLength()))
    for index in (*[i for i in inputs if i != -1], *outputs):
        _pick(tensors, index)
    if raw.OpcodeIndex() >= model.OperatorCodesLength():
        raise ModelError(f"damaged .tflite: no operator code {raw.OpcodeIndex()}")
    code = model.OperatorCodes(raw.OpcodeIndex())
    # The wide field came later; old writers fill only the byte (schema.fbs, OperatorCode).
    builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    kind = _OP_NAMES.get(builtin, f"op code {builtin}")
    kind = "RESHAPE" if kind in _RESHAPES else kind
    if not outputs:
        raise ModelError(f"damaged .tflite: {kind} without an output")
    return Op(kind, inputs, outputs, read_options(kind, raw))
