"""Post-training quantisation of a small dense float network to int8 (PTQ, per tensor).

graph = quantize_dense(weights, biases, input_quant, calibration)
"""

import numpy as np

from hedgerow.convert.graph import Graph
from hedgerow.train.calibrate import calibrate
from hedgerow.train.dense import dense_graph
from hedgerow.train.quantize_graph import quantize_graph
from hedgerow.train.tflite_writer import Quant


def quantize_dense(
    weights: list[np.ndarray],
    biases: list[np.ndarray],
    input_quant: Quant,
    calibration: np.ndarray,
) -> Graph:
    """int8 graph of ReLU layers and a LOGISTIC output, for an input whose scale is given.

    weights: one (n_in, n_out) array a layer, as scikit-learn keeps them; biases: (n_out,).
    calibration: (rows, n_in) real inputs that set the activations' ranges.
    """
    graph = dense_graph(weights, biases, "relu", "logistic")
    ranges = calibrate(graph, calibration.astype(np.float32))
    return quantize_graph(graph, ranges, input_quant=input_quant, per_channel=False)
