"""Values that differ from the tflite-micro wheel: every model, each kind of kernel and board.

python tests/bench/infer_exact.py unix
"""

import json
import sys
from pathlib import Path

import numpy as np
from shared_models import all_models

from hedgerow.convert import convert as api
from hedgerow.errors import ToolError
from hedgerow.infer.batch import run
from hedgerow.infer.model_file import ModelFile, parse_model

_ON_UNIX, _ON_BOARDS = 1000, 20  # inputs
# target, path, inputs
RUNS = (
    ("unix", "native", _ON_UNIX),
    ("unix", "viper", _ON_UNIX),
    ("pico", "native", _ON_BOARDS),
    ("qemu-m3", "native", _ON_BOARDS),
    ("qemu-m4", "native", _ON_BOARDS),
    ("qemu-rv32", "native", _ON_BOARDS),
)


def measure(targets: tuple[str, ...] = ()) -> list[dict]:
    """Rows for build/bench.json."""
    runs = [row for row in RUNS if not targets or row[0] in targets]
    return [row for name, path in all_models().items() for row in _rows(name, path, runs)]


def _rows(name: str, path: Path, runs: list[tuple[str, str, int]]) -> list[dict]:
    tflite = path.read_bytes()
    model = parse_model(api.convert(tflite).hgm)
    count = max(n for _, _, n in runs)
    inputs = _random(model, count)
    wanted = api.run_tflm(tflite, inputs)
    rows = []
    for target, kernels, n in runs:
        try:
            got = run(model, inputs[:n], target, kernels).outputs
        except ToolError as error:
            print(f"exact.{name}.{target}: not measured: {error}", file=sys.stderr)
            continue
        rows.append(_row(f"exact.{name}.{target}.{kernels}", n, int((got != wanted[:n]).sum())))
    return rows


def _random(model: ModelFile, count: int) -> np.ndarray:
    limits, shape = np.iinfo(model.input_dtype), (count, model.input_size)
    rng = np.random.default_rng(1)
    return rng.integers(limits.min, limits.max, shape, model.input_dtype, endpoint=True)


def _row(name: str, n: int, differing: int) -> dict:
    how = f"{n} random inputs; peer: tflite-micro wheel, reference kernels"
    return {"name": name, "value": differing, "unit": "differing values", "limit": 0, "how": how}


if __name__ == "__main__":
    print(json.dumps(measure(tuple(sys.argv[1:])), indent=1))
