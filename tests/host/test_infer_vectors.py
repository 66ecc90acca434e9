"""tests/unit/infer_ops.json: a small model of every device op, its .hgm and TFLM's outputs.

python tests/host/test_infer_vectors.py     writes the file again
"""

import json
from pathlib import Path

import numpy as np
from tflite_graph import SAME, VALID, TfliteGraph

from hedgerow.convert import convert as api

PATH = Path(__file__).resolve().parent.parent / "unit" / "infer_ops.json"


def small_network() -> bytes:
    """6x5x2 -> conv 3x3 -> depthwise 3x3 -> conv 1x1 -> ADD -> pool -> dense -> SOFTMAX."""
    rng, g = np.random.default_rng(20), TfliteGraph()
    steps = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}

    def layer(kind: str, x: int, shape: tuple, weights: tuple, axis: int, **options) -> int:
        """One op with weights and bias on tensor x, all of scale 0.05; its output tensor."""
        data = rng.integers(-127, 128, size=weights, dtype=np.int8)
        channels = weights[axis]
        scales = [float(s) for s in rng.uniform(0.002, 0.01, size=channels)]
        bias = rng.integers(-4000, 4000, size=channels)
        w = g.tensor(weights, scales, data=data, axis=axis)
        b = g.tensor((channels,), [0.05 * s for s in scales], data=bias, dtype="int32")
        y = g.tensor(shape, 0.05, -3)
        table = {"CONV_2D": "Conv2D", "FULLY_CONNECTED": "FullyConnected"}
        g.op(kind, [x, w, b], y, table.get(kind, "DepthwiseConv2D") + "Options", **options)
        return y

    x = g.tensor((1, 6, 5, 2), 0.05, -3)
    a = layer("CONV_2D", x, (1, 6, 5, 5), (5, 3, 3, 2), 0, padding=SAME, **steps)
    dw = {**steps, "depthMultiplier": 1, "fusedActivationFunction": 1}
    b = layer("DEPTHWISE_CONV_2D", a, (1, 6, 5, 5), (1, 3, 3, 5), 3, padding=SAME, **dw)
    c = layer("CONV_2D", b, (1, 6, 5, 5), (5, 1, 1, 5), 0, padding=SAME, **steps)
    d, e, f = g.tensor((1, 6, 5, 5), 0.07, 4), g.tensor((1, 3, 2, 5), 0.07, 4), 0
    g.op("ADD", [a, c], d, "AddOptions")
    pool = {"strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2, "padding": VALID}
    g.op("AVERAGE_POOL_2D", [d], e, "Pool2DOptions", **pool)
    h = g.tensor((1, 3, 2, 5), 0.05, -3)
    g.op("LEAKY_RELU", [e], h, "LeakyReluOptions", alpha=0.2)
    f = layer("FULLY_CONNECTED", h, (1, 6), (6, 30), 0)
    out = g.tensor((1, 6), 1 / 256, -128)
    g.op("SOFTMAX", [f], out, "SoftmaxOptions", beta=1.0)
    return g.finish(x, out)


def vectors() -> dict:
    data = small_network()
    result = api.convert(data)
    inputs = api.random_inputs(12, result.report.input_bytes, seed=20)
    outputs = api.run_tflm(data, inputs)
    return {"hgm": result.hgm.hex(), "input": inputs.tolist(), "output": outputs.tolist()}


def test_committed_vectors_are_what_convert_and_tflm_make() -> None:
    assert json.loads(PATH.read_text(encoding="utf-8")) == vectors()


def test_vectors_are_not_all_saturated() -> None:
    outputs = np.array(vectors()["output"])
    assert len(np.unique(outputs)) > 20


if __name__ == "__main__":
    PATH.write_text(json.dumps(vectors()) + "\n", encoding="utf-8")
