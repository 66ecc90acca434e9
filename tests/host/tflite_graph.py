"""Builds a .tflite of any few ops, with the schema classes of the tflite-micro package.

g = TfliteGraph()
x = g.tensor((1, 4, 4, 2), 0.1, 3)
y = g.tensor((1, 2, 2, 2), 0.1, 3)
g.op("AVERAGE_POOL_2D", [x], y, "Pool2DOptions", padding=1, strideH=2, ...)
data = g.finish(x, y)
"""

from collections.abc import Sequence

import flatbuffers
import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="needs the tflite-micro package")
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

_TYPES = {"int8": "INT8", "int16": "INT16", "int32": "INT32"}
_TYPES |= {"uint8": "UINT8", "float32": "FLOAT32"}
SAME, VALID = 0, 1
ACTIVATIONS = {"none": 0, "relu": 1, "relu_n1_to_1": 2, "relu6": 3, "tanh": 4}


class TfliteGraph:
    """Tensors and ops in the order they are added; indices are those of the file."""

    def __init__(self) -> None:
        empty = schema.BufferT()
        self.buffers, self.tensors, self.operators, self.codes = [empty], [], [], []

    def tensor(
        self,
        shape: Sequence[int],
        scale: float | Sequence[float],
        zero_point: int = 0,
        *,
        data: np.ndarray | None = None,
        dtype: str = "int8",
        axis: int = 0,
        variable: bool = False,
    ) -> int:
        """Index of a new tensor; data makes it a constant."""
        t = schema.TensorT()
        t.name, t.shape, t.isVariable = f"t{len(self.tensors)}", list(shape), variable
        t.type = getattr(schema.TensorType, _TYPES[dtype])
        scales = [float(s) for s in np.atleast_1d(scale)]
        quant = schema.QuantizationParametersT()
        quant.scale, quant.zeroPoint = scales, [zero_point] * len(scales)
        quant.quantizedDimension = axis
        t.quantization = quant
        t.buffer = 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data, dtype).tobytes(), np.uint8)
            t.buffer = len(self.buffers)
            self.buffers.append(buffer)
        self.tensors.append(t)
        return len(self.tensors) - 1

    def op(
        self, kind: str, inputs: Sequence[int], output: int, table: str = "", **options: object
    ) -> None:
        """Add an operator; options are the fields of the schema's options table."""
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, kind)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 3
        self.codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.codes) - 1
        operator.inputs, operator.outputs = list(inputs), [output]
        if table:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, table)
            operator.builtinOptions = getattr(schema, table + "T")()
            for name, value in options.items():
                assert hasattr(operator.builtinOptions, name), name
                setattr(operator.builtinOptions, name, value)
        self.operators.append(operator)

    def finish(self, first: int, *last: int) -> bytes:
        """The file; input `first`, outputs `last`."""
        graph, model = schema.SubGraphT(), schema.ModelT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs, graph.name = [first], list(last), "main"
        model.version, model.subgraphs, model.buffers = 3, [graph], self.buffers
        model.operatorCodes, model.description = self.codes, "made for a test"
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
