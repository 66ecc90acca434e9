"""Reads a float model and the samples that go with it.

model = read_float_model(Path("net.onnx"))
x = model.samples(np.load("samples.npy"))
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hedgerow.convert.graph import Graph
from hedgerow.convert.importer import read_tflite
from hedgerow.errors import ModelError, UsageError
from hedgerow.train.simplify import simplify


@dataclass(frozen=True)
class FloatModel:
    """graph: NHWC; file_shape: of one sample in the model file; axes: file order to graph order.

    axes counts the batch as 0.
    """

    graph: Graph
    file_shape: tuple[int, ...]
    axes: tuple[int, ...]

    def samples(self, x: np.ndarray) -> np.ndarray:
        """(n, ...) float32 in the graph's order of samples in the file's order.

        Axes of size 1 may be left out. Raises UsageError naming what was expected.
        """
        want = f"(n, {', '.join(map(str, self.file_shape))})"
        if x.dtype.kind not in "fiu":
            raise UsageError(f"samples are {x.dtype}: give real numbers of shape {want}")
        if x.ndim < 1 or not len(x) or _sides(x.shape[1:]) != _sides(self.file_shape):
            raise UsageError(f"samples have the shape {x.shape}: the model takes {want}")
        ordered = x.reshape(-1, *self.file_shape).transpose(self.axes)
        with np.errstate(over="ignore"):
            samples = np.ascontiguousarray(ordered, dtype=np.float32)
        if not np.isfinite(samples).all():
            raise UsageError("samples hold NaN, or infinity in float32: leave such rows out")
        return samples


def _sides(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(side for side in shape if side != 1)


def read_float_model(path: Path) -> FloatModel:
    """A float32 .tflite or .onnx. Raises ModelError: unreadable, damaged, not supported."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from None
    try:
        return _read(path, data)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def _read(path: Path, data: bytes) -> FloatModel:
    if path.suffix == ".tflite" or data[4:8] == b"TFL3":
        return model_of(read_tflite(data))
    if path.suffix == ".onnx":
        from hedgerow.train.onnx_reader import read_onnx

        return read_onnx(data, path.parent)
    raise ModelError(
        "neither .tflite nor .onnx: export from Keras with TFLiteConverter, from PyTorch with "
        "torch.onnx.export (models/README.md shows both)"
    )


def model_of(graph: Graph) -> FloatModel:
    """A graph whose samples come in its own order."""
    graph = simplify(graph)
    shape = graph.tensors[graph.input].shape[1:]
    return FloatModel(graph, shape, tuple(range(len(shape) + 1)))
