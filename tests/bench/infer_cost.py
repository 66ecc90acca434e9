"""What an op costs on each emulated board: measured by layer, fitted by kind, for convert.

    python tests/bench/infer_cost.py            # print the fit and how far it is off
    python tests/bench/infer_cost.py --write    # renew host_tools/hedgerow/convert/cost.json

`cycles = per_op + per_work * work + per_output * outputs`, no term below zero, over the layers of
the MLPerf Tiny models, each error relative to the layer; kinds that they lack, and POOL, whose
windows they have few of, over random single ops of tests/host. Not part of `make bench`: it has no
measure(), as it changes only when kernels do.
"""

import datetime
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.optimize import nnls
from shared_models import mlperf_tiny

from hedgerow.convert import convert as api
from hedgerow.convert.convert import Conversion
from hedgerow.convert.cost import COST_FILE
from hedgerow.convert.emit import RECORDS
from hedgerow.convert.emit.words import Constants, Source
from hedgerow.convert.report import work_of
from hedgerow.infer.board import layer_counts
from hedgerow.infer.model_file import parse_model

sys.path.append(str(Path(__file__).resolve().parent.parent / "host"))
from random_ops import OPS

_CLOCKS_HZ = {"pico": 125_000_000, "qemu-m3": None, "qemu-m4": None, "qemu-rv32": None}
_OF_MODELS = ("add", "conv", "depthwise", "softmax")  # kinds that are fitted on whole models
_RANDOM_OF_EACH = 5
Sample = tuple[str, float, float, float, float]  # kind, 1, work, outputs, cycles


def main(*arguments: str) -> None:
    found = {board: _fit_board(board) for board in _CLOCKS_HZ}
    text = json.dumps(found, indent=1) + "\n"
    if "--write" in arguments:
        COST_FILE.write_text(text, encoding="utf-8")
    print(text)


def _random_ops() -> list[Conversion]:
    made = (OPS[name](np.random.default_rng(i)) for name in OPS for i in range(_RANDOM_OF_EACH))
    found = [api.convert(data) for data in made]
    return [one for one in found if any(op.kind not in _OF_MODELS for op in one.device_graph.ops)]


def _fit_board(board: str) -> dict:
    print(board, file=sys.stderr)
    models = [api.convert(path.read_bytes()) for path in mlperf_tiny().values()]
    small = _random_ops()
    counts, unit = layer_counts([parse_model(one.hgm) for one in (*models, *small)], board)
    layers = [list(_samples(*pair)) for pair in zip((*models, *small), counts, strict=True)]
    rows: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for i, of_model in enumerate(layers):
        for kind, *row in of_model:
            if i < len(models) or kind not in _OF_MODELS:
                rows[kind].append(tuple(row))
    kinds = {kind: _fit(found) for kind, found in sorted(rows.items())}
    return {
        "clock_hz": _CLOCKS_HZ[board],
        "unit": unit,
        "firmware": "MicroPython 1.25, native kernels, no flash wait states",
        "date": datetime.date.today().isoformat(),
        "worst_model_error": max(_error(kinds, one) for one in layers[: len(models)]),
        "kinds": kinds,
    }


def _samples(result: Conversion, counts: list[int]) -> Iterator[Sample]:
    """One of each layer; a move is several records."""
    graph, at = result.device_graph, 0
    for op in graph.ops:
        records = len(RECORDS[op.kind](Source(result.plan, op, Constants(0))))
        outputs = graph.tensors[op.outputs[0]].elements
        yield op.kind, 1, work_of(graph, op), outputs, sum(counts[at : at + records])
        at += records
    assert at == len(counts)


def _fit(rows: list[tuple[float, ...]]) -> list[float]:
    """[per op, per work, per output], of least relative error."""
    table = np.array(rows, dtype=float)
    weight = 1 / table[:, 3:]
    solution, _ = nnls(table[:, :3] * weight, np.ones(len(table)))
    return [round(float(value), 3) for value in solution]


def _error(kinds: dict[str, list[float]], layers: list[Sample]) -> float:
    predicted = sum(np.dot(kinds[kind], row[:3]) for kind, *row in layers)
    return round(abs(float(predicted) / sum(row[-1] for _, *row in layers) - 1), 3)


if __name__ == "__main__":
    main(*sys.argv[1:])
