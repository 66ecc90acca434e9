"""What an op costs on each emulated board: measured by layer, fitted by kind, for convert.

    python tests/bench/infer_cost.py            # print the fit and how far it is off
    python tests/bench/infer_cost.py --write    # renew host_tools/hedgerow/convert/cost.json

`cycles = per_op + per_mac * macs + per_output * outputs`, no term below zero, over the layers of
the MLPerf Tiny models, each error relative to the layer. Not part of `make bench`: it has no
measure(), as it changes only when kernels do.
"""

import datetime
import json
import sys
from collections import defaultdict

import numpy as np
from scipy.optimize import nnls
from shared_models import mlperf_tiny
from tqdm import tqdm

from hedgerow.convert import convert as api
from hedgerow.convert.cost import COST_FILE
from hedgerow.convert.report import Layer
from hedgerow.infer.board import layer_counts
from hedgerow.infer.model_file import parse_model

_CLOCKS_HZ = {"pico": 125_000_000, "qemu-m3": None, "qemu-m4": None, "qemu-rv32": None}
Sample = tuple[float, float, float, float]  # 1, macs, outputs, cycles


def main(*arguments: str) -> None:
    found = {board: _fit_board(board) for board in _CLOCKS_HZ}
    text = json.dumps(found, indent=1) + "\n"
    if "--write" in arguments:
        COST_FILE.write_text(text, encoding="utf-8")
    print(text)


def _fit_board(board: str) -> dict:
    samples: dict[str, list[Sample]] = defaultdict(list)
    totals, unit = [], ""
    for path in tqdm(mlperf_tiny().values(), desc=board):
        result = api.convert(path.read_bytes())
        counts, unit = layer_counts(parse_model(result.hgm), board)
        totals.append((result.report.layers, sum(counts)))
        for layer, count in zip(result.report.layers, counts, strict=True):
            samples[layer.kind].append((1, layer.macs, layer.output_bytes, count))
    kinds = {kind: _fit(rows) for kind, rows in sorted(samples.items())}
    return {
        "clock_hz": _CLOCKS_HZ[board],
        "unit": unit,
        "firmware": "MicroPython 1.25, native kernels, no flash wait states",
        "date": datetime.date.today().isoformat(),
        "worst_model_error": max(_error(kinds, *total) for total in totals),
        "kinds": kinds,
    }


def _fit(rows: list[Sample]) -> list[float]:
    """[per op, per MAC, per output], of least relative error."""
    table = np.array(rows, dtype=float)
    weight = 1 / table[:, 3:]
    solution, _ = nnls(table[:, :3] * weight, np.ones(len(table)))
    return [round(float(value), 3) for value in solution]


def _error(kinds: dict[str, list[float]], layers: tuple[Layer, ...], measured: int) -> float:
    predicted = sum(
        np.dot(kinds[layer.kind], (1, layer.macs, layer.output_bytes)) for layer in layers
    )
    return round(abs(float(predicted) / measured - 1), 3)


if __name__ == "__main__":
    main(*sys.argv[1:])
