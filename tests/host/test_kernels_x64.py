"""Every path of the x86-64 kernels against the NumPy definition, TFLM and AddressSanitizer."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_layers import LAYERS, sample
from kernel_library import LEVELS, Library, build

from hedgerow.convert import convert as api

_HERE = Path(__file__).resolve().parent
_MODELS = (
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

pytestmark = [
    pytest.mark.skipif(platform.machine() != "x86_64", reason="needs an x86-64 processor"),
    pytest.mark.skipif(not shutil.which("make"), reason="make is missing"),
    pytest.mark.skipif(not shutil.which("cc"), reason="a C compiler, cc, is missing"),
]


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    return Library(build(tmp_path_factory.mktemp("kernels")))


@pytest.fixture(params=LEVELS)
def level(request, library) -> int:
    if library.level < LEVELS[request.param]:
        pytest.skip(f"the processor has no {request.param}")
    return LEVELS[request.param]


@pytest.mark.parametrize("name", LAYERS)
def test_layer_equals_definition(name, library, level):
    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, 2**32 - 1))
    def check(seed):
        hgm, x, wanted = sample(name, seed)
        np.testing.assert_array_equal(library.infer(hgm, x, level), wanted)

    check()


@pytest.mark.parametrize("name", ("conv", "depthwise"))
def test_rows_in_slices_equal_the_whole(name, library, level):
    for seed in range(30):
        hgm, x, wanted = sample(name, seed)
        for rows in (1, 3):
            np.testing.assert_array_equal(library.infer(hgm, x, level, rows), wanted)


@pytest.mark.parametrize("name", _MODELS)
def test_model_equals_tflm(name, library, level, need_shared):
    tflite = need_shared(f"models/{name}.tflite").read_bytes()
    result = api.convert(tflite)
    inputs = _inputs(result, 5)
    for x, wanted in zip(inputs, api.run_tflm(tflite, inputs), strict=True):
        found = library.infer(result.hgm, x, level)
        np.testing.assert_array_equal(found, wanted.reshape(-1).view(np.int8))


def _inputs(result: api.Conversion, n: int) -> np.ndarray:
    tensor = result.graph.tensors[result.graph.input]
    rng = np.random.default_rng(0)
    limits = np.iinfo(tensor.dtype)
    return rng.integers(limits.min, limits.max + 1, (n, tensor.elements), dtype=tensor.dtype)


def test_sanitizers_find_nothing(tmp_path):
    sanitizers = [_library_of(name) for name in ("libasan.so", "libubsan.so")]
    library = build(tmp_path, "SANITIZE=1")
    env = dict(os.environ, LD_PRELOAD=":".join(sanitizers), ASAN_OPTIONS="detect_leaks=0")
    command = [sys.executable, str(_HERE / "kernels_asan.py"), str(library), "0", "40"]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def _library_of(name: str) -> str:
    """Path of one of the compiler's own libraries; skips if it is not there."""
    command = ["cc", f"-print-file-name={name}"]
    path = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if not Path(path).is_file():
        pytest.skip(f"the compiler's {name} is missing")
    return path
