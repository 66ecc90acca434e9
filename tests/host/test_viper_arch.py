"""The viper kernels compile for every processor and hand on no addresses; hedge.dsp is empty."""

import ast
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


@pytest.mark.parametrize("room", ROOMS)
def test_no_address_crosses_from_one_function_to_another(room):
    """It would be boxed on the heap where RAM lies at 2**30 or above: ESP32-C6, QEMU's RV32."""
    crossing = []
    for file in sorted((paths.firmware_dir() / "hedge" / room).glob("viper*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                crossing += [f"{file.name}: {node.name}: {call}" for call in crossings(node)]
    assert crossing == []


def test_crossing_addresses_are_seen():
    source = "def f(a: ptr8, b, n: int):\n    x = int(a) + n\n    g(%s)\n    return x - int(a)"
    told = [crossings(ast.parse(source % given).body[0]) for given in ("a", "x + 1", "b", "a[n]")]
    assert told == [["g(a)"], ["g(x + 1)"], [], []]
    assert crossings(ast.parse("def f(a: ptr8):\n    return int(a)").body[0]) == ["int(a)"]


CASTS = ("ptr8", "ptr16", "ptr32")


def crossings(function: ast.FunctionDef) -> list[str]:
    """Calls and results of a viper function that hold an address."""
    names = {a.arg for a in function.args.args if getattr(a.annotation, "id", "") in CASTS}
    nodes = [node for node in ast.walk(function) if hasattr(node, "lineno")]
    for node in sorted(nodes, key=lambda node: node.lineno):
        if isinstance(node, ast.Assign | ast.AugAssign) and is_address(node.value, names):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            names |= {target.id} if isinstance(target, ast.Name) else set()
    found = []
    for node in nodes:
        if isinstance(node, ast.Return):
            given = [node.value]
        elif isinstance(node, ast.Call) and node.func.id not in (*CASTS, "int"):
            given = node.args
        else:
            continue
        if any(is_address(part, names) for part in given):
            found.append(ast.unparse(node).removeprefix("return "))
    return found


def is_address(node: ast.expr | None, names: set[str]) -> bool:
    """Whether a pointer, or an int made of one; an element read through it is none."""
    if isinstance(node, ast.Name):
        return node.id in names
    if isinstance(node, ast.Call):
        held = any(is_address(part, names) for part in node.args)
        return node.func.id in CASTS or (node.func.id == "int" and held)
    if isinstance(node, ast.BinOp):
        left, right = is_address(node.left, names), is_address(node.right, names)
        return left != right if isinstance(node.op, ast.Sub) else left or right
    return False
