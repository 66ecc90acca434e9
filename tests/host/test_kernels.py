"""The portable C of the kernels against NumPy and TFLM, hostile files, sizes of modules."""

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
from kernel_library import SCALAR, Library, build
from random_ops import OPS

from hedgerow import paths
from hedgerow.convert import convert as api
from hedgerow.errors import ToolchainError
from hedgerow.toolchain import natmod
from hedgerow.toolchain.mpy import compile_mpy

_HERE = Path(__file__).resolve().parent
_LIMITS_BYTES = {False: 16 * 1024, True: 6 * 1024}  # of armv6m: all ops; those of MLPerf Tiny
_FUZZ_MUTATIONS = 3000
_SOAK_MUTATIONS = 1_000_000
_SOAK_CHUNK = 20_000
_HOST_ARCHES = ("armv7m", "x64") if platform.machine() == "x86_64" else ("armv7m",)

pytestmark = [
    pytest.mark.skipif(not shutil.which("make"), reason="make is missing"),
    pytest.mark.skipif(not shutil.which("cc"), reason="a C compiler, cc, is missing"),
]


@pytest.fixture(scope="module", params=["long", "short"])
def portable(request, tmp_path_factory) -> Library:
    """arch/*_generic.c, as RISC-V and Cortex-M3 have it; short: multiplying as Cortex-M0+ must."""
    flags = {"long": (), "short": ("CFLAGS_EXTRA=-DHG_SHORT_MULTIPLY=1",)}[request.param]
    return Library(build(tmp_path_factory.mktemp(request.param), *flags, arch="armv7m"))


@pytest.mark.parametrize("name", LAYERS)
def test_layer_equals_definition(name, portable):
    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, 2**32 - 1))
    def check(seed):
        hgm, x, wanted = sample(name, seed)
        np.testing.assert_array_equal(portable.infer(hgm, x, SCALAR), wanted)
        np.testing.assert_array_equal(portable.infer(hgm, x, SCALAR, rows=2), wanted)

    check()


@pytest.mark.parametrize("kind", sorted(OPS))
def test_random_op_equals_tflm(kind, portable):
    for seed in range(12):
        tflite = OPS[kind](np.random.default_rng(seed))
        result = api.convert(tflite)
        tensor = result.graph.tensors[result.graph.input]
        limits = np.iinfo(tensor.dtype)
        rng = np.random.default_rng(seed)
        x = rng.integers(limits.min, limits.max + 1, (1, tensor.elements), dtype=tensor.dtype)
        wanted = api.run_tflm(tflite, x).reshape(-1).view(np.int8)
        np.testing.assert_array_equal(portable.infer(result.hgm, x[0], SCALAR), wanted)


def test_opcode_that_the_small_build_lacks_touches_nothing(tmp_path):
    small = Library(build(tmp_path, "SMALL=1", arch="armv7m"))
    table = api.convert(OPS["unary"](np.random.default_rng(1))).hgm
    with pytest.raises(AssertionError, match="opcode 7 is not in the library"):
        small.infer(table, np.zeros(256, dtype=np.int8), SCALAR)


@pytest.mark.parametrize("arch", _HOST_ARCHES)
def test_hostile_files_stay_in_bounds(tmp_path, arch):
    ran = _fuzz(_sanitized(tmp_path, arch), 0, _FUZZ_MUTATIONS)
    assert ran > _FUZZ_MUTATIONS // 20  # else the mutations test the reader only


@pytest.mark.soak
@pytest.mark.parametrize("arch", _HOST_ARCHES)
def test_a_million_hostile_files_stay_in_bounds(tmp_path, arch):
    library = _sanitized(tmp_path, arch)
    for seed in range(1, 1 + _SOAK_MUTATIONS // _SOAK_CHUNK):
        assert _fuzz(library, seed, _SOAK_CHUNK) > 0


def _sanitized(folder: Path, arch: str) -> Path:
    return build(folder, "SANITIZE=hostile", arch=arch)


def _fuzz(library: Path, seed: int, count: int) -> int:
    """Mutations that ran, of count."""
    preload = ":".join(_library_of(name) for name in ("libasan.so", "libubsan.so"))
    env = dict(os.environ, LD_PRELOAD=preload, ASAN_OPTIONS="detect_leaks=0")
    command = [sys.executable, str(_HERE / "kernels_fuzz.py"), str(library), str(seed), str(count)]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return int(done.stdout)


def _library_of(name: str) -> str:
    """Path of one of the compiler's own libraries; skips if it is not there."""
    command = ["cc", f"-print-file-name={name}"]
    path = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if not Path(path).is_file():
        pytest.skip(f"the compiler's {name} is missing")
    return path


@pytest.mark.parametrize("small", [False, True])
def test_module_of_cortex_m0_is_small(small):
    assert natmod.native_module("armv6m", small=small).stat().st_size <= _LIMITS_BYTES[small]


def test_unknown_architecture_is_named():
    with pytest.raises(ToolchainError, match="no kernels for 'mips'; there are x64, armv6m"):
        natmod.native_module("mips")


@pytest.mark.parametrize("arch", natmod.PREBUILT)
def test_prebuilt_module_is_what_the_sources_give(arch):
    index = natmod.prebuilt_index()
    assert index["sources"] == natmod.source_hash(), "run `hedgerow toolchain kernels --prebuilt`"
    program, here = natmod.compiler_of(arch), natmod.compilers()
    if program not in here:
        pytest.skip(f"{program} is missing")
    if index["compilers"][program] != here[program]:
        pytest.skip(f"prebuilt by {index['compilers'][program]}, another compiler is here")
    prebuilt = natmod.native_module(arch).read_bytes()
    assert natmod.native_module(arch, force=True).read_bytes() == prebuilt


@pytest.mark.parametrize(
    "source", sorted((paths.firmware_dir() / "hedge/infer").glob("viper*.py"))
)
def test_viper_kernels_compile_for_esp32(source, tmp_path, micropython):
    """What runs on an ESP32 where the native module does not fit."""
    compile_mpy(source, tmp_path / "module.mpy", arch="xtensawin")
    assert (tmp_path / "module.mpy").stat().st_size > 0
