"""Which kernels a Model takes on the Unix port, and what it says of a wrong native module."""

import json
import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from hedgerow import paths
from hedgerow.errors import ToolchainError
from hedgerow.toolchain.natmod import native_module
from hedgerow.toolchain.unix import find_micropython

_OPS = json.loads((Path(__file__).parent.parent / "unit" / "infer_ops.json").read_text())
_NAME = "hedge_infer_native"
# firmware/kernels/README.md: the small build has CONV, DEPTHWISE, POOL, ADD and SOFTMAX.
_SMALL_HAS = ("fully_connected", "pool", "softmax")
_SMALL_LACKS = ("lstm", "mean", "unary")
_PROGRAM = """
import binascii, json, sys
from hedge.core.errors import ModelError
from hedge.infer import Model
case = json.load(open(sys.argv[1]))[sys.argv[2]]
try:
    model = Model(binascii.unhexlify(case["hgm"]), kernels=eval(sys.argv[3]))
except ModelError as error:
    print("ModelError: %s" % error)
else:
    began = model.kernels
    for x, y in zip(case["input"], case["output"]):
        model.reset()
        memoryview(model.input)[:] = bytearray(binascii.unhexlify(x))
        model.invoke()
        assert binascii.hexlify(model.output).decode() == y
    print(began, model.kernels)
"""


@pytest.fixture
def folder(tmp_path):
    """Where the Unix port finds its native module."""
    if platform.machine() != "x86_64":
        pytest.skip("needs the native module of this processor: made for x86_64 only")
    return tmp_path


def _install(folder, arch, **options):
    try:
        module = native_module(arch, **options)
    except ToolchainError as missing:
        pytest.skip(f"no native module to load: {missing}")
    shutil.copyfile(module, folder / f"{_NAME}.mpy")


def _said(folder, op="conv", kernels=None):
    """Lines that a Model of this op printed."""
    env = dict(os.environ, MICROPYPATH=f"{folder}:{paths.firmware_dir()}:.frozen")
    cases = Path(__file__).parent.parent / "unit" / "infer_ops.json"
    script = folder / "program.py"
    script.write_text(_PROGRAM)
    command = [find_micropython(), script, cases, op, repr(kernels)]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("op", _OPS)
def test_a_full_build_runs_every_op(folder, op):
    _install(folder, "x64")
    assert _said(folder, op) == ["native native"]


@pytest.mark.parametrize("op", [*_SMALL_HAS, *_SMALL_LACKS])
def test_a_small_build_hands_over_what_it_lacks(folder, op):
    _install(folder, "x64", small=True)
    began, runs = _said(folder, op)[0].split()
    assert runs == ("native" if op in _SMALL_HAS else "viper")
    assert began == ("viper" if op == "lstm" else "native")  # its reset is a FILL, at load


def test_a_module_for_another_processor_is_told_and_skipped(folder):
    _install(folder, "armv6m")
    told, ran = _said(folder)
    assert "hedge_infer_native.mpy is not for this board: incompatible .mpy" in told
    assert ran == "viper viper"
    (told,) = _said(folder, kernels="native")
    assert told.startswith("ModelError: hedge_infer_native.mpy is not for this board")


def test_a_module_of_another_abi_is_refused(folder):
    (folder / f"{_NAME}.py").write_text("def abi():\n    return 3\n")
    (told,) = _said(folder)
    assert told == "ModelError: kernel module speaks ABI 3, this firmware 2: reinstall both"


def test_no_module_is_no_error_unless_asked_for(folder):
    assert _said(folder) == ["viper viper"]
    (told,) = _said(folder, kernels="native")
    assert told == "ModelError: no kernel module: install hedge_infer_native.mpy"
