"""quantize from ONNX: the graph computes what onnx's reference does; TFLM runs the result."""

from pathlib import Path

import numpy as np
import pytest
from onnx_models import MODELS, OnnxGraph, run

from hedgerow.convert import convert as api
from hedgerow.convert import reference
from hedgerow.convert.oracle import random_inputs, run_tflm
from hedgerow.errors import ModelError, ToolError
from hedgerow.train.float_ops import run_float
from hedgerow.train.onnx_reader import read_onnx
from hedgerow.train.ptq import quantize
from hedgerow.train.read_model import FloatModel, read_float_model


def samples(model: FloatModel, n: int) -> np.ndarray:
    rng = np.random.default_rng(2)
    return rng.standard_normal((n, *model.file_shape)).astype(np.float32)


@pytest.mark.parametrize("name", MODELS)
def test_the_graph_computes_what_onnx_does(name: str) -> None:
    data = MODELS[name]()
    model = read_onnx(data)
    x = samples(model, 4)
    wanted = run(data, x)
    assert wanted.std() > 0.01
    ours = run_float(model.graph, model.samples(x))
    np.testing.assert_allclose(ours.reshape(wanted.shape), wanted, atol=2e-6)


@pytest.mark.parametrize("name", MODELS)
def test_tflite_micro_runs_the_int8_file(name: str) -> None:
    pytest.importorskip("tflite_micro", reason="needs the tflite-micro package")
    model = read_onnx(MODELS[name]())
    result = quantize(model, samples(model, 32))
    inputs = random_inputs(6, int(np.prod(model.file_shape)))
    wanted = [reference.run(result.graph, x) for x in inputs]
    assert np.array_equal(run_tflm(result.tflite, inputs), np.stack(wanted))
    reach = float(np.abs(run_float(model.graph, model.samples(samples(model, 32)))).max())
    assert result.report.mean_error < 0.03 * reach


def test_images_become_channels_last() -> None:
    model = read_onnx(MODELS["residual"]())
    assert model.file_shape == (3, 10, 8)
    assert model.graph.tensors[model.graph.input].shape == (1, 10, 8, 3)
    assert read_onnx(MODELS["gated"]()).axes == (0, 1, 2, 3)


def test_batch_norm_and_activations_are_folded() -> None:
    kinds = [op.kind for op in read_onnx(MODELS["residual"]()).graph.ops]
    assert kinds == [
        "PAD",
        "CONV_2D",
        "CONV_2D",
        "ADD",
        "DEPTHWISE_CONV_2D",
        "HARD_SWISH",
        "MEAN",
        "RESHAPE",
        "FULLY_CONNECTED",
        "SOFTMAX",
    ]


def test_weights_beside_the_file_are_read(tmp_path: Path) -> None:
    """torch.onnx.export puts them there unless it is told otherwise."""
    import onnx

    model = onnx.load_from_string(MODELS["residual"]())
    path = tmp_path / "net.onnx"
    onnx.save(model, path, save_as_external_data=True, size_threshold=0)
    assert (path.stat().st_size, len(list(tmp_path.iterdir()))) > (0, 1)
    x = samples(read_onnx(MODELS["residual"]()), 2)
    beside = read_float_model(path)
    np.testing.assert_allclose(
        run_float(beside.graph, beside.samples(x)), run(MODELS["residual"](), x), atol=2e-6
    )
    next(p for p in tmp_path.iterdir() if p != path).unlink()
    with pytest.raises(ModelError, match=r"net\.onnx"):
        read_float_model(path)


TRANSPOSED = {
    "usual in PyTorch": {"kernel": 3, "pads": [1] * 4, "output_padding": [1, 1]},
    "as SAME": {"kernel": 4, "pads": [1] * 4},
    "bias alone at the end": {"kernel": 4, "output_padding": [1, 1]},
    "more at the end than is cut": {"kernel": 3, "pads": [1, 0, 0, 0], "output_padding": [1, 1]},
    "auto_pad": {"kernel": 3, "auto_pad": "SAME_UPPER"},
    "output_shape and auto_pad": {
        "kernel": 4,
        "output_shape": [9, 7],
        "auto_pad": "SAME_UPPER",
    },
}


@pytest.mark.parametrize("case", TRANSPOSED)
def test_a_transposed_convolution_of_any_padding(case: str) -> None:
    """An auto_pad or output_shape that is not looked at gives an image of another size."""
    pytest.importorskip("tflite_micro", reason="needs the tflite-micro package")
    attributes = dict(TRANSPOSED[case])
    kernel = attributes.pop("kernel")
    g = OnnxGraph((1, 3, 5, 4))
    weights = g.weights(3, 2, kernel, kernel)
    y = g.add("ConvTranspose", ["x", weights, g.weights(2)], strides=[2, 2], **attributes)
    data = g.finish(y)
    model = read_onnx(data)
    x = samples(model, 4)
    wanted = run(data, x).transpose(0, 2, 3, 1)
    ours = run_float(model.graph, model.samples(x))
    np.testing.assert_allclose(ours.reshape(wanted.shape), wanted, atol=2e-6)
    result = quantize(model, x)
    assert result.report.output_shape == (1, *wanted.shape[1:])
    tflite = result.tflite
    converted = api.convert(tflite)
    inputs = api.random_inputs_for(converted, 5)
    assert api.verify_against_tflm(tflite, converted, inputs).differing_bytes == 0


def refused(shape: tuple, kind: str, *, opset: int = 18, **attributes: object) -> bytes:
    g = OnnxGraph(shape, opset=opset)
    return g.finish(g.add(kind, ["x"], **attributes))


def _padded_beyond_reason() -> bytes:
    g = OnnxGraph((1, 2, 3, 3))
    widths = g.constant(np.array([0, 0, 1, 0, 0, 0, 1 << 23, 2], dtype=np.int64))
    return g.finish(g.add("Pad", ["x", widths]))


REFUSED = {
    "too large": (_padded_beyond_reason, "at most 16777216 elements"),
    "unknown op": (lambda: refused((1, 4), "Cos"), r"Cos \(Cos_v0\) is not supported"),
    "batch": (lambda: refused((8, 4), "Relu"), "batch of 1"),
    "unknown size": (lambda: refused((1, "width"), "Relu"), "batch of 1 and else known sizes"),
    "softmax of rows": (
        lambda: refused((1, 3, 4, 4), "Softmax", axis=2),
        "only over the channels",
    ),
    "softmax of old opsets": (
        lambda: refused((1, 3, 4, 4), "Softmax", opset=12, axis=1),
        "over all axes from 1 on: export with opset 13",
    ),
    "moved numbers": (
        lambda: _moved(),
        "a transposition at run time is not supported",
    ),
}


def _moved() -> bytes:
    g = OnnxGraph((1, 4, 6, 5))
    y = g.add("Transpose", [g.add("Relu", ["x"])], perm=[0, 2, 1, 3])
    return g.finish(g.add("Conv", [y, g.weights(2, 6, 1, 1)]))


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_named(case: str) -> None:
    make, message = REFUSED[case]
    with pytest.raises(ModelError, match=message):
        read_onnx(make())


def test_a_damaged_file_is_one_error() -> None:
    rng = np.random.default_rng(5)
    data = MODELS["residual"]()
    errors = 0
    for _ in range(150):
        broken = bytearray(data[: len(data) if rng.integers(2) else rng.integers(1, len(data))])
        broken[rng.integers(len(broken))] = rng.integers(256)
        try:
            model = read_onnx(bytes(broken))
            quantize(model, np.ones((2, *model.file_shape), dtype=np.float32))
        except ToolError as error:
            errors += 1
            assert str(error)
    assert errors > 50


def test_a_real_pytorch_export_is_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs PyTorch (it is no dependency)")
    pytest.importorskip("onnxscript", reason="torch.onnx.export needs the onnxscript package")
    torch.manual_seed(0)
    nn = torch.nn
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4), nn.ReLU6(),
        nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.Hardswish(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16, 3), nn.Softmax(1),
    ).eval()  # fmt: skip
    path = tmp_path / "net.onnx"
    torch.onnx.export(net, (torch.zeros(1, 1, 8, 8),), path)
    x = np.random.default_rng(0).standard_normal((5, 1, 8, 8)).astype(np.float32)
    model = read_float_model(path)
    wanted = net(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(run_float(model.graph, model.samples(x)), wanted, atol=2e-6)
