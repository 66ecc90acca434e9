"""Post-training quantisation of a small dense float network to int8 (PTQ, per tensor).

    network = quantize_dense(weights, biases, input_quant, calibration)

Rules of the TFLite 8-bit specification: weights symmetric, activations asymmetric with 0 exact,
bias int32 with scale input * weight, no bits of it lost.
"""

import numpy as np

from hedgerow.errors import ModelError
from hedgerow.train.tflite_writer import DenseLayer, DenseNetwork, Quant


def quantize_dense(
    weights: list[np.ndarray],
    biases: list[np.ndarray],
    input_quant: Quant,
    calibration: np.ndarray,
) -> DenseNetwork:
    """ReLU layers and a LOGISTIC output from float layers.

    weights: one (n_in, n_out) array a layer, as scikit-learn keeps them; biases: (n_out,).
    calibration: (rows, n_in) real inputs that set the activations' ranges. Raises ModelError if
    a bias does not fit int32.
    """
    layers = []
    quant, x = input_quant, calibration
    for number, (w, b) in enumerate(zip(weights, biases, strict=True)):
        relu = number < len(weights) - 1
        x = x @ w + b
        if relu:
            x = np.maximum(x, 0.0)
        output = activation_quant(float(x.min()), float(x.max()))
        layers.append(_layer(w, b, relu, quant, output))
        quant = output
    return DenseNetwork(input_quant, tuple(layers), logistic=True)


def activation_quant(low: float, high: float) -> Quant:
    """Scale and zero point that cover low .. high and represent 0 exactly."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = float(np.float32(max(high - low, 1e-6) / 255.0))
    return Quant(scale, int(np.clip(np.round(-128 - low / scale), -128, 127)))


def _layer(w: np.ndarray, b: np.ndarray, relu: bool, quant: Quant, output: Quant) -> DenseLayer:
    scale = float(np.float32(max(float(np.abs(w).max()), 1e-6) / 127.0))
    q = np.clip(np.round(w.T / scale), -127, 127).astype(np.int8)
    bias = np.round(b / (quant.scale * scale))
    if np.abs(bias).max() >= 2**31:
        raise ModelError("a bias does not fit int32: the weights of its layer are all too small")
    return DenseLayer(q, scale, bias.astype(np.int32), relu, output)
