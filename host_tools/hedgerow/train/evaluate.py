"""What a model is worth on samples, float or int8, and how far the two are apart.

accuracy(run_float(graph, x), labels), accuracy(run_int8(int8, x), labels)
"""

import numpy as np

from hedgerow.convert import reference
from hedgerow.convert.graph import Graph, Tensor
from hedgerow.errors import UsageError


def to_int8(x: np.ndarray, tensor: Tensor) -> np.ndarray:
    """Real values as the tensor's int8: rounded half away from zero, saturated (TFLM QUANTIZE)."""
    scaled = x.astype(np.float32) / np.float32(tensor.scale)
    rounded = np.sign(scaled) * np.floor(np.abs(scaled) + np.float32(0.5))
    return np.clip(rounded + tensor.zero_point, -128, 127).astype(np.int8)


def run_int8(graph: Graph, x: np.ndarray) -> np.ndarray:
    """(n, outputs) real values of the int8 graph, by the reference, on real samples (n, ...)."""
    out = graph.tensors[graph.output]
    rows = to_int8(x, graph.tensors[graph.input]).reshape(len(x), -1)
    y = np.stack([reference.run(graph, row) for row in rows]).astype(np.float32)
    return (y - out.zero_point) * np.float32(out.scale)


def accuracy(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Share of samples whose class is the label's; the largest output, or one above 0.5."""
    flat = outputs.reshape(len(outputs), -1)
    classes = flat.argmax(axis=1) if flat.shape[1] > 1 else (flat[:, 0] > 0.5).astype(int)
    return float((classes == labels).mean())


def check_labels(labels: np.ndarray, n: int, outputs: int) -> np.ndarray:
    """(n,) class numbers. Raises UsageError if they do not fit the samples or the classes."""
    if labels.shape != (n,) or labels.dtype.kind not in "iub":
        raise UsageError(
            f"labels are {labels.dtype} {labels.shape}: give one whole number, the class, for "
            f"each of the {n} samples"
        )
    classes = max(outputs, 2)
    if n and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise UsageError(f"labels must be 0 to {classes - 1}: the model has {outputs} outputs")
    return labels
