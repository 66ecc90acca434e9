"""Float model and samples in, standard int8 .tflite out, with what it cost.

    report = quantize_file(Path("net.onnx"), x, Path("net.tflite"), labels=y)

read_model -> float Graph -> prune -> calibrate -> quantize_graph -> graph_writer
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from hedgerow.convert.graph import Graph
from hedgerow.errors import ToolError
from hedgerow.train.calibrate import calibrate
from hedgerow.train.evaluate import accuracy, check_labels, run_int8
from hedgerow.train.float_ops import LAYERS, run_float
from hedgerow.train.graph_writer import write_graph
from hedgerow.train.quantize_graph import quantize_graph
from hedgerow.train.read_model import FloatModel, model_of, read_float_model

_CALIBRATION_SAMPLES = 500  # spread over what is given; more moves no range by much


@dataclass(frozen=True)
class Report:
    """Accuracies are shares of 1, None without labels; errors in units of the output.

    Errors compare int8 with the float model that was quantised, after pruning.
    """

    samples: int
    input_shape: tuple[int, ...]
    tflite_bytes: int
    weights: int
    zero_weights: int
    worst_error: float
    mean_error: float
    float_accuracy: float | None
    int8_accuracy: float | None

    def as_dict(self) -> dict:
        return asdict(self)


@dataclass(frozen=True)
class Quantised:
    """tflite: the file's bytes; graph: the int8 graph in it."""

    tflite: bytes
    graph: Graph
    report: Report


def quantize_file(
    path: Path,
    samples: np.ndarray,
    output: Path,
    *,
    labels: np.ndarray | None = None,
    calibration: str = "minmax",
) -> Report:
    """Quantise the model file `path` and write `output`.

    samples: (n, ...) in the order of the model file; labels: (n,) class numbers. Raises
    ModelError, UsageError; ToolError if `output` cannot be written.
    """
    model = read_float_model(path)
    result = quantize(model, samples, labels=labels, calibration=calibration, name=path.stem)
    try:
        output.write_bytes(result.tflite)
    except OSError as error:
        raise ToolError(f"{output}: {error.strerror}") from None
    return result.report


def quantize(
    model: FloatModel | Graph,
    samples: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    calibration: str = "minmax",
    name: str = "model",
) -> Quantised:
    """The int8 model of a float one, its ranges from samples (n, ...)."""
    if isinstance(model, Graph):
        model = model_of(model)
    graph, x = model.graph, model.samples(samples)
    outputs = graph.tensors[graph.output].elements
    known = None if labels is None else check_labels(labels, len(x), outputs)
    int8 = quantize_graph(graph, calibrate(graph, _spread(x), method=calibration))
    tflite = write_graph(int8, name=name)
    return Quantised(tflite, int8, _report(graph, int8, x, known, len(tflite)))


def _spread(x: np.ndarray) -> np.ndarray:
    step = max(1, len(x) // _CALIBRATION_SAMPLES)
    return x[::step]


def _report(
    graph: Graph, int8: Graph, x: np.ndarray, labels: np.ndarray | None, size: int
) -> Report:
    before, after = run_float(graph, x).reshape(len(x), -1), run_int8(int8, x)
    errors = np.abs(before - after)
    weights = layer_weights(int8)
    return Report(
        samples=len(x),
        input_shape=graph.tensors[graph.input].shape,
        tflite_bytes=size,
        weights=sum(w.size for w in weights),
        zero_weights=sum(int((w == 0).sum()) for w in weights),
        worst_error=float(errors.max()),
        mean_error=float(errors.mean()),
        float_accuracy=None if labels is None else accuracy(before, labels),
        int8_accuracy=None if labels is None else accuracy(after, labels),
    )


def layer_weights(graph: Graph) -> list[np.ndarray]:
    """Weights of every layer, biases left out."""
    found = (graph.tensors[op.inputs[1]].data for op in graph.ops if op.kind in LAYERS)
    return [data for data in found if data is not None]
