"""A small dense int8 network, and the standard .tflite file of it.

data = write_tflite(network, name="soil_dry")
"""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from hedgerow.convert.graph import Graph, Op, Tensor
from hedgerow.train.graph_writer import write_graph


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


def write_tflite(network: DenseNetwork, *, name: str) -> bytes:
    """The network as .tflite bytes; input shape (1, n_in), output (1, n_out)."""
    n_in = network.layers[0].weights.shape[1]
    tensors = [_activation("features", n_in, network.input)]
    ops, quant, last = [], network.input, 0
    for number, layer in enumerate(network.layers):
        place = len(tensors)
        tensors += _layer(f"dense_{number}", layer, quant)
        options = {"activation": "relu" if layer.relu else "none", "weights_format": 0}
        inputs = (last, place, place + 1)
        ops.append(Op("FULLY_CONNECTED", inputs, (place + 2,), MappingProxyType(options)))
        quant, last = layer.output, place + 2
    if network.logistic:
        n_out = tensors[last].shape[1]
        tensors.append(_activation("logistic", n_out, Quant(1 / 256, -128)))
        ops.append(Op("LOGISTIC", (last,), (last + 1,)))
        last += 1
    return write_graph(Graph(tuple(tensors), tuple(ops), 0, last), name=name)


def _activation(name: str, size: int, quant: Quant) -> Tensor:
    return Tensor(name, (1, size), "int8", (quant.scale,), quant.zero_point)


def _layer(name: str, layer: DenseLayer, quant: Quant) -> list[Tensor]:
    """Weights, bias and output."""
    weights, bias = layer.weights.astype(np.int8), layer.bias.astype(np.int32)
    scale = float(np.float32(quant.scale) * np.float32(layer.weight_scale))
    return [
        Tensor(f"{name}/weights", weights.shape, "int8", (layer.weight_scale,), 0, weights),
        Tensor(f"{name}/bias", bias.shape, "int32", (scale,), 0, bias),
        _activation(name, len(bias), layer.output),
    ]
