"""The machine code of the ESP32's kernels, executed on a core of QEMU, without MicroPython."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from xtensa import core, image

from hedgerow.convert import convert as api
from hedgerow.toolchain import llvm
from hedgerow.toolchain.natmod import native_module

sys.path.append(str(Path(__file__).resolve().parent.parent / "host"))
from kernel_layers import LAYERS, sample
from random_ops import OPS

_HERE = Path(__file__).resolve().parent
_SEEDS = {"wide_depthwise": 8}  # which takes a second; of the others 40


@pytest.fixture(scope="module")
def module():
    """module(small=False): the .mpy that the project ships."""
    if core.missing():
        pytest.skip(f"not installed: {' '.join(core.missing())} (Debian package)")
    return lambda *, small: native_module("xtensawin", small=small).read_bytes()


@pytest.fixture(params=[False, True], ids=["all", "small"])
def mpy(request, module):
    """Both sizes."""
    return module(small=request.param)


@pytest.mark.parametrize("name", LAYERS)
def test_random_layers_equal_the_definition(module, name):
    """In one go and in slices, both sizes, in turn."""
    for seed in range(_SEEDS.get(name, 40)):
        hgm, x, wanted = sample(name, seed)
        rows, small = seed & 1, bool(seed & 2)
        output = core.run(module(small=small), hgm, x.tobytes(), rows)
        assert output == wanted.tobytes(), (seed, rows, small)


@pytest.mark.parametrize("kind", sorted(OPS))
def test_random_ops_equal_tflm(module, kind):
    """State too: its reset comes first."""
    for seed in range(3):
        tflite = OPS[kind](np.random.default_rng(seed))
        result = api.convert(tflite)
        tensor = result.graph.tensors[result.graph.input]
        x = np.asarray(api.random_inputs(5, result.report.input_bytes)[-1:]).view(tensor.dtype)
        output = core.run(module(small=False), result.hgm, x.tobytes())
        assert output == api.run_tflm(tflite, x).tobytes(), seed


def test_a_core_with_floats_gives_the_same(mpy):
    hgm, x, wanted = sample("conv", 1)
    assert core.run(mpy, hgm, x.tobytes(), core="de233_fpu") == wanted.tobytes()


@pytest.mark.parametrize("name", ["kws_ref_model", "ad01_int8", "str_ww_ref_model"])
def test_models_equal_tflm(mpy, need_shared, name):
    tflite = need_shared(f"models/mlperf_tiny/{name}.tflite").read_bytes()
    result = api.convert(tflite)
    x = np.asarray(api.random_inputs(4, result.report.input_bytes)[-1:])
    assert core.run(mpy, result.hgm, x.tobytes()) == api.run_tflm(tflite, x).tobytes()


def test_an_op_that_a_module_lacks_is_an_exception(mpy):
    """Tells that a wrong module would not pass: exit code 3 of call.S."""
    hgm = bytearray(sample("add", 0)[0])
    hgm[60] = 99  # opcode of the first record
    (count,) = np.frombuffer(hgm, "<u4", 1, 28)
    with pytest.raises(subprocess.CalledProcessError) as error:
        core.run(mpy, bytes(hgm), bytes(int(count)))
    assert error.value.returncode == 3


def test_code_is_what_an_assembler_makes_of_its_source(tmp_path):
    if llvm.version() is None:
        pytest.skip("no LLVM: `hedgerow toolchain kernels --arch xtensawin --force` fetches it")
    options = ["-triple=xtensa", "-mcpu=esp32", "-filetype=obj", "-o", tmp_path / "call.o"]
    source = _HERE / "xtensa" / "call.S"
    subprocess.run([llvm.folder() / "llvm-mc", *options, source], check=True)
    assert bytes(4 * len(image.WORDS)) + image.CODE in (tmp_path / "call.o").read_bytes()
