"""Every op: each layer of the shared models, and random single ops, against tflite-micro."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_ops import OPS
from tflite_graph import SAME, TfliteGraph

from hedgerow.convert import arithmetic, oracle, reference
from hedgerow.convert import convert as api
from hedgerow.convert.importer import read_tflite
from hedgerow.convert.lowering import LOWERINGS
from hedgerow.errors import ModelError
from hedgerow.infer.batch import run
from hedgerow.infer.model_file import parse_model

MODELS = (
    "mlperf_tiny/ad01_int8",
    "mlperf_tiny/kws_ref_model",
    "mlperf_tiny/pretrainedResnet_quant",
    "mlperf_tiny/str_ww_ref_model",
    "mlperf_tiny/vww_96_int8",
    "tflm/hello_world_int8",
    "tflm/keyword_scrambled_8bit",
    "tflm/micro_speech_quantized",
    "tflm/person_detect",
    "tflm/trained_lstm_int8",
)
SEEDS = st.integers(0, 2**32 - 1)


def _layers_and_file(data: bytes, count: int, seed: int, target: str = "reference") -> tuple:
    """(differing bytes of all layers, first layer, differing bytes of the written file)."""
    result = api.convert(data)
    inputs = api.random_inputs_for(result, count, seed=seed)
    found = oracle.verify_layers(data, result.graph, result.device_graph, inputs)
    outcome = run(parse_model(result.hgm), inputs, target)
    assert found.layers > 0
    assert found.outputs is not None
    return found.differing_bytes, found.first, int((outcome.outputs != found.outputs).sum())


@pytest.mark.parametrize("name", MODELS)
def test_every_layer_of_a_model_equals_tflm(need_shared, name: str) -> None:
    data = need_shared(f"models/{name}.tflite").read_bytes()
    assert _layers_and_file(data, 5, 3) == (0, "", 0)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_equals_tflm_on_the_unix_port(need_shared, name: str) -> None:
    data = need_shared(f"models/{name}.tflite").read_bytes()
    result = api.convert(data)
    inputs = api.random_inputs_for(result, 20, seed=11)
    outcome = run(parse_model(result.hgm), inputs, "unix")
    assert int((outcome.outputs != api.run_tflm(data, inputs)).sum()) == 0
    assert outcome.heap_bytes_per_invoke == 0


def test_state_is_carried_from_one_inference_to_the_next(need_shared) -> None:
    data = need_shared("models/tflm/keyword_scrambled_8bit.tflite").read_bytes()
    graph, state = read_tflite(data), {}
    interpreter = oracle._interpreter(data)
    rng = np.random.default_rng(4)
    for _ in range(8):
        x = rng.integers(-32768, 32768, size=96, dtype=np.int16)
        oracle._invoke(interpreter, x.reshape(1, 96))
        wanted = interpreter.get_output(0).reshape(-1)
        assert np.array_equal(reference.run(graph, x, state), wanted)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(sorted(OPS)), SEEDS)
def test_random_op_equals_tflm(kind: str, seed: int) -> None:
    """As imported, as lowered, and the file, by the definitions."""
    data = OPS[kind](np.random.default_rng(seed))
    assert _layers_and_file(data, 5, seed) == (0, "", 0)


@pytest.mark.parametrize("kind", sorted(OPS))
def test_random_op_equals_tflm_on_the_unix_port(kind: str) -> None:
    for seed in range(4):
        data = OPS[kind](np.random.default_rng(seed))
        assert _layers_and_file(data, 8, seed, "unix") == (0, "", 0), seed


@pytest.mark.parametrize("alpha", [-2.5, -1.0, -0.5, -0.01, 0.0, 1.5])
def test_leaky_relu_of_any_slope_equals_tflm(alpha: float) -> None:
    g = TfliteGraph()
    x, y = g.tensor((1, 256), 0.05, 3), g.tensor((1, 256), 0.05, 3)
    g.op("LEAKY_RELU", [x], y, "LeakyReluOptions", alpha=alpha)
    assert _layers_and_file(g.finish(x, y), 5, 1) == (0, "", 0)


@pytest.mark.parametrize("groups", [2, 3, 6])
def test_a_grouped_convolution_equals_tflm(groups: int) -> None:
    rng, g = np.random.default_rng(groups), TfliteGraph()
    x, y = g.tensor((2, 5, 4, 6), 0.1, 5), g.tensor((2, 5, 4, 12), 2.0, -9)
    data = rng.integers(-127, 128, size=(12, 3, 2, 6 // groups))
    weights = g.tensor(data.shape, rng.uniform(0.001, 0.02, 12), data=data)
    steps = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    g.op("CONV_2D", [x, weights], y, "Conv2DOptions", padding=SAME, **steps)
    assert _layers_and_file(g.finish(x, y), 5, 1) == (0, "", 0)


@pytest.mark.parametrize("kind", sorted(OPS))
def test_several_runs_at_once_are_the_same_as_one_by_one(kind: str) -> None:
    for seed in range(4):
        graph = read_tflite(OPS[kind](np.random.default_rng(seed)))
        x = graph.tensors[graph.input]
        inputs = oracle.random_inputs(4, x.elements, seed=seed, dtype=x.dtype)
        at_once = reference.run_many(graph, inputs)[graph.output].reshape(4, -1)
        assert np.array_equal(at_once, np.stack([reference.run(graph, one) for one in inputs]))


def test_every_op_of_the_list_has_a_random_model() -> None:
    made = set()
    for make in OPS.values():
        for seed in range(30):
            made |= {op.kind for op in read_tflite(make(np.random.default_rng(seed))).ops}
    assert made == set(LOWERINGS) - {"RESHAPE"}


def _unsupported(kind: str) -> bytes:
    g = TfliteGraph()
    x, y = g.tensor((1, 4), 0.1), g.tensor((1, 4), 0.1)
    g.op(kind, [x], y)
    return g.finish(x, y)


@pytest.mark.parametrize(
    ("kind", "cure"),
    [
        ("ELU", "use RELU or HARD_SWISH"),
        ("TRANSPOSE", "order the axes in training"),
        ("EXP", "supported are ADD, AVERAGE_POOL_2D, CONCATENATION, CONV_2D"),
    ],
)
def test_op_without_kernel_is_refused_by_name(kind: str, cure: str) -> None:
    with pytest.raises(ModelError, match=rf"op 0 {kind} \(t1\) is not supported: {cure}"):
        api.convert(_unsupported(kind))


def test_verify_names_the_first_layer_that_differs(need_shared, monkeypatch) -> None:
    data = need_shared("models/mlperf_tiny/kws_ref_model.tflite").read_bytes()
    result = api.convert(data)
    pool = reference.OPS["AVERAGE_POOL_2D"]
    broken = {**reference.OPS, "AVERAGE_POOL_2D": lambda *a: pool(*a) + np.int8(1)}
    monkeypatch.setattr(reference, "OPS", broken)
    found = api.verify_against_tflm(data, result, api.random_inputs(4, 490))
    assert found.differing_bytes > 0
    assert found.first.startswith("op 9 AVERAGE_POOL_2D (")


def test_mutated_models_convert_or_are_model_errors() -> None:
    rng = np.random.default_rng(5)
    files = [make(np.random.default_rng(3)) for make in OPS.values()]
    refused = 0
    for i in range(4000):
        data = bytearray(files[i % len(files)])
        for at in rng.integers(0, len(data), rng.integers(1, 4)):
            data[at] = rng.choice([0, 1, 127, 128, 255, rng.integers(256)])
        try:
            api.convert(bytes(data))
        except ModelError as error:
            refused += len(str(error)) > 10
    assert 1000 < refused < 4000


@pytest.mark.parametrize(
    ("kind", "x_scale", "out_scale", "why"),
    [
        ("HARD_SWISH", 1e-7, 1e-7, "input scale is too fine"),
        ("HARD_SWISH", 0.01, 100.0, "input scale is too fine"),
        ("RELU6", 1e-9, 1e-9, "scale 1e-09 is too fine for relu6"),
        ("TANH", 3e-9, 1 / 128, "input scale 3e-09 is too fine"),
        ("LOGISTIC", 3e-15, 1 / 256, "input scale 3e-15 is too fine"),
    ],
)
def test_scales_that_overflow_tflms_integers_are_refused(
    kind: str, x_scale: float, out_scale: float, why: str
) -> None:
    g = TfliteGraph()
    zero_point = {"LOGISTIC": -128, "TANH": 0}.get(kind, 3)
    x, y = g.tensor((1, 256), x_scale, 3), g.tensor((1, 256), out_scale, zero_point)
    g.op(kind, [x], y, "HardSwishOptions" if kind == "HARD_SWISH" else "")
    with pytest.raises(ModelError, match=why):
        api.convert(g.finish(x, y))


def test_an_activation_that_overflows_is_refused_by_its_op() -> None:
    g = TfliteGraph()
    x, y = g.tensor((1, 2), 0.1), g.tensor((1, 3), 1e-9)
    weights = g.tensor((3, 2), 1e-10, data=np.ones((3, 2)))
    g.op("FULLY_CONNECTED", [x, weights], y, "FullyConnectedOptions", fusedActivationFunction=3)
    with pytest.raises(ModelError, match=r"^op 0 FULLY_CONNECTED \(t1\): .*too fine for relu6"):
        api.convert(g.finish(x, y))


def test_scales_that_no_model_has_are_refused() -> None:
    with pytest.raises(ModelError, match="ratio of scales"):
        arithmetic.quantize_multiplier(float("nan"))
    with pytest.raises(ModelError, match="ratio of scales"):
        arithmetic.quantize_multiplier(2.0**80)
