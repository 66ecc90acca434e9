"""Random models of one SVDF or LSTM; see random_ops.py."""

import numpy as np
from random_draw import Maker, Rng, pick, scale, zero
from tflite_graph import ACTIVATIONS, TfliteGraph


def svdf(rng: Rng) -> bytes:
    g, n_in, rank = TfliteGraph(), pick(rng, 1, 12), pick(rng, 1, 2)
    units, memory = pick(rng, 1, 6), pick(rng, 1, 8)
    filters = units * rank
    kind = str(rng.choice(["int8", "int16"]))
    x_scale, w_scale, t_scale = scale(rng), scale(rng, -3, -1), scale(rng, -3, -1)
    state_scale = float(np.float32(x_scale * w_scale * 74 * np.sqrt(n_in) * 2))
    state_scale = state_scale if kind == "int8" else state_scale / 200
    x = g.tensor((1, n_in), x_scale, zero(rng))
    feature = rng.integers(-127, 128, size=(filters, n_in), dtype=np.int8)
    limit = 127 if kind == "int8" else 500
    time = rng.integers(-limit, limit, size=(filters, memory))
    bias = rng.integers(-2000, 2000, size=units)
    w = g.tensor(feature.shape, w_scale, data=feature)
    t = g.tensor(time.shape, t_scale, data=time, dtype=kind)
    b = g.tensor((units,), state_scale * t_scale, data=bias, dtype="int32")
    s = g.tensor((1, filters * memory), state_scale, 0, dtype=kind, variable=True)
    out_scale = state_scale * t_scale * 60 * limit * np.sqrt(memory * rank) / 60
    y = g.tensor((1, units), float(np.float32(out_scale)), zero(rng))
    g.op("SVDF", [x, w, t, b, s], y, "SVDFOptions", rank=rank, fusedActivationFunction=1)
    return g.finish(x, y)


def lstm(rng: Rng) -> bytes:
    """The plain one: no peephole, no projection, no layer norm."""
    g, n_in, n = TfliteGraph(), pick(rng, 1, 10), pick(rng, 1, 8)
    batch, steps, major = pick(rng, 1, 2), pick(rng, 1, 5), bool(rng.integers(2))
    sides = (steps, batch) if major else (batch, steps)
    x_scale, h_scale = scale(rng, -2, -1), float(np.float32(1 / 128 * rng.uniform(0.8, 1.2)))
    x = g.tensor((*sides, n_in), x_scale, zero(rng))
    w_scales = [scale(rng, -2.5, -1.5) for _ in range(8)]
    weights = [
        _int8(rng, g, (n, n_in if i < 4 else n), w_scale) for i, w_scale in enumerate(w_scales)
    ]
    biases = [
        g.tensor((n,), x_scale * s, data=rng.integers(-3000, 3000, size=n), dtype="int32")
        for s in w_scales[:4]
    ]
    h_zero = pick(rng, -20, 20)
    hidden = g.tensor((batch, n), h_scale, h_zero, variable=True)
    cell = g.tensor((batch, n), 2.0 ** -pick(rng, 10, 15), 0, dtype="int16", variable=True)
    y = g.tensor((*sides, n), h_scale, h_zero)
    absent = [-1] * 3
    inputs = [x, *weights, *absent, *biases, -1, -1, hidden, cell, *[-1] * 4]
    options = {"fusedActivationFunction": ACTIVATIONS["tanh"], "timeMajor": major}
    options["cellClip"] = float(rng.choice([0.0, 0.5, 10.0]))
    kind = "UNIDIRECTIONAL_SEQUENCE_LSTM"
    g.op(kind, inputs, y, "UnidirectionalSequenceLSTMOptions", **options)
    return g.finish(x, y)


def _int8(rng: Rng, g: TfliteGraph, shape: tuple[int, int], weight_scale: float) -> int:
    data = rng.integers(-127, 128, size=shape, dtype=np.int8)
    return g.tensor(shape, weight_scale, data=data)


RECURRENT: dict[str, Maker] = {f.__name__: f for f in (svdf, lstm)}
