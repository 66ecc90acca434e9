"""Writes a small dense int8 network as a standard .tflite: TFLM, LiteRT and hedgerow run it.

    data = write_tflite(network, name="soil_dry")

Schema: tensorflow/lite/schema/schema.fbs, through the classes of the `tflite` package.
"""

from dataclasses import dataclass

import flatbuffers
import numpy as np
import tflite

_SCHEMA_VERSION = 3
_ALIGN_BYTES = 16  # schema.fbs: Buffer.data is force_align: 16
_FULLY_CONNECTED_VERSION = 4  # int8
_LOGISTIC_VERSION = 2  # int8


@dataclass(frozen=True)
class Quant:
    """real = (int8 - zero_point) * scale."""

    scale: float
    zero_point: int


@dataclass(frozen=True)
class DenseLayer:
    """weights: (n_out, n_in) int8, zero point 0; bias: (n_out,) int32, scale input * weight."""

    weights: np.ndarray
    weight_scale: float
    bias: np.ndarray
    relu: bool
    output: Quant


@dataclass(frozen=True)
class DenseNetwork:
    """Layers in order; with `logistic` a LOGISTIC follows the last."""

    input: Quant
    layers: tuple[DenseLayer, ...]
    logistic: bool


class _Model:
    """Flatbuffer under construction: tensors, buffers and operators as they are added."""

    def __init__(self) -> None:
        self.builder = flatbuffers.Builder(4096)
        self.tensors: list[int] = []
        self.buffers = [self._buffer(b"")]  # buffer 0 means "no data" by convention
        self.operators: list[int] = []

    def _buffer(self, data: bytes) -> int:
        vector = 0
        if data:
            self.builder.StartVector(1, len(data), _ALIGN_BYTES)
            self.builder.head -= len(data)
            self.builder.Bytes[self.builder.head : self.builder.head + len(data)] = data
            vector = self.builder.EndVector()
        tflite.BufferStart(self.builder)
        if data:
            tflite.BufferAddData(self.builder, vector)
        return tflite.BufferEnd(self.builder)

    def _ints(self, values: list[int]) -> int:
        return self.builder.CreateNumpyVector(np.array(values, dtype=np.int32))

    def tensor(self, name: str, shape: list[int], kind: int, quant: Quant, data: bytes) -> int:
        """Add a tensor (data empty: computed); returns its index."""
        b = self.builder
        label, dims = b.CreateString(name), self._ints(shape)
        scale = b.CreateNumpyVector(np.array([quant.scale], dtype=np.float32))
        zero = b.CreateNumpyVector(np.array([quant.zero_point], dtype=np.int64))
        tflite.QuantizationParametersStart(b)
        tflite.QuantizationParametersAddScale(b, scale)
        tflite.QuantizationParametersAddZeroPoint(b, zero)
        parameters = tflite.QuantizationParametersEnd(b)
        if data:
            self.buffers.append(self._buffer(data))
        tflite.TensorStart(b)
        tflite.TensorAddShape(b, dims)
        tflite.TensorAddType(b, kind)
        tflite.TensorAddBuffer(b, len(self.buffers) - 1 if data else 0)
        tflite.TensorAddName(b, label)
        tflite.TensorAddQuantization(b, parameters)
        self.tensors.append(tflite.TensorEnd(b))
        return len(self.tensors) - 1

    def operator(self, code: int, inputs: list[int], output: int, options: tuple | None) -> None:
        """Add an operator; code indexes the operator codes, options is (kind, offset)."""
        b = self.builder
        ins, outs = self._ints(inputs), self._ints([output])
        tflite.OperatorStart(b)
        tflite.OperatorAddOpcodeIndex(b, code)
        tflite.OperatorAddInputs(b, ins)
        tflite.OperatorAddOutputs(b, outs)
        if options:
            tflite.OperatorAddBuiltinOptionsType(b, options[0])
            tflite.OperatorAddBuiltinOptions(b, options[1])
        self.operators.append(tflite.OperatorEnd(b))

    def fully_connected_options(self, relu: bool) -> tuple[int, int]:
        b = self.builder
        kinds = tflite.ActivationFunctionType
        tflite.FullyConnectedOptionsStart(b)
        tflite.FullyConnectedOptionsAddFusedActivationFunction(
            b, kinds.RELU if relu else kinds.NONE
        )
        return tflite.BuiltinOptions.FullyConnectedOptions, tflite.FullyConnectedOptionsEnd(b)

    def _offsets(self, offsets: list[int]) -> int:
        self.builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.builder.PrependUOffsetTRelative(offset)
        return self.builder.EndVector()

    def _operator_code(self, builtin: int, version: int) -> int:
        b = self.builder
        tflite.OperatorCodeStart(b)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(b, builtin)
        tflite.OperatorCodeAddBuiltinCode(b, builtin)
        tflite.OperatorCodeAddVersion(b, version)
        return tflite.OperatorCodeEnd(b)

    def finish(self, name: str, first: int, last: int) -> bytes:
        b = self.builder
        label = b.CreateString(name)
        tensors, operators = self._offsets(self.tensors), self._offsets(self.operators)
        inputs, outputs = self._ints([first]), self._ints([last])
        tflite.SubGraphStart(b)
        tflite.SubGraphAddTensors(b, tensors)
        tflite.SubGraphAddInputs(b, inputs)
        tflite.SubGraphAddOutputs(b, outputs)
        tflite.SubGraphAddOperators(b, operators)
        tflite.SubGraphAddName(b, label)
        subgraphs = self._offsets([tflite.SubGraphEnd(b)])
        ops = tflite.BuiltinOperator
        codes = self._offsets(
            [
                self._operator_code(ops.FULLY_CONNECTED, _FULLY_CONNECTED_VERSION),
                self._operator_code(ops.LOGISTIC, _LOGISTIC_VERSION),
            ]
        )
        buffers, text = self._offsets(self.buffers), b.CreateString(name)
        tflite.ModelStart(b)
        tflite.ModelAddVersion(b, _SCHEMA_VERSION)
        tflite.ModelAddOperatorCodes(b, codes)
        tflite.ModelAddSubgraphs(b, subgraphs)
        tflite.ModelAddDescription(b, text)
        tflite.ModelAddBuffers(b, buffers)
        b.Finish(tflite.ModelEnd(b), file_identifier=b"TFL3")
        return bytes(b.Output())


def write_tflite(network: DenseNetwork, *, name: str) -> bytes:
    """The network as .tflite bytes; input shape (1, n_in), output (1, n_out)."""
    model = _Model()
    kinds = tflite.TensorType
    n_in = network.layers[0].weights.shape[1]
    quant = network.input
    current = first = model.tensor("features", [1, n_in], kinds.INT8, quant, b"")
    for number, layer in enumerate(network.layers):
        n_out, n_in = layer.weights.shape
        weight_quant = Quant(layer.weight_scale, 0)
        bias_quant = Quant(float(np.float32(quant.scale) * np.float32(layer.weight_scale)), 0)
        inputs = [
            current,
            model.tensor(
                f"dense_{number}/weights",
                [n_out, n_in],
                kinds.INT8,
                weight_quant,
                layer.weights.astype(np.int8).tobytes(),
            ),
            model.tensor(
                f"dense_{number}/bias",
                [n_out],
                kinds.INT32,
                bias_quant,
                layer.bias.astype("<i4").tobytes(),
            ),
        ]
        quant = layer.output
        current = model.tensor(f"dense_{number}", [1, n_out], kinds.INT8, quant, b"")
        model.operator(0, inputs, current, model.fully_connected_options(layer.relu))
    if network.logistic:
        out = model.tensor("logistic", [1, n_out], kinds.INT8, Quant(1 / 256, -128), b"")
        model.operator(1, [current], out, None)
        current = out
    return model.finish(name, first, current)
