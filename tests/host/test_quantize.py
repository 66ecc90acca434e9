"""quantize: float ops equal tflite-micro's, int8 files run there and stay near float; refusals."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from float_models import conv_net, every_op
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgerow.cli.quantize import command
from hedgerow.convert import reference
from hedgerow.convert.graph import Graph
from hedgerow.convert.importer import read_tflite
from hedgerow.convert.oracle import random_inputs, run_tflm
from hedgerow.errors import ModelError, ToolError, UsageError
from hedgerow.train.calibrate import METHODS, calibrate
from hedgerow.train.float_ops import run_float
from hedgerow.train.graph_builder import GraphBuilder
from hedgerow.train.graph_writer import write_graph
from hedgerow.train.ptq import quantize
from hedgerow.train.quantize_graph import quantize_graph
from hedgerow.train.read_model import read_float_model
from hedgerow.train.simplify import simplify

BUILDERS = {"conv_net": conv_net, "every_op": every_op}


def samples(graph: Graph, n: int, *, seed: int = 1) -> np.ndarray:
    shape = graph.tensors[graph.input].shape[1:]
    return np.random.default_rng(seed).standard_normal((n, *shape)).astype(np.float32)


@pytest.fixture(params=BUILDERS)
def graph(request: pytest.FixtureRequest) -> Graph:
    return BUILDERS[request.param](np.random.default_rng(0))


def test_float_ops_equal_tflite_micro(graph: Graph) -> None:
    pytest.importorskip("tflite_micro", reason="needs the tflite-micro package")
    x = samples(graph, 6)
    peer = run_tflm(write_graph(graph, name="float"), x)
    np.testing.assert_allclose(run_float(graph, x).reshape(6, -1), peer, rtol=1e-4, atol=1e-5)


def test_simplified_graphs_compute_the_same(graph: Graph) -> None:
    x = samples(graph, 8)
    np.testing.assert_allclose(run_float(simplify(graph), x), run_float(graph, x), atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_tflite_micro_runs_the_int8_file(graph: Graph, method: str) -> None:
    """Byte for byte as the reference, and within a few steps of float."""
    pytest.importorskip("tflite_micro", reason="needs the tflite-micro package")
    result = quantize(graph, samples(graph, 64), calibration=method)
    inputs = random_inputs(8, graph.tensors[graph.input].elements)
    wanted = [reference.run(result.graph, x) for x in inputs]
    assert np.array_equal(run_tflm(result.tflite, inputs), np.stack(wanted))
    reach = float(np.abs(run_float(graph, samples(graph, 64))).max())
    assert result.report.mean_error < 0.03 * reach


def test_the_file_reads_back_as_the_graph(graph: Graph) -> None:
    result = quantize(graph, samples(graph, 8))
    again = read_tflite(result.tflite)
    assert [op.kind for op in again.ops] == [op.kind for op in result.graph.ops]
    assert [dict(op.options) for op in again.ops] == [dict(op.options) for op in result.graph.ops]
    x = random_inputs(1, again.tensors[again.input].elements)[0]
    assert np.array_equal(reference.run(again, x), reference.run(result.graph, x))


def test_scales_follow_the_specification() -> None:
    """Source: TFLite 8-bit quantization specification."""
    graph = every_op(np.random.default_rng(0))
    int8 = quantize(graph, samples(graph, 32)).graph
    for op in int8.ops:
        x, out = int8.tensors[op.inputs[0]], int8.tensors[op.outputs[0]]
        quant = (out.scale, out.zero_point)
        if op.kind == "LOGISTIC":
            assert quant == (1 / 256, -128)
        elif op.kind == "TANH":
            assert quant == (1 / 128, 0)
        elif op.kind == "CONCATENATION":
            assert all(int8.tensors[i].scale == out.scale for i in op.inputs)
        elif op.kind in ("PAD", "RESHAPE", "MAX_POOL_2D", "AVERAGE_POOL_2D", "RELU6"):
            assert (x.scale, x.zero_point) == quant
        elif op.kind in ("CONV_2D", "FULLY_CONNECTED"):
            weights = int8.tensors[op.inputs[1]]
            assert len(weights.scales) == weights.shape[0]
            assert np.abs(weights.data.astype(int)).max() == 127


def test_batch_norm_ends_in_the_weights() -> None:
    rng, b = np.random.default_rng(0), GraphBuilder()
    x = b.computed("x", (1, 4, 4, 2))
    y = b.op("CONV_2D", [x, b.constant("w", rng.standard_normal((3, 2, 2, 2)))], (1, 3, 3, 3))
    y = b.op("MUL", [y, b.constant("gain", rng.standard_normal(3))], (1, 3, 3, 3))
    y = b.op("ADD", [y, b.constant("offset", rng.standard_normal(3))], (1, 3, 3, 3))
    y = b.op("SUB", [y, b.constant("less", rng.standard_normal(3))], (1, 3, 3, 3))
    graph = b.finish(x, b.op("RELU", [y], (1, 3, 3, 3)))
    simple = simplify(graph)
    assert [op.kind for op in simple.ops] == ["CONV_2D"]
    assert simple.ops[0].options["activation"] == "relu"
    x = samples(graph, 5)
    np.testing.assert_allclose(run_float(simple, x), run_float(graph, x), atol=1e-5)


def test_a_dead_channel_keeps_its_bias() -> None:
    b = GraphBuilder()
    x = b.computed("x", (1, 2))
    w, bias = np.float32([[1, 1], [0, 0], [1e-30, 0]]), np.float32([0.5, 100.0, -3.0])
    y = b.op("FULLY_CONNECTED", [x, b.constant("w", w), b.constant("b", bias)], (1, 3))
    report = quantize(b.finish(x, y), np.float32([[1, 2], [-1, 0.5], [0, 0]])).report
    assert report.worst_error < 103 / 255


def test_a_damaged_float_file_is_one_error(tmp_path: Path) -> None:
    data = write_graph(conv_net(np.random.default_rng(0)), name="float")

    @settings(max_examples=150, deadline=None)
    @given(st.integers(0, len(data) - 1), st.integers(0, 255), st.integers(8, len(data)))
    def check(place: int, value: int, end: int) -> None:
        broken = bytearray(data[:end])
        broken[place % end] = value
        path = tmp_path / "broken.tflite"
        path.write_bytes(broken)
        try:
            model = read_float_model(path)
            quantize(model, np.zeros((2, *model.file_shape), dtype=np.float32))
        except ToolError as error:
            assert str(error)

    check()


BAD_SAMPLES = {
    "shape": (np.zeros((4, 3, 3, 2)), "the model takes (n, 8, 8, 2)"),
    "empty": (np.zeros((0, 8, 8, 2)), "samples have the shape (0, 8, 8, 2)"),
    "text": (np.full((4, 8, 8, 2), "a"), "give real numbers"),
    "nan": (np.full((4, 8, 8, 2), np.nan), "NaN"),
    "beyond float32": (np.full((4, 8, 8, 2), 1e300), "infinity in float32"),
}


@pytest.mark.parametrize("case", BAD_SAMPLES)
def test_bad_samples_are_named(case: str) -> None:
    data, message = BAD_SAMPLES[case]
    with pytest.raises(UsageError, match="samples") as caught:
        quantize(conv_net(np.random.default_rng(0)), data)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "labels", [np.zeros(3, int), np.zeros(4), np.full(4, 3), np.full(4, -1), np.zeros((4, 1), int)]
)
def test_bad_labels_are_named(labels: np.ndarray) -> None:
    with pytest.raises(UsageError, match="labels"):
        quantize(conv_net(np.random.default_rng(0)), np.zeros((4, 8, 8, 2)), labels=labels)


def test_an_int8_model_is_refused() -> None:
    graph = conv_net(np.random.default_rng(0))
    int8 = quantize_graph(graph, calibrate(graph, samples(graph, 4)))
    with pytest.raises(ModelError, match="starts from a float32 model"):
        quantize(int8, samples(graph, 4))


def test_an_unknown_op_is_named() -> None:
    b = GraphBuilder()
    x = b.computed("x", (1, 4))
    graph = b.finish(x, b.op("COS", [x], (1, 4), "wave"))
    with pytest.raises(ModelError, match=r"op 0 COS \(wave\) cannot be quantised"):
        quantize(graph, np.zeros((2, 4)))


def test_the_command_prints_accuracy_before_and_after(tmp_path: Path) -> None:
    graph = conv_net(np.random.default_rng(0))
    x = samples(graph, 40)
    labels = run_float(graph, x).argmax(axis=1)
    (tmp_path / "net.tflite").write_bytes(write_graph(graph, name="net"))
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", labels)
    out = tmp_path / "int8.tflite"
    files = [str(tmp_path / name) for name in ("net.tflite", "x.npy", "y.npy")]
    args = [files[0], "--data", files[1], "--labels", files[2], "-o", str(out)]
    text = CliRunner().invoke(command, args, catch_exceptions=False).output
    assert "accuracy: float 100.00%, int8 " in text
    report = json.loads(CliRunner().invoke(command, [*args, "--json"]).output)
    assert report["float_accuracy"] == 1.0
    assert report["int8_accuracy"] >= 0.9
    assert report["tflite_bytes"] == out.stat().st_size
    assert read_tflite(out.read_bytes()).tensors[0].dtype == "int8"


def test_epochs_without_pruning_are_a_mistake() -> None:
    result = CliRunner().invoke(
        command, ["net.tflite", "--data", "x.npy", "-o", "o.tflite", "--epochs", "3"]
    )
    assert isinstance(result.exception, UsageError)
    assert "--prune" in str(result.exception)


@pytest.mark.parametrize("name", ["net.h5", "missing.tflite"])
def test_a_file_that_is_no_model_is_named(tmp_path: Path, name: str) -> None:
    if name == "net.h5":
        (tmp_path / name).write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ModelError, match=name):
        read_float_model(tmp_path / name)


def test_data_that_is_no_npy_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_bytes(b"1,2,3\n")
    args = ["net.tflite", "--data", str(tmp_path / "x.npy"), "-o", "o.tflite"]
    result = CliRunner().invoke(command, args)
    assert isinstance(result.exception, UsageError)
    assert "x.npy: not a .npy of numbers" in str(result.exception)


@pytest.mark.parametrize("method", METHODS)
def test_real_digits_keep_their_accuracy(method: str) -> None:
    """Within one percent of float on images of people the net never saw."""
    digits = pytest.importorskip("digits", reason="needs scikit-learn: hedgerow[train]")
    _, _, x, y = digits.data()
    report = quantize(digits.trained_net(), x, labels=y, calibration=method).report
    assert report.float_accuracy > 0.9
    assert report.int8_accuracy >= report.float_accuracy - 0.01
