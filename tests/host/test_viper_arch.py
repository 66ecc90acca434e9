"""The viper kernels compile for every processor; importing hedge.dsp costs no heap."""

import os
import subprocess

import pytest

from hedgerow import paths
from hedgerow.toolchain.unix import find_micropython, find_mpy_cross

ROOMS = {"dsp": 5, "infer": 9, "learn": 4}  # files with viper code
ARCHS = ["armv6m", "armv7m", "armv7emsp", "xtensa", "xtensawin", "rv32imc", "x86", "x64"]


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("room", ROOMS)
def test_kernels_compile(room, arch, tmp_path):
    """mpy-cross ends with 0 even where a jump is out of range, so what it says counts."""
    files = sorted((paths.firmware_dir() / "hedge" / room).glob("viper*.py"))
    assert len(files) >= ROOMS[room]
    said = {}
    for file in files:
        command = [find_mpy_cross(), f"-march={arch}", "-o", tmp_path / "out.mpy", file]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode or done.stdout or done.stderr:
            said[file.name] = done.stdout + done.stderr
    assert said == {}


def test_hedge_dsp_itself_is_empty():
    program = "import gc, hedge; gc.collect(); a = gc.mem_alloc(); import hedge.dsp; gc.collect();"
    program += "import sys; print(gc.mem_alloc() - a, [m for m in sys.modules if 'dsp.' in m])"
    env = dict(os.environ, MICROPYPATH=f"{paths.firmware_dir()}:.frozen")
    done = subprocess.run(
        [find_micropython(), "-c", program], env=env, capture_output=True, text=True, check=True
    )
    grown, modules = done.stdout.strip().split(" ", 1)
    assert int(grown) < 1000  # the module object and its names, in 8-byte words
    assert modules == "[]"
