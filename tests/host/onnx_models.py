"""Small ONNX models as PyTorch exports them, made with onnx's helper; its reference runs them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the onnx package: hedgerow[train]")
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator


class OnnxGraph:
    """Nodes in the order they are added; a value is known by its name."""

    def __init__(self, shape: Sequence[int | str], *, seed: int = 0, opset: int = 18) -> None:
        self.rng, self.opset = np.random.default_rng(seed), opset
        self.shape, self.nodes, self.constants = list(shape), [], []

    def add(self, kind: str, inputs: Sequence[str | np.ndarray], **attributes: Any) -> str:
        """The output's name; arrays become initializers."""
        names = [i if isinstance(i, str) else self.constant(np.asarray(i)) for i in inputs]
        out = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [out], name=f"{kind}_{out}", **attributes))
        return out

    def constant(self, data: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(data, name))
        return name

    def weights(self, *shape: int) -> np.ndarray:
        fan_in = max(1, int(np.prod(shape[1:])))
        return (self.rng.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float32)

    def finish(self, last: str) -> bytes:
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)
        y = helper.make_tensor_value_info(last, TensorProto.FLOAT, ["n", "m"])
        graph = helper.make_graph(self.nodes, "net", [x], [y], self.constants)
        opsets = [helper.make_opsetid("", self.opset)]
        return helper.make_model(graph, opset_imports=opsets).SerializeToString()


def run(data: bytes, x: np.ndarray) -> np.ndarray:
    """(n, ...) outputs for samples (n, ...), one at a time."""
    model = ReferenceEvaluator(data)
    return np.concatenate([model.run(None, {"x": row[None]})[0] for row in x])


def residual() -> bytes:
    """Strided and padded convolutions, batch norm, a residual, depthwise, hard swish, mean."""
    g = OnnxGraph((1, 3, 10, 8))
    y = g.add("Conv", ["x", g.weights(6, 3, 3, 3), g.weights(6)], pads=[1] * 4, strides=[2, 2])
    norm = [g.rng.uniform(0.5, 2, 6).astype(np.float32) for _ in range(4)]
    y = g.add("Relu", [g.add("BatchNormalization", [y, *norm])])
    z = g.add("Conv", [y, g.weights(6, 6, 3, 3)], pads=[1] * 4)
    z = g.add("Clip", [z, np.float32(0), np.float32(6)])
    y = g.add("Add", [z, y])
    y = g.add("Conv", [y, g.weights(12, 1, 3, 3), g.weights(12)], pads=[1] * 4, group=6)
    y = g.add("HardSwish", [y])
    y = g.add("ReduceMean", [y, np.array([2, 3])], keepdims=0)
    y = g.add("Gemm", [y, g.weights(4, 12), g.weights(4)], transB=1)
    return g.finish(g.add("Softmax", [y], axis=-1))


def flattened() -> bytes:
    """LeNet's shape: pools, leaky ReLU, Flatten by Shape arithmetic, Gemm on channels first."""
    g = OnnxGraph(("batch", 1, 12, 10))
    y = g.add("Conv", ["x", g.weights(4, 1, 3, 3), g.weights(4)])
    y = g.add("MaxPool", [g.add("Relu", [y])], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    y = g.add("LeakyRelu", [y], alpha=0.25)
    y = g.add("AveragePool", [y], kernel_shape=[2, 2], strides=[1, 1])
    batch = g.add("Gather", [g.add("Shape", [y]), np.array([0])])
    y = g.add("Reshape", [y, g.add("Concat", [batch, np.array([-1])], axis=0)])
    y = g.add("MatMul", [y, g.weights(48, 5)])
    y = g.add("Div", [g.add("Add", [y, g.weights(5)]), np.float32([2.0])])
    return g.finish(g.add("Sub", [np.float32([1.0]), y]))


def sequence() -> bytes:
    """Convolutions over time, as for an accelerometer."""
    g = OnnxGraph((1, 3, 32))
    y = g.add("Conv", ["x", g.weights(8, 3, 5), g.weights(8)], pads=[2, 2], strides=[2])
    y = g.add("MaxPool", [g.add("Relu", [y])], kernel_shape=[2], strides=[2])
    z = g.add("Tanh", [g.add("Conv", [y, g.weights(8, 8, 3)], pads=[2, 2], dilations=[2])])
    y = g.add("Concat", [y, z], axis=1)
    y = g.add("Squeeze", [g.add("GlobalAveragePool", [y]), np.array([2])])
    return g.finish(g.add("Gemm", [y, g.weights(16, 5), g.weights(5)], alpha=0.5))


def gated() -> bytes:
    """Squeeze and excite, transposed convolution, slice, pad, channels-last input."""
    g = OnnxGraph((1, 6, 6, 2))
    y = g.add("Transpose", ["x"], perm=[0, 3, 1, 2])
    y = g.add("Conv", [y, g.weights(4, 2, 3, 3)], auto_pad="SAME_UPPER")
    gate = g.add("Conv", [g.add("GlobalAveragePool", [y]), g.weights(4, 4, 1, 1)])
    y = g.add("Mul", [g.add("Sigmoid", [gate]), y])
    y = g.add("Pad", [y, np.array([0, 0, 1, 0, 0, 0, 0, 2]), np.float32(0.5)])
    y = g.add("ConvTranspose", [y, g.weights(4, 3, 2, 2), g.weights(3)], strides=[2, 2])
    bounds = [np.array(v) for v in ([1, 0], [-1, 16], [2, 3], [2, 3])]
    y = g.add("Slice", [y, *bounds])
    return g.finish(g.add("Gemm", [g.add("Flatten", [y]), g.weights(108, 2)]))


MODELS = {f.__name__: f for f in (residual, flattened, sequence, gated)}
