"""No driver needs an int of more than 31 bits in a read, unless it says so (alloc_bytes).

The drivers run against their simulated chips over the points of the battery, range ends included,
with each operator watched (small_ints.py). CPython with the shims of the unit tests, in a process
of its own: those add names to `time` and `asyncio`.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hedgerow import paths
from hedgerow.drivers import drivers

HERE = Path(__file__).parent
UNIT = HERE.parent / "unit"

PROGRAM = """
import json, re, sys, unittest
import micropython  # the shim: adds MicroPython's names to time and asyncio
import driver_battery, driver_rows, small_ints
from test_driver_battery import ROWS

def with_bases(name):
    "Modules beside it that it imports from, first, then itself."
    source = open(driver_rows.driver_module(name).__file__).read()
    order = []
    for base in re.findall(r"from [.](\\w+) import", source):
        order += [part for part in with_bases(base) if part not in order]
    return [*order, name]

found = {}
for row in ROWS:
    name = row["driver"]
    parts = ["hedge.drivers." + part for part in with_bases(name)]
    with small_ints.watched(*parts) as worst:
        case = next(iter(driver_battery.cases((row,)).values()))
        for test in ("test_points", "test_published_examples"):
            result = unittest.TestResult()
            case(test).run(result)
            assert not result.failures and not result.errors, (name, result)
    if worst.bits > found.get(name, [-1])[0]:
        found[name] = [worst.bits, worst.where]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def widest():
    """driver -> (bits of its widest int, file:line)."""
    folders = [HERE.parent / "shim" / "cpython", UNIT, HERE, paths.emulate_dir()]
    lines = "".join(f"sys.path.insert(0, {str(folder)!r})\n" for folder in folders)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{lines}{PROGRAM}"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_every_sensor_driver_was_watched(widest):
    assert set(widest) == {n for n, entry in drivers().items() if entry["kind"] == "sensor"}


@pytest.mark.parametrize("name", [n for n, e in drivers().items() if e["kind"] == "sensor"])
def test_ints_are_small_on_a_32_bit_board(widest, name):
    bits, where = widest[name]
    if drivers()[name]["alloc_bytes"]:
        assert bits > 31, f"{name} needs {bits} bits: alloc_bytes is not needed"
    else:
        assert bits <= 31, f"{where} needs {bits} bits: an int on the heap of a 32-bit board"
