"""Writes a Graph as a standard .tflite file: TFLM, LiteRT and hedgerow run it.

    data = write_graph(graph, name="gestures")

The inverse of convert.importer.read_tflite, for float32 and int8 graphs alike.
Schema: tensorflow/lite/schema/schema.fbs, through the classes of the `tflite` package.
"""

from collections.abc import Mapping
from typing import Any

import flatbuffers
import numpy as np
import tflite

from hedgerow.convert.graph import Graph, Op, Tensor
from hedgerow.convert.options import ACTIVATIONS, PADDINGS, TABLES
from hedgerow.errors import ModelError

_SCHEMA_VERSION = 3
_ALIGN_BYTES = 16  # schema.fbs: Buffer.data is force_align: 16
# First version of a kernel that takes int8 (lite/tools/versioning/op_version.cc); float is 1.
_INT8_VERSIONS = {
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "FULLY_CONNECTED": 4,
    "HARD_SWISH": 1,
    "RESHAPE": 1,
    "TRANSPOSE_CONV": 3,  # with a bias
}
_INT8_VERSION = 2
_CODES: Mapping[str, Mapping[str, int]] = {
    "activation": {name: code for code, name in ACTIVATIONS.items()},
    "padding": {name: code for code, name in PADDINGS.items()},
}


def write_graph(graph: Graph, *, name: str) -> bytes:
    """The .tflite bytes. Tensors no op uses are left out.

    Raises ModelError for a tensor type or an op that TFLite does not have.
    """
    used = {graph.input, graph.output}
    for op in graph.ops:
        used.update(i for i in (*op.inputs, *op.outputs) if i != -1)
    places = {index: place for place, index in enumerate(sorted(used))}
    axes = _channel_axes(graph)
    file = _File()
    for index in places:
        file.add_tensor(graph.tensors[index], axes.get(index, 0))
    for op in graph.ops:
        file.add_op(graph, op, places)
    return file.finish(name, places[graph.input], places[graph.output])


def _channel_axes(graph: Graph) -> dict[int, int]:
    """Axis of the per-channel scales, where it is not 0."""
    return {op.inputs[1]: 3 for op in graph.ops if op.kind == "DEPTHWISE_CONV_2D"}


def _enum(table: type, name: str, what: str) -> int:
    code = vars(table).get(name)
    if not isinstance(code, int):
        raise ModelError(f"TFLite has no {what} {name}")
    return code


class _File:
    """Flatbuffer under construction: tensors, buffers, operators and codes as they are added."""

    def __init__(self) -> None:
        self._builder = flatbuffers.Builder(4096)
        self._tensors: list[int] = []
        self._buffers = [self._buffer(b"")]  # buffer 0 means "no data" by convention
        self._operators: list[int] = []
        self._codes: dict[tuple[str, int], int] = {}

    def add_tensor(self, tensor: Tensor, axis: int) -> None:
        b = self._builder
        label, dims = b.CreateString(tensor.name), self._vector(tensor.shape, np.int32)
        quantization = self._quantization(tensor, axis) if tensor.scales else None
        if tensor.data is not None:
            little = np.dtype(tensor.dtype).newbyteorder("<")
            self._buffers.append(self._buffer(tensor.data.astype(little).tobytes()))
        tflite.TensorStart(b)
        tflite.TensorAddShape(b, dims)
        tflite.TensorAddType(b, _enum(tflite.TensorType, tensor.dtype.upper(), "type"))
        tflite.TensorAddBuffer(b, len(self._buffers) - 1 if tensor.data is not None else 0)
        tflite.TensorAddName(b, label)
        if quantization is not None:
            tflite.TensorAddQuantization(b, quantization)
        self._tensors.append(tflite.TensorEnd(b))

    def add_op(self, graph: Graph, op: Op, places: Mapping[int, int]) -> None:
        b = self._builder
        ins = self._vector([places.get(i, -1) for i in op.inputs], np.int32)
        outs = self._vector([places[i] for i in op.outputs], np.int32)
        options = self._options(op)
        int8 = graph.tensors[op.outputs[0]].dtype == "int8"
        version = _INT8_VERSIONS.get(op.kind, _INT8_VERSION) if int8 else 1
        code = self._codes.setdefault((op.kind, version), len(self._codes))
        tflite.OperatorStart(b)
        tflite.OperatorAddOpcodeIndex(b, code)
        tflite.OperatorAddInputs(b, ins)
        tflite.OperatorAddOutputs(b, outs)
        if options:
            tflite.OperatorAddBuiltinOptionsType(b, options[0])
            tflite.OperatorAddBuiltinOptions(b, options[1])
        self._operators.append(tflite.OperatorEnd(b))

    def finish(self, name: str, first: int, last: int) -> bytes:
        b = self._builder
        label = b.CreateString(name)
        tensors, operators = self._offsets(self._tensors), self._offsets(self._operators)
        inputs, outputs = self._vector([first], np.int32), self._vector([last], np.int32)
        tflite.SubGraphStart(b)
        tflite.SubGraphAddTensors(b, tensors)
        tflite.SubGraphAddInputs(b, inputs)
        tflite.SubGraphAddOutputs(b, outputs)
        tflite.SubGraphAddOperators(b, operators)
        tflite.SubGraphAddName(b, label)
        subgraphs = self._offsets([tflite.SubGraphEnd(b)])
        codes = self._offsets([self._code(*code) for code in self._codes])
        buffers, text = self._offsets(self._buffers), b.CreateString(name)
        tflite.ModelStart(b)
        tflite.ModelAddVersion(b, _SCHEMA_VERSION)
        tflite.ModelAddOperatorCodes(b, codes)
        tflite.ModelAddSubgraphs(b, subgraphs)
        tflite.ModelAddDescription(b, text)
        tflite.ModelAddBuffers(b, buffers)
        b.Finish(tflite.ModelEnd(b), file_identifier=b"TFL3")
        return bytes(b.Output())

    def _options(self, op: Op) -> tuple[int, int] | None:
        """(kind, offset) of the op's options table; None where the schema has no such table."""
        if op.kind not in TABLES:
            return None
        b = self._builder
        table, fields = TABLES[op.kind]
        getattr(tflite, f"{table}Start")(b)
        for key, accessor in fields.items():
            value = _CODES[key][op.options[key]] if key in _CODES else op.options[key]
            getattr(tflite, f"{table}Add{accessor}")(b, value)
        return getattr(tflite.BuiltinOptions, table), getattr(tflite, f"{table}End")(b)

    def _quantization(self, tensor: Tensor, axis: int) -> int:
        b = self._builder
        scale = self._vector(tensor.scales, np.float32)
        zero = self._vector([tensor.zero_point] * len(tensor.scales), np.int64)
        tflite.QuantizationParametersStart(b)
        tflite.QuantizationParametersAddScale(b, scale)
        tflite.QuantizationParametersAddZeroPoint(b, zero)
        tflite.QuantizationParametersAddQuantizedDimension(b, axis)
        return int(tflite.QuantizationParametersEnd(b))

    def _buffer(self, data: bytes) -> int:
        b = self._builder
        vector = 0
        if data:
            b.StartVector(1, len(data), _ALIGN_BYTES)
            b.head -= len(data)
            b.Bytes[b.head : b.head + len(data)] = data
            vector = b.EndVector()
        tflite.BufferStart(b)
        if data:
            tflite.BufferAddData(b, vector)
        return int(tflite.BufferEnd(b))

    def _code(self, kind: str, version: int) -> int:
        b = self._builder
        builtin = _enum(tflite.BuiltinOperator, kind, "op")
        tflite.OperatorCodeStart(b)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(b, min(builtin, 127))  # 127: see BuiltinCode
        tflite.OperatorCodeAddBuiltinCode(b, builtin)
        tflite.OperatorCodeAddVersion(b, version)
        return int(tflite.OperatorCodeEnd(b))

    def _vector(self, values: Any, dtype: type) -> int:
        return int(self._builder.CreateNumpyVector(np.array(values, dtype=dtype)))

    def _offsets(self, offsets: list[int]) -> int:
        self._builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self._builder.PrependUOffsetTRelative(offset)
        return int(self._builder.EndVector())
