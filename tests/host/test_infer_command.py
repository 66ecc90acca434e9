"""`hedgerow infer`: outputs and figures of each target here; what it says to wrong input."""

import json
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from random_ops import OPS

from hedgerow.cli.infer import command
from hedgerow.convert import convert as api
from hedgerow.errors import ModelError
from hedgerow.infer.batch import run
from hedgerow.infer.model_file import parse_model, read_inputs

SOIL_DRY = Path(__file__).resolve().parent.parent.parent / "models" / "soil_dry"
KEYS = {
    "n",
    "us_per_inference",
    "cycles_per_inference",
    "arena_bytes",
    "persistent_bytes",
    "heap_bytes_per_invoke",
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    target = tmp_path / "soil_dry.hgm"
    target.write_bytes((SOIL_DRY / "soil_dry.hgm").read_bytes())
    return target


def _infer(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(a) for a in arguments])


def _saved(folder: Path, values: np.ndarray) -> Path:
    path = folder / "in.npy"
    np.save(path, values)
    return path


@pytest.mark.parametrize("target", ["reference", "unix"])
def test_outputs_equal_tflm_and_figures_are_there(model: Path, target: str) -> None:
    inputs = api.random_inputs(25, 7)
    out = model.with_name("out.npy")
    where = ("--input", _saved(model.parent, inputs), "--output", out)
    done = _infer(model, *where, "--on", target, "--json")
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert figures.keys() >= KEYS
    assert (figures["n"], figures["arena_bytes"]) == (25, 24)
    wanted = api.run_tflm((SOIL_DRY / "soil_dry.tflite").read_bytes(), inputs)
    assert np.array_equal(np.load(out), wanted)
    assert np.load(out).dtype == np.int8


def test_an_arena_too_large_for_the_board_is_said_in_one_line(model: Path) -> None:
    data = bytearray(model.read_bytes())
    struct.pack_into("<I", data, 16, 1 << 24)  # SPEC.md: arena_bytes, and the CRC of what follows
    struct.pack_into("<I", data, 12, zlib.crc32(data[16:]))
    model.write_bytes(data)
    source = _saved(model.parent, api.random_inputs(1, 7))
    done = _infer(model, "--input", source, "--output", model.with_name("out.npy"))
    assert str(done.exception) == "unix: arena of 16777216 bytes does not fit in the heap"
    assert isinstance(done.exception, ModelError)


@pytest.mark.parametrize("path", ["native", "viper"])
def test_paths_of_the_unix_port(model: Path, path: str) -> None:
    loaded = parse_model(model.read_bytes())
    outcome = run(loaded, api.random_inputs(5, 7), "unix", path)
    assert outcome.kernels == path
    assert outcome.heap_bytes_per_invoke == 0
    assert 0 < outcome.persistent_bytes <= 256
    assert outcome.us_per_inference is not None and outcome.us_per_inference > 0


def test_any_shape_behind_the_batch(model: Path) -> None:
    inputs = api.random_inputs(3, 7)
    out = model.with_name("out.npy")
    for shape in ((3, 7), (3, 1, 7), (3, 7, 1, 1)):
        source = _saved(model.parent, inputs.reshape(shape))
        done = _infer(model, "--input", source, "--output", out, "--on", "reference")
        assert done.exit_code == 0, done.output
        assert np.load(out).shape == (3, 3)


def test_any_byte_order_and_memory_order(tmp_path: Path) -> None:
    tflite = OPS["requantize"](np.random.default_rng(0))
    wide = parse_model(api.convert(tflite).hgm)
    inputs = api.random_inputs(3, wide.input_size, dtype="int16")
    for stored in (inputs.astype(">i2"), np.asfortranarray(inputs)):
        read = read_inputs(_saved(tmp_path, stored), wide)
        assert read.dtype == "<i2" and np.array_equal(read, inputs)


BAD_INPUTS = {
    "rank": (np.zeros(7, np.int8), r"holds \(7,\) int8, the model takes \(n, 7\) int8"),
    "size": (np.zeros((2, 8), np.int8), r"holds \(2, 8\) int8"),
    "float": (np.zeros((2, 7), np.float32), "float32.*quantise it"),
    "uint8": (np.zeros((2, 7), np.uint8), "uint8"),
    "none": (np.zeros((0, 7), np.int8), r"\(0, 7\)"),
}


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_wrong_inputs_are_named(model: Path, name: str) -> None:
    values, wanted = BAD_INPUTS[name]
    out = model.with_name("out.npy")
    done = _infer(model, "--input", _saved(model.parent, values), "--output", out)
    assert re.search(wanted, str(done.exception)), done.exception
    assert getattr(done.exception, "exit_code", None) == 2
    assert not out.exists()


def test_files_that_are_not_what_they_should_be(model: Path, tmp_path: Path) -> None:
    good = _saved(tmp_path, np.zeros((1, 7), np.int8))
    junk = tmp_path / "junk.npy"
    junk.write_bytes(b"not an array")
    pickled = tmp_path / "pickled.npy"
    np.save(pickled, np.array([{}], dtype=object), allow_pickle=True)
    zipped, no_type = tmp_path / "zipped.npy", tmp_path / "no_type.npy"
    with zipped.open("wb") as file:
        np.savez(file, x=np.zeros((1, 7), np.int8))
    no_type.write_bytes(good.read_bytes().replace(b"|i1", b"'i1"))
    damaged = tmp_path / "damaged.hgm"
    damaged.write_bytes(model.read_bytes()[:-1])
    out = tmp_path / "out.npy"
    cases = (
        (model, junk, out, 2, "junk.npy"),
        (model, pickled, out, 2, "pickled.npy"),
        (model, zipped, out, 2, "zipped.npy"),
        (model, no_type, out, 2, "no_type.npy"),
        (model, tmp_path / "absent.npy", out, 2, "absent.npy"),
        (model, good, good, 2, "written over itself"),
        (damaged, good, out, 4, "damaged.hgm"),
        (SOIL_DRY / "soil_dry.tflite", good, out, 4, "hedgerow convert"),
        (tmp_path / "absent.hgm", good, out, 4, "absent.hgm"),
        (model, good, tmp_path / "out.csv", 2, "must end in .npy"),
        (model, good, tmp_path / "no" / "out.npy", 1, "out.npy"),
    )
    for file, source, target, code, text in cases:
        done = _infer(file, "--input", source, "--output", target, "--on", "reference")
        assert done.exception is not None and text in str(done.exception), (text, done.exception)
        assert getattr(done.exception, "exit_code", None) == code, done.exception
    assert not out.exists()


@pytest.mark.parametrize("op", OPS)
def test_each_op_from_the_file_alone_equals_tflm(op: str) -> None:
    """The NumPy target is written from SPEC.md: emit and it must agree on every field."""
    checked = 0
    for seed in range(12):
        tflite = OPS[op](np.random.default_rng(seed))
        result = api.convert(tflite)
        loaded = parse_model(result.hgm)
        limits = np.iinfo(loaded.input_dtype)
        inputs = np.random.default_rng(seed).integers(
            limits.min, limits.max, (3, loaded.input_size), loaded.input_dtype, endpoint=True
        )
        got = run(loaded, inputs, "reference").outputs
        assert np.array_equal(got, api.run_tflm(tflite, inputs)), seed
        checked += 1
    assert checked == 12
