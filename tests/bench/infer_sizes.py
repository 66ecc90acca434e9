"""Bytes: arena and file of the MLPerf Tiny models, kernels, RAM beside the arena; convert in s.

python tests/bench/infer_sizes.py
"""

import json
import statistics
import time
from pathlib import Path

from shared_models import mlperf_tiny

from hedgerow.convert import convert as api
from hedgerow.infer.batch import run
from hedgerow.infer.model_file import parse_model
from hedgerow.toolchain.natmod import native_module

_ARENA_LIMITS = {"kws": 10_000, "vww": 38_400, "ic": 34_000, "ad": 768, "sww": 4_000}
_FILE_OVER_CONSTANTS = 1.1
_CONVERT_LIMIT_S = 2.0
_PERSISTENT_LIMIT_BYTES = 256
_KERNEL_LIMITS = {"all ops": (False, 16 * 1024), "MLPerf ops": (True, 6 * 1024)}
_ROUNDS = 3


def measure() -> list[dict]:
    """Rows for build/bench.json."""
    rows = [row for name, path in mlperf_tiny().items() for row in _model(name, path)]
    return rows + _kernels()


def _model(name: str, path: Path) -> list[dict]:
    tflite, seconds = path.read_bytes(), []
    for _ in range(_ROUNDS):
        begin = time.perf_counter()
        result = api.convert(tflite)
        seconds.append(time.perf_counter() - begin)
    report = result.report
    limit = int(report.constant_bytes * _FILE_OVER_CONSTANTS)
    gone = report.eliminated
    return [
        _row(f"size.{name}.arena", report.arena_bytes, "bytes", _ARENA_LIMITS[name]),
        _row(f"size.{name}.file", report.flash_bytes, "bytes", limit),
        _row(f"size.{name}.constants", report.constant_bytes, "bytes"),
        _row(f"size.{name}.macs", report.macs, f"multiply-adds of {gone.macs_before:,}"),
        _row(f"size.{name}.convert", round(statistics.median(seconds), 3), "s", _CONVERT_LIMIT_S),
        *_on_pico(name, result.hgm, report.input_bytes),
    ]


def _on_pico(name: str, hgm: bytes, input_bytes: int) -> list[dict]:
    """The model lies in memory-mapped flash: bytes of weights copied would show as RAM."""
    outcome = run(parse_model(hgm), api.random_inputs(1, input_bytes), "pico")
    how = "emulated pico, model used in memory-mapped flash"
    beside, heap = outcome.persistent_bytes, outcome.heap_bytes_per_invoke
    return [
        _row(f"ram.{name}.beside_arena", beside, "bytes", _PERSISTENT_LIMIT_BYTES, how),
        _row(f"ram.{name}.per_invoke", heap, "bytes", 0, how),
    ]


def _kernels() -> list[dict]:
    """The code that a board copies to RAM; a .mpy is a little more."""
    rows = []
    for name, (small, limit) in _KERNEL_LIMITS.items():
        size = native_module("armv6m", small=small).stat().st_size
        rows.append(_row(f"size.kernels.armv6m, {name}", size, "bytes of .mpy", limit))
    return rows


def _row(name: str, value: float, unit: str, limit: float | None = None, how: str = "") -> dict:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "how": how or None}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
