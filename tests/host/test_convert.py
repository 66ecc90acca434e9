"""convert: byte for byte equal to the tflite-micro wheel; reports; refusals; the command."""

import itertools
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from random_ops import OPS
from tflite_graph import SAME, TfliteGraph

from hedgerow.cli.convert import command
from hedgerow.convert import arithmetic, passes, reference
from hedgerow.convert import convert as api
from hedgerow.convert.cost import costs
from hedgerow.convert.emit import RECORDS
from hedgerow.convert.importer import read_tflite
from hedgerow.convert.oracle import Verification
from hedgerow.errors import ModelError, ToolError
from hedgerow.infer.batch import run
from hedgerow.infer.model_file import parse_model
from hedgerow.train.tflite_writer import DenseLayer, DenseNetwork, Quant, write_tflite

SOIL_DRY = Path(__file__).resolve().parent.parent.parent / "models" / "soil_dry"


@pytest.fixture(scope="module")
def soil_dry() -> bytes:
    return (SOIL_DRY / "soil_dry.tflite").read_bytes()


@st.composite
def networks(draw: st.DrawFn) -> bytes:
    """A .tflite of 1 to 3 random dense layers whose outputs are not all saturated."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = draw(st.lists(st.integers(1, 40), min_size=2, max_size=4))
    source = quant = Quant(float(rng.uniform(0.001, 0.2)), int(rng.integers(-128, 128)))
    layers = []
    for n_in, n_out in itertools.pairwise(sizes):
        weights = rng.integers(-127, 128, size=(n_out, n_in), dtype=np.int8)
        weight_scale = float(np.float32(10.0 ** rng.uniform(-4, 0)))
        bias = rng.integers(-3000, 3000, size=n_out, dtype=np.int32)
        reach = quant.scale * weight_scale * 74 * np.sqrt(n_in) * 74
        out = Quant(
            float(np.float32(reach / 10.0 ** rng.uniform(0.5, 2.5))), int(rng.integers(-90, 90))
        )
        layers.append(DenseLayer(weights, weight_scale, bias, bool(rng.integers(2)), out))
        quant = out
    net = DenseNetwork(source, tuple(layers), logistic=draw(st.booleans()))
    return write_tflite(net, name="random")


@settings(max_examples=120, deadline=None)
@given(networks())
def test_random_networks_equal_tflm(tflite: bytes) -> None:
    result = api.convert(tflite)
    inputs = api.random_inputs(12, result.report.input_bytes)
    assert api.verify_against_tflm(tflite, result, inputs).differing_bytes == 0


def test_every_kind_of_op_has_a_cost_on_every_board() -> None:
    """A kind left out would make a prediction too small, and nobody would see it."""
    for board, cost in costs().items():
        assert set(cost["kinds"]) == set(RECORDS), board


def test_the_report_counts_what_recurrent_layers_multiply_and_hold() -> None:
    """lstm: 4 gates of n cells over n_in inputs and n hidden, each step; svdf: both products."""
    for kind in ("lstm", "svdf"):
        result = api.convert(OPS[kind](np.random.default_rng(3)))
        graph = result.graph
        shapes = [graph.tensors[i].shape for i in graph.ops[0].inputs if i != -1]
        if kind == "lstm":
            (batch, steps, n_in), cells = shapes[0], shapes[1][0]
            macs = batch * steps * 4 * cells * (n_in + cells)
            held = 4 * cells * (n_in + cells) + 8 * cells * 4 + 512  # biases twice, a table
        else:
            (filters, n_in), memory = shapes[1], shapes[2][1]
            macs = filters * (n_in + memory)
            time_bytes = graph.tensors[graph.ops[0].inputs[2]].item_bytes
            held = filters * (n_in + memory * time_bytes + 4) + 4 * shapes[3][0]
        found = [layer for layer in result.report.layers if layer.kind == kind]
        assert sum(layer.macs for layer in found) == result.report.macs == macs
        assert {layer.constant_bytes for layer in found} == {held}


def test_soil_dry_equals_tflm_on_10000_inputs_in_viper(soil_dry: bytes) -> None:
    inputs = api.random_inputs(10_000, 7)
    wanted = api.run_tflm(soil_dry, inputs)
    result = api.convert(soil_dry)
    outcome = run(parse_model(result.hgm), inputs, "unix")
    assert int((outcome.outputs != wanted).sum()) == 0
    assert outcome.heap_bytes_per_invoke == 0
    by_reference = np.stack([reference.run(result.graph, x) for x in inputs])
    assert int((by_reference != wanted).sum()) == 0


@pytest.mark.parametrize("name", ["mlperf_tiny/ad01_int8", "tflm/hello_world_int8"])
def test_dense_models_of_others_equal_tflm(need_shared, name: str) -> None:
    tflite = need_shared(f"models/{name}.tflite").read_bytes()
    result = api.convert(tflite)
    inputs = api.random_inputs(300, result.report.input_bytes)
    wanted = api.run_tflm(tflite, inputs)
    outcome = run(parse_model(result.hgm), inputs, "unix")
    assert int((outcome.outputs != wanted).sum()) == 0
    assert outcome.heap_bytes_per_invoke == 0


def test_ad_fits_its_bounds(need_shared) -> None:
    report = api.convert(need_shared("models/mlperf_tiny/ad01_int8.tflite").read_bytes()).report
    assert (report.macs, report.arena_bytes) == (264_192, 768)
    assert report.flash_bytes <= 1.1 * report.constant_bytes


@pytest.mark.parametrize("scale", [0.003, 0.02, 0.0625, 0.25, 1.0])
def test_logistic_table_equals_tflm(scale: float) -> None:
    one = DenseLayer(
        np.array([[127]], dtype=np.int8), 1 / 127, np.zeros(1, np.int32), False, Quant(scale, 5)
    )
    tflite = write_tflite(DenseNetwork(Quant(scale, 5), (one,), logistic=True), name="identity")
    inputs = np.arange(-128, 128, dtype=np.int8).reshape(-1, 1)
    got = arithmetic.logistic_int8_table(scale, 5)
    assert np.array_equal(api.run_tflm(tflite, inputs)[:, 0], got)
    real = 1 / (1 + np.exp(-(inputs[:, 0].astype(float) - 5) * scale))
    assert np.abs((got.astype(float) + 128) / 256 - real).max() < 0.6 / 256 + 1 / 256


def test_quantize_multiplier_examples() -> None:
    # By hand from frexp: 0.75 = 0.75 * 2**0; 2 = 0.5 * 2**2; the rounding up of 1 - 2**-40.
    assert arithmetic.quantize_multiplier(0.75) == (1610612736, 0)
    assert arithmetic.quantize_multiplier(2.0) == (1 << 30, 2)
    assert arithmetic.quantize_multiplier(1 - 2**-40) == (1 << 30, 1)
    assert arithmetic.quantize_multiplier(2**-33) == (0, 0)


def test_committed_file_is_what_convert_makes(soil_dry: bytes) -> None:
    assert api.convert(soil_dry).hgm == (SOIL_DRY / "soil_dry.hgm").read_bytes()


def test_passes_keep_the_function(soil_dry: bytes) -> None:
    graph = read_tflite(soil_dry)
    inputs = api.random_inputs(20, 7)
    wanted = [reference.run(graph, x) for x in inputs]
    for rewrite in passes.PASSES:
        graph = rewrite(graph)
        for x, y in zip(inputs, wanted, strict=True):
            assert np.array_equal(reference.run(graph, x), y), rewrite.__name__


def test_float_model_is_refused_with_the_cure() -> None:
    wheel = pytest.importorskip("tflite_micro", reason="needs the wheel's float model")
    path = Path(wheel.runtime.__file__).parent / "sine_float.tflite"
    if not path.exists():
        pytest.skip(f"{path.name} is not in this wheel")
    with pytest.raises(ModelError, match="float32, must be quantised"):
        api.convert(path.read_bytes())


def test_an_output_that_no_input_changes_is_refused() -> None:
    g = TfliteGraph()
    x, y = g.tensor((1, 4), 0.1), g.tensor((1, 4), 0.1)
    constant = g.tensor((1, 4), 0.1, data=np.ones((1, 4)))
    g.op("RELU", [constant], y)
    for output in (constant, y):
        with pytest.raises(ModelError, match="it is the same for every input"):
            api.convert(g.finish(x, output))


def _check_equals_tflm(tflite: bytes, kind: str) -> None:
    """The device runs one op, of this kind, and gives TFLM's bytes."""
    result = api.convert(tflite)
    assert [op.kind for op in result.device_graph.ops] == [kind]
    inputs = api.random_inputs_for(result, 20)
    assert api.verify_against_tflm(tflite, result, inputs).differing_bytes == 0


def test_a_keras_conv1d_equals_tflm() -> None:
    """EXPAND_DIMS, CONV_2D over one row, SQUEEZE: how Keras writes it."""
    rng, g = np.random.default_rng(3), TfliteGraph()
    x, row = g.tensor((1, 12, 3), 0.05, 4), g.tensor((1, 1, 12, 3), 0.05, 4)
    axis = g.tensor((), [], data=np.array(1), dtype="int32")
    weights = g.tensor((5, 1, 3, 3), 0.01, data=rng.integers(-127, 128, (5, 1, 3, 3)))
    bias = g.tensor((5,), 0.0005, data=rng.integers(-2000, 2000, 5), dtype="int32")
    y, z = g.tensor((1, 1, 12, 5), 0.02, -128), g.tensor((1, 12, 5), 0.02, -128)
    steps = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    g.op("EXPAND_DIMS", [x, axis], row, "ExpandDimsOptions")
    g.op("CONV_2D", [row, weights, bias], y, "Conv2DOptions", padding=SAME, **steps)
    g.op("SQUEEZE", [y], z, "SqueezeOptions", squeezeDims=[1])
    _check_equals_tflm(g.finish(x, z), "conv")


def test_a_keras_reshape_equals_tflm() -> None:
    """SHAPE, STRIDED_SLICE and PACK compute the shape of a RESHAPE for a batch of any size."""
    g = TfliteGraph()
    x, whole = g.tensor((1, 40), 0.1, 3), g.tensor((2,), [], dtype="int32")
    batch, shape = g.tensor((), [], dtype="int32"), g.tensor((3,), [], dtype="int32")
    ends = [g.tensor((1,), [], data=np.array([n]), dtype="int32") for n in (0, 1, 1)]
    sides = [g.tensor((), [], data=np.array(n), dtype="int32") for n in (10, 4)]
    y, z = g.tensor((1, 10, 4), 0.1, 3), g.tensor((1, 10, 4), 0.1, 3)
    g.op("SHAPE", [x], whole, "ShapeOptions", outType=2)
    g.op("STRIDED_SLICE", [whole, *ends], batch, "StridedSliceOptions", shrinkAxisMask=1)
    g.op("PACK", [batch, *sides], shape, "PackOptions", valuesCount=3)
    g.op("RESHAPE", [x, shape], y, "ReshapeOptions")
    g.op("RELU", [y], z)
    _check_equals_tflm(g.finish(x, z), "table")


def test_a_uint8_model_is_refused_by_its_type() -> None:
    g = TfliteGraph()
    x, y = g.tensor((1, 4), 0.1, 128, dtype="uint8"), g.tensor((1, 2), 0.1, 128, dtype="uint8")
    weights = g.tensor((2, 4), 0.1, 128, data=np.ones((2, 4)), dtype="uint8")
    g.op("FULLY_CONNECTED", [x, weights], y, "FullyConnectedOptions")
    with pytest.raises(ModelError, match=r"input 't0' is uint8, must be quantised int8"):
        api.convert(g.finish(x, y))


def test_several_outputs_are_refused_with_the_cure() -> None:
    g = TfliteGraph()
    x, y = g.tensor((1, 4), 0.1), g.tensor((1, 4), 0.1)
    g.op("RELU", [x], y)
    with pytest.raises(ModelError, match=r"1 inputs and 2 outputs.*CONCATENATION"):
        api.convert(g.finish(x, y, y))


def test_truncated_anywhere_is_a_model_error(soil_dry: bytes) -> None:
    for length in range(0, len(soil_dry) - 16, 7):
        _convert_or_model_error(soil_dry[:length])


def test_mutations_convert_or_are_model_errors(soil_dry: bytes) -> None:
    rng = np.random.default_rng(5)
    refused = 0
    for _ in range(3000):
        data = bytearray(soil_dry)
        for at in rng.integers(0, len(data), rng.integers(1, 4)):
            data[at] = rng.choice([0, 1, 127, 128, 255, rng.integers(256)])
        refused += _convert_or_model_error(bytes(data))
    assert 300 < refused < 3000


def _convert_or_model_error(data: bytes) -> bool:
    try:
        api.convert(data)
    except ModelError as error:
        assert len(str(error)) > 10
        return True
    return False


def test_float_ends_are_cut_off(soil_dry: bytes) -> None:
    g = TfliteGraph()
    x, q = g.tensor((1, 4), [], dtype="float32"), g.tensor((1, 4), 0.1, 3)
    y, z = g.tensor((1, 4), 1 / 256, -128), g.tensor((1, 4), [], dtype="float32")
    g.op("QUANTIZE", [x], q, "QuantizeOptions")
    g.op("LOGISTIC", [q], y)
    g.op("DEQUANTIZE", [y], z, "DequantizeOptions")
    tflite = g.finish(x, z)
    result = api.convert(tflite)
    assert [op.kind for op in result.device_graph.ops] == ["table"]
    inputs = api.random_inputs_for(result, 50)
    assert api.verify_against_tflm(tflite, result, inputs).differing_bytes == 0


def test_accumulator_overflow_is_refused() -> None:
    layer = DenseLayer(
        np.full((1, 4), 127, np.int8), 1.0, np.array([2**31 - 5], np.int32), False, Quant(1.0, 0)
    )
    tflite = write_tflite(DenseNetwork(Quant(1.0, 0), (layer,), logistic=False), name="big")
    with pytest.raises(ModelError, match="overflow int32"):
        api.convert(tflite)


def test_command_reports_and_verifies(tmp_path: Path) -> None:
    target = tmp_path / "out.hgm"
    arguments = [str(SOIL_DRY / "soil_dry.tflite"), "-o", str(target), "--verify", "50", "--json"]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    report = json.loads(done.stdout)  # progress of a build goes to stderr
    assert report["differing_bytes"] == 0
    assert report["flash_bytes"] == target.stat().st_size
    assert report["eliminated"]["macs_before"] == 7 * 16 + 16 * 8 + 8 * 3
    text = CliRunner().invoke(command, [*arguments[:3], "--verify", "5"], catch_exceptions=False)
    assert "bytes of RAM for the arena" in text.output
    assert "0 bytes differ" in text.output


def test_command_fails_on_a_differing_byte(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(api, "verify_against_tflm", lambda *_: Verification(3, "op 1 LOGISTIC"))
    arguments = [str(SOIL_DRY / "soil_dry.tflite"), "-o", str(tmp_path / "x"), "--verify", "1"]
    done = CliRunner().invoke(command, arguments)
    assert isinstance(done.exception, ToolError)
    assert done.exception.exit_code == 1
    assert "first in op 1 LOGISTIC" in str(done.exception)


def test_command_names_a_missing_file(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, [str(tmp_path / "none.tflite")])
    assert isinstance(done.exception, ModelError)
    assert "none.tflite: No such file" in str(done.exception)


def test_verify_says_that_tflite_micro_crashes(tmp_path: Path) -> None:
    """On an explicitly absent bias of a depthwise layer, its build of 2026-10."""
    g = TfliteGraph()
    x, y = g.tensor((1, 3, 3, 2), 0.1), g.tensor((1, 3, 3, 2), 0.1)
    weights = g.tensor((1, 1, 1, 2), 0.1, data=np.ones((1, 1, 1, 2)), axis=3)
    steps = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    table = "DepthwiseConv2DOptions"
    g.op("DEPTHWISE_CONV_2D", [x, weights, -1], y, table, depthMultiplier=1, **steps)
    source = tmp_path / "absent.tflite"
    source.write_bytes(g.finish(x, y))
    done = CliRunner().invoke(command, [str(source), "--verify", "2"])
    crashed = "tflite-micro crashes on this model" in str(done.exception)
    assert crashed or "0 bytes differ" in done.output


def test_a_result_never_takes_its_sources_place(tmp_path: Path) -> None:
    source = tmp_path / "soil_dry.tflite"
    source.write_bytes((SOIL_DRY / "soil_dry.tflite").read_bytes())
    done = CliRunner().invoke(command, [str(source), "-o", str(tmp_path / "." / source.name)])
    assert "written over itself" in str(done.exception)
    assert source.read_bytes() == (SOIL_DRY / "soil_dry.tflite").read_bytes()


def test_a_picture_never_takes_the_models_place(tmp_path: Path) -> None:
    source, target = SOIL_DRY / "soil_dry.tflite", tmp_path / "out.svg"
    arguments = [str(source), "-o", str(target), "--plot", str(target)]
    done = CliRunner().invoke(command, arguments)
    assert "written over itself" in str(done.exception)
    assert not target.exists()


def test_verify_without_the_wheel_names_the_package(soil_dry: bytes, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tflite_micro", None)
    with pytest.raises(ToolError, match="pip install tflite-micro"):
        api.verify_against_tflm(soil_dry, api.convert(soil_dry), api.random_inputs(1, 7))
