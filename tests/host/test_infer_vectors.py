"""tests/unit/infer_ops.json: small models of every op, their .hgm and TFLM's outputs.

python tests/host/test_infer_vectors.py     writes the file again
"""

import json
from pathlib import Path

import numpy as np
import pytest
from random_ops import OPS
from tflite_graph import SAME, VALID, TfliteGraph

from hedge.infer import ops, plan
from hedgerow.convert import convert as api
from hedgerow.errors import ModelError

LEAST_KINDS_OF_BYTES = 6
MOST_HEX = 3200
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


def random_model(kind: str) -> bytes:
    """The first random model of this op that is small and whose outputs tell something."""
    for seed in range(100):
        data = OPS[kind](np.random.default_rng(seed))
        try:
            case = vector(data)
        except ModelError:  # scales that the op does not take
            continue
        values = np.unique(np.frombuffer(bytes.fromhex("".join(case["output"])), np.uint8))
        if len(values) >= LEAST_KINDS_OF_BYTES and len(case["hgm"]) < MOST_HEX:
            return data
    raise AssertionError(f"no small model of {kind}")


def vector(data: bytes) -> dict:
    """hgm, and rows of input and of output, in hex of the bytes in the arena."""
    hgm = api.convert(data).hgm
    header = plan.check(hgm)
    count = header[plan.INPUT + 1] // header[plan.INPUT_TYPE]
    if header[plan.INPUT_TYPE] == 1:
        inputs = api.random_inputs(5, count, seed=20)
    else:
        inputs = np.random.default_rng(20).integers(-32768, 32768, (5, count)).astype("<i2")
    outputs = api.run_tflm(data, inputs)
    return {
        "hgm": hgm.hex(),
        "input": [x.tobytes().hex() for x in inputs],
        "output": [np.ascontiguousarray(y).tobytes().hex() for y in outputs],
    }


def vectors() -> dict:
    cases = {"network": vector(small_network())}
    return cases | {kind: vector(random_model(kind)) for kind in sorted(OPS)}


@pytest.fixture(scope="module")
def made() -> dict:
    return vectors()


def test_committed_vectors_are_what_convert_and_tflm_make(made: dict) -> None:
    assert json.loads(PATH.read_text(encoding="utf-8")) == made


def test_every_op_is_there(made: dict) -> None:
    found = set()
    for case in made.values():
        hgm = bytes.fromhex(case["hgm"])
        header = plan.check(hgm)
        count = header[plan.OP_COUNT] + header[plan.RESET_COUNT]
        found |= {opcode for opcode, _, _ in plan.records(hgm, count)}
    assert found == set(range(1, len(ops.NAMES)))


if __name__ == "__main__":
    PATH.write_text(json.dumps(vectors(), indent=0) + "\n", encoding="utf-8")
