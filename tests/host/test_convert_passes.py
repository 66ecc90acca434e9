"""Passes and plan: nothing changes but size; what is dead goes; live tensors never meet."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import branching
from random_nets import network
from tflite_graph import TfliteGraph

from hedgerow.convert import convert as api
from hedgerow.convert import order, reference
from hedgerow.convert.eliminate import eliminate
from hedgerow.convert.fold import fold_padding, fuse_clamps
from hedgerow.convert.importer import read_tflite
from hedgerow.convert.oracle import verify_layers
from hedgerow.convert.overlap import lag_bytes
from hedgerow.convert.passes import PASSES
from hedgerow.errors import ModelError
from hedgerow.infer.model_file import parse_model
from hedgerow.infer.reference import run_in_numpy

SEEDS = st.integers(0, 2**32 - 1)
# model -> bytes of arena and of file at the most, as the project promises
LIMITS = {
    "kws_ref_model": 10_000,
    "vww_96_int8": 38_400,
    "pretrainedResnet_quant": 34_000,
    "ad01_int8": 768,
    "str_ww_ref_model": 4_000,
}


def _graphs_after_each_pass(tflite: bytes):
    graph = read_tflite(tflite)
    yield "import", graph
    for rewrite in PASSES:
        graph = rewrite(graph)
        yield rewrite.__name__, graph


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_each_pass_keeps_the_function(seed: int) -> None:
    tflite = network(np.random.default_rng(seed))
    graphs = list(_graphs_after_each_pass(tflite))
    for x in api.random_inputs(4, graphs[0][1].tensors[graphs[0][1].input].elements):
        wanted = reference.run(graphs[0][1], x)
        for name, graph in graphs[1:]:
            assert np.array_equal(reference.run(graph, x), wanted), name


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_the_planned_file_gives_tflms_bytes(seed: int) -> None:
    """In one arena, layers over their own input: a wrong lag or a stale channel shows here."""
    tflite = network(np.random.default_rng(seed))
    result = api.convert(tflite)
    inputs = api.random_inputs(4, result.report.input_bytes)
    outcome = run_in_numpy(parse_model(result.hgm), inputs)
    assert np.array_equal(outcome.outputs, api.run_tflm(tflite, inputs))


@settings(max_examples=80, deadline=None)
@given(SEEDS)
def test_graphs_with_branches_give_tflms_bytes(seed: int) -> None:
    """Each layer as imported and as lowered, and the planned file."""
    tflite = branching(np.random.default_rng(seed))
    try:
        result = api.convert(tflite)
    except ModelError as error:
        assert "computes nothing" in str(error)
        return
    inputs = api.random_inputs(4, result.report.input_bytes)
    found = verify_layers(tflite, result.graph, result.device_graph, inputs)
    assert (found.differing_bytes, found.first) == (0, "")
    outcome = run_in_numpy(parse_model(result.hgm), inputs)
    assert np.array_equal(outcome.outputs, found.outputs)


def _differing(tflite: bytes) -> int:
    result = api.convert(tflite)
    inputs = api.random_inputs(4, result.report.input_bytes)
    return verify_layers(tflite, result.graph, result.device_graph, inputs).differing_bytes


def test_a_table_behind_a_reshape_of_lower_rank() -> None:
    """The RESHAPE goes; what reads the table's output still gets the table's shape."""
    g = TfliteGraph()
    x, flat = g.tensor((1, 3, 1, 2), 0.1), g.tensor((6,), 0.1)
    soft, part = g.tensor((6,), 1 / 256, -128), g.tensor((2,), 1 / 256, -128)
    shape, begin, end, step = (
        g.tensor((1,), [], data=np.array([n]), dtype="int32") for n in (6, 3, 5, 1)
    )
    g.op("RESHAPE", [x, shape], flat, "ReshapeOptions")
    g.op("LOGISTIC", [flat], soft)
    g.op("STRIDED_SLICE", [soft, begin, end, step], part, "StridedSliceOptions")
    assert _differing(g.finish(x, part)) == 0


def test_a_pad_of_rank_2_stays_before_a_dense_layer() -> None:
    g = TfliteGraph()
    x, wide, y = g.tensor((1, 2), 0.1, 7), g.tensor((3, 4), 0.1, 7), g.tensor((3, 1), 0.1)
    widths = g.tensor((2, 2), [], data=np.ones((2, 2)), dtype="int32")
    weights = g.tensor((1, 4), 0.01, data=np.arange(4))
    g.op("PAD", [x, widths], wide, "PadOptions")
    g.op("FULLY_CONNECTED", [wide, weights], y, "FullyConnectedOptions")
    assert _differing(g.finish(x, y)) == 0


def test_a_dense_output_without_axes_is_refused() -> None:
    """TFLM takes its depth from the last axis."""
    g = TfliteGraph()
    x, hidden, y = g.tensor((1, 3), 0.1, 2), g.tensor((1, 2), 0.1), g.tensor((), 0.01)
    first, second = (g.tensor(w.shape, 0.02, data=w) for w in (np.ones((2, 3)), np.ones((1, 2))))
    g.op("FULLY_CONNECTED", [x, first], hidden, "FullyConnectedOptions")
    g.op("FULLY_CONNECTED", [hidden, second], y, "FullyConnectedOptions")
    with pytest.raises(ModelError, match=r"output \(\) does not fit 1 rows of 1"):
        api.convert(g.finish(x, y))


def test_an_output_that_is_the_input_is_refused() -> None:
    g = TfliteGraph()
    x, shape = g.tensor((1, 6), 0.1), g.tensor((2,), [], data=np.array([2, 3]), dtype="int32")
    same, unread = g.tensor((2, 3), 0.1), g.tensor((1, 6), 0.1)
    g.op("RESHAPE", [x, shape], same, "ReshapeOptions")
    g.op("RELU", [x], unread)
    for output in (x, same):
        with pytest.raises(ModelError, match="its output is its input"):
            api.convert(g.finish(x, output))


def test_a_large_batch_is_planned_with_bounded_effort(monkeypatch) -> None:
    """Each image of a batch is ops of its own: hours of trials for 81 images of 3 layers."""
    g = TfliteGraph()
    x = y = g.tensor((16, 3, 3, 1), 0.1)
    weights = g.tensor((1, 2, 2, 1), 0.1, data=np.ones((1, 2, 2, 1)))
    steps = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    for _ in range(3):
        y, last = g.tensor((16, 3, 3, 1), 0.1), y
        g.op("CONV_2D", [last, weights], y, "Conv2DOptions", padding=0, **steps)
    trials = []
    monkeypatch.setattr(order, "_live", lambda graph: trials.append(len(graph.ops)) or 0)
    api.convert(g.finish(x, y))
    assert 0 < sum(trials) <= 2 * order._EFFORT


def _lowered(tflite: bytes, *names: str):
    """The graph before the pass names[0], and after each of them."""
    graphs = dict(_graphs_after_each_pass(tflite))
    order = list(graphs)
    return [graphs[order[order.index(names[0]) - 1]], *(graphs[name] for name in names)]


def test_random_networks_have_something_to_eliminate() -> None:
    """Else the two tests above would prove little."""
    shrunk = padded = clamped = 0
    for seed in range(40):
        tflite = network(np.random.default_rng(seed))
        before, fused, folded, after = _lowered(tflite, "fuse_clamps", "fold_padding", "eliminate")
        clamped += len(fused.ops) < len(before.ops)
        padded += len(folded.ops) < len(fused.ops)
        shrunk += any("kept" in op.options for op in after.ops)
    assert min(shrunk, padded, clamped) >= 5, (shrunk, padded, clamped)


@pytest.mark.parametrize("name", LIMITS)
def test_arena_and_file_of_mlperf_tiny_keep_their_limits(need_shared, name: str) -> None:
    report = api.convert(need_shared(f"models/mlperf_tiny/{name}.tflite").read_bytes()).report
    assert report.arena_bytes <= LIMITS[name]
    assert report.flash_bytes <= 1.1 * report.constant_bytes


def test_dead_filters_of_vww_go(need_shared) -> None:
    tflite = need_shared("models/mlperf_tiny/vww_96_int8.tflite").read_bytes()
    gone = api.convert(tflite).report.eliminated
    assert gone.macs_before == 7_489_664  # the reference's figure, with its dense layer
    assert gone.macs_gone >= 3_700_000
    assert gone.weights_gone >= 175_000


def test_lag_of_a_3x3_layer_is_a_row_and_a_pixel(need_shared) -> None:
    """KWS: 5 columns of 64 channels; the second pixel's first read lies 6 pixels back."""
    graph = read_tflite(need_shared("models/mlperf_tiny/kws_ref_model.tflite").read_bytes())
    for rewrite in PASSES:
        graph = rewrite(graph)
    lags = {op.kind: lag_bytes(op) for op in graph.ops[1:3]}
    assert lags == {"depthwise": 384, "conv": 0}


def test_eliminate_is_idempotent() -> None:
    (before, after) = _lowered(network(np.random.default_rng(3)), "eliminate")
    assert eliminate(after) is after
    assert before is not after


def test_a_pad_of_another_value_stays() -> None:
    """fold_padding must not take a PAD whose value is not what the convolution pads with."""
    seen = 0
    for seed in range(200):
        tflite = network(np.random.default_rng(seed))
        before, _ = _lowered(tflite, "fold_padding")
        moves = [op for op in before.ops if op.kind == "move"]
        if not moves:
            continue
        seen += 1
        changed = list(before.ops)
        at = changed.index(moves[0])
        pad = {**moves[0].options["pad"], "value": 999}
        changed[at] = type(moves[0])(
            "move", moves[0].inputs, moves[0].outputs, {**moves[0].options, "pad": pad}
        )
        graph = before.with_ops(changed)
        assert any(op.kind == "move" for op in fold_padding(fuse_clamps(graph)).ops)
    assert seen > 5
