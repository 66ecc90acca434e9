"""Every op: each layer of the shared models, and random single ops, against tflite-micro."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_ops import DEVICE, REFERENCE

from hedgerow.convert import arithmetic, oracle, reference
from hedgerow.convert import convert as api
from hedgerow.convert.importer import read_tflite
from hedgerow.errors import ModelError

sys.path.append(str(Path(__file__).resolve().parent.parent / "bench"))
from infer import run_on_unix

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
# Bytes of activations at once, and multiply-adds; the arena also holds one gathered patch.
BOUNDS = {
    "mlperf_tiny/ad01_int8": (768, 264_192),
    "mlperf_tiny/kws_ref_model": (16_576, 2_656_768),
    "mlperf_tiny/pretrainedResnet_quant": (49_296, 12_501_632),
    "mlperf_tiny/str_ww_ref_model": (6_656, 826_368),
    "mlperf_tiny/vww_96_int8": (55_296, 7_489_664),
}
SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("name", MODELS)
def test_every_layer_of_a_model_equals_tflm(need_shared, name: str) -> None:
    data = need_shared(f"models/{name}.tflite").read_bytes()
    graph = read_tflite(data)
    x = graph.tensors[graph.input]
    limits = np.iinfo(x.dtype)
    rng = np.random.default_rng(3)
    shape = (5, x.elements)
    inputs = rng.integers(limits.min, limits.max, size=shape, dtype=x.dtype, endpoint=True)
    found = oracle.verify_layers(data, graph, graph, inputs)
    assert (found.differing_bytes, found.first) == (0, "")


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


@pytest.mark.parametrize("name", BOUNDS)
def test_mlperf_tiny_equals_tflm_in_viper(need_shared, name: str) -> None:
    data = need_shared(f"models/{name}.tflite").read_bytes()
    result = api.convert(data)
    inputs = api.random_inputs(20, result.report.input_bytes, seed=11)
    on_device, figures = run_on_unix(result.hgm, inputs)
    assert int((on_device != api.run_tflm(data, inputs)).sum()) == 0
    assert figures["heap_bytes"] == 0
    assert (result.report.arena_bytes, result.report.macs) == BOUNDS[name]


@pytest.mark.parametrize("name", ["tflm/micro_speech_quantized", "tflm/person_detect"])
def test_examples_of_tflm_equal_it_in_viper(need_shared, name: str) -> None:
    """Old exporters: a bias with quantized_dimension 3, a depthwise with a multiplier."""
    data = need_shared(f"models/{name}.tflite").read_bytes()
    result = api.convert(data)
    inputs = api.random_inputs(8, result.report.input_bytes, seed=12)
    on_device, _ = run_on_unix(result.hgm, inputs)
    assert int((on_device != api.run_tflm(data, inputs)).sum()) == 0


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted({**DEVICE, **REFERENCE})), SEEDS)
def test_random_op_equals_tflm(kind: str, seed: int) -> None:
    data = {**DEVICE, **REFERENCE}[kind](np.random.default_rng(seed))
    graph = read_tflite(data)
    inputs = api.random_inputs(6, graph.tensors[graph.input].elements, seed=seed)
    found = oracle.verify_layers(data, graph, graph, inputs)
    assert (found.differing_bytes, found.first) == (0, "")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(DEVICE)), SEEDS)
def test_random_op_equals_tflm_in_the_device_format(kind: str, seed: int) -> None:
    data = DEVICE[kind](np.random.default_rng(seed))
    result = api.convert(data)
    inputs = api.random_inputs(5, result.report.input_bytes, seed=seed)
    found = api.verify_against_tflm(data, result, inputs)
    assert (found.differing_bytes, found.first) == (0, "")


@pytest.mark.parametrize("kind", sorted(DEVICE))
def test_random_op_equals_tflm_in_viper(kind: str) -> None:
    for seed in range(8):
        data = DEVICE[kind](np.random.default_rng(seed))
        result = api.convert(data)
        inputs = api.random_inputs(10, result.report.input_bytes, seed=seed)
        on_device, figures = run_on_unix(result.hgm, inputs)
        assert int((on_device != api.run_tflm(data, inputs)).sum()) == 0, seed
        assert figures["heap_bytes"] == 0


@pytest.mark.parametrize("kind", sorted(REFERENCE))
def test_op_without_kernel_is_refused_by_name(kind: str) -> None:
    data = REFERENCE[kind](np.random.default_rng(1))
    name = read_tflite(data).ops[-1].kind
    with pytest.raises(ModelError, match=rf"op \d {name} \(t\d+\) is not supported: .{{9,}}"):
        api.convert(data)


def test_verify_names_the_first_layer_that_differs(need_shared, monkeypatch) -> None:
    data = need_shared("models/mlperf_tiny/kws_ref_model.tflite").read_bytes()
    result = api.convert(data)
    pool = reference.OPS["AVERAGE_POOL_2D"]
    broken = {**reference.OPS, "AVERAGE_POOL_2D": lambda *a: pool(*a) + np.int8(1)}
    monkeypatch.setattr(reference, "OPS", broken)
    found = api.verify_against_tflm(data, result, api.random_inputs(4, 490))
    assert found.differing_bytes > 0
    assert found.first.startswith("op 9 AVERAGE_POOL_2D (")


def test_plan_reaches_what_is_alive_at_once(need_shared) -> None:
    """Largest first alone would take 64,512 bytes for this model."""
    data = need_shared("models/mlperf_tiny/vww_96_int8.tflite").read_bytes()
    assert api.convert(data).report.arena_bytes == 48 * 48 * 8 + 48 * 48 * 16


def test_mutated_models_convert_or_are_model_errors() -> None:
    rng = np.random.default_rng(5)
    files = [make(np.random.default_rng(3)) for make in DEVICE.values()]
    refused = 0
    for i in range(3000):
        data = bytearray(files[i % len(files)])
        for at in rng.integers(0, len(data), rng.integers(1, 4)):
            data[at] = rng.choice([0, 1, 127, 128, 255, rng.integers(256)])
        try:
            api.convert(bytes(data))
        except ModelError as error:
            refused += len(str(error)) > 10
    assert 1000 < refused < 3000


def test_scales_that_no_model_has_are_refused() -> None:
    with pytest.raises(ModelError, match="ratio of scales"):
        arithmetic.quantize_multiplier(float("nan"))
    with pytest.raises(ModelError, match="ratio of scales"):
        arithmetic.quantize_multiplier(2.0**80)
