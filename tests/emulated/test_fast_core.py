"""The emulated Pico's own execution of common instructions, against rp2040js's."""

import json
import subprocess
from pathlib import Path

import pytest

import hedgerow.emulate.pico
from hedgerow.toolchain.pico import ensure_pico

HERE = Path(__file__).resolve().parent
INSTRUCTIONS = 8000000  # boot, format, compile, floats, big ints, a file


def test_registers_flags_cycles_and_ram_are_those_of_rp2040js(need_target):
    need_target("pico")
    parts = ensure_pico()
    emulator = Path(hedgerow.emulate.pico.__file__).parent
    command = ["node", HERE / "compare_cores.mjs", parts.rp2040js, parts.boot_rom, parts.firmware]
    done = subprocess.run(
        [*command, emulator, str(INSTRUCTIONS)], capture_output=True, text=True, timeout=120
    )
    found = json.loads(done.stdout or pytest.fail(done.stderr))
    assert found.get("differ") is None
    assert found["compared"] == INSTRUCTIONS
    assert found["left"] < INSTRUCTIONS / 50, "most are to be executed by fast_core.mjs"
