"""Float model and samples in, standard int8 .tflite out, with what it cost.

    report = quantize_file(Path("net.onnx"), x, Path("net.tflite"), labels=y)

read_model -> float Graph -> prune -> calibrate -> quantize_graph -> graph_writer
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from hedgerow.convert.graph import Graph
from hedgerow.errors import UsageError
from hedgerow.files import write_whole
from hedgerow.train.calibrate import calibrate
from hedgerow.train.evaluate import accuracy, check_labels, run_int8
from hedgerow.train.fit import Schedule, fit, loss_for
from hedgerow.train.float_ops import LAYERS, constant_of, run_float
from hedgerow.train.graph_writer import write_graph
from hedgerow.train.prune import check_fraction, prune_channels, prune_weights
from hedgerow.train.quantize_graph import quantize_graph
from hedgerow.train.read_model import FloatModel, model_of, read_float_model

_CALIBRATION_SAMPLES = 500  # spread over what is given; more moves no range by much
_HELD_OUT = 5  # with tuning every fifth sample is kept from it, and only those are scored


@dataclass(frozen=True)
class Pruning:
    """Shares of 1 to take out; epochs of tuning after each, which needs labels."""

    channels: float = 0.0
    weights: float = 0.0
    epochs: int = 0


@dataclass(frozen=True)
class Report:
    """Accuracies are shares of 1, None without labels; errors in units of the output.

    samples: those scored. Errors compare int8 with the float model it was made of, after
    pruning; pruned_accuracy is that float model's, None if nothing was pruned.
    """

    samples: int
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    tflite_bytes: int
    float_weights: int
    weights: int
    zero_weights: int
    worst_error: float
    mean_error: float
    float_accuracy: float | None
    pruned_accuracy: float | None
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
    pruning: Pruning | None = None,
) -> Report:
    """Quantise the model file `path` and write `output`.

    samples: (n, ...) in the order of the model file; labels: (n,) class numbers. Raises
    ModelError, UsageError; ToolError if `output` cannot be written.
    """
    model = read_float_model(path)
    result = quantize(
        model, samples, labels=labels, calibration=calibration, pruning=pruning, name=path.stem
    )
    write_whole(output, result.tflite)
    return result.report


def quantize(
    model: FloatModel | Graph,
    samples: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    calibration: str = "minmax",
    pruning: Pruning | None = None,
    name: str = "model",
) -> Quantised:
    """The int8 model of a float one, its ranges from samples (n, ...)."""
    if isinstance(model, Graph):
        model = model_of(model)
    graph, x = model.graph, model.samples(samples)
    known = None
    if labels is not None:
        known = check_labels(labels, len(x), graph.tensors[graph.output].elements)
    held_out = np.ones(len(x), dtype=bool)
    if pruning and pruning.epochs:
        held_out = np.arange(len(x)) % _HELD_OUT == 0
    small = graph if pruning is None else _prune(graph, x, known, pruning, ~held_out)
    int8 = quantize_graph(small, calibrate(small, _spread(x), method=calibration))
    tflite = write_graph(int8, name=name)
    scored = None if known is None else known[held_out]
    report = _report((graph, small, int8), x[held_out], scored, len(tflite))
    return Quantised(tflite, int8, report)


def _prune(
    graph: Graph, x: np.ndarray, labels: np.ndarray | None, pruning: Pruning, rows: np.ndarray
) -> Graph:
    """Channels first, then single weights of what is left; tuned after each on `rows`."""
    if pruning.epochs and (labels is None or not rows.any()):
        raise UsageError("tuning after pruning needs labels and at least two samples")
    for prune, share in ((prune_channels, pruning.channels), (prune_weights, pruning.weights)):
        check_fraction(share)
        if not share:
            continue
        graph = prune(graph, share)
        if labels is not None and pruning.epochs:
            loss = loss_for(graph, labels[rows])
            graph = fit(graph, x[rows], loss, Schedule(epochs=pruning.epochs))
    return graph


def _spread(x: np.ndarray) -> np.ndarray:
    step = max(1, len(x) // _CALIBRATION_SAMPLES)
    return x[::step]


def _report(
    graphs: tuple[Graph, Graph, Graph], x: np.ndarray, labels: np.ndarray | None, size: int
) -> Report:
    """graphs: float as given, float as quantised, int8."""
    given, small, int8 = graphs
    outputs = [run_float(given, x), run_float(small, x).reshape(len(x), -1), run_int8(int8, x)]
    errors = np.abs(outputs[1] - outputs[2])
    scores = [None if labels is None else accuracy(y, labels) for y in outputs]
    weights = layer_weights(int8)
    return Report(
        samples=len(x),
        input_shape=given.tensors[given.input].shape,
        output_shape=given.tensors[given.output].shape,
        tflite_bytes=size,
        float_weights=sum(w.size for w in layer_weights(given)),
        weights=sum(w.size for w in weights),
        zero_weights=sum(int((w == 0).sum()) for w in weights),
        worst_error=float(errors.max()),
        mean_error=float(errors.mean()),
        float_accuracy=scores[0],
        pruned_accuracy=None if small is given else scores[1],
        int8_accuracy=scores[2],
    )


def layer_weights(graph: Graph) -> list[np.ndarray]:
    """Weights of every layer, biases left out."""
    return [constant_of(graph.tensors[op.inputs[1]]) for op in graph.ops if op.kind in LAYERS]
