"""Time per prediction of hedge.learn on the Unix port, beside scikit-learn and emlearn's C code.

python tests/bench/learn.py

The forest: 10 trees of depth 6 on digits (64 features), as int16 inputs. emlearn (PyPI) writes it
as C, inline, int16; gcc -O2 compiles it here. Without emlearn (pip install emlearn) or gcc that
row is left out.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets, ensemble, linear_model, naive_bayes, neighbors

from hedgerow.convert.classic import convert_estimator
from hedgerow.emulate.board import Board
from hedgerow.emulate.targets import open_target
from hedgerow.errors import ToolError
from hedgerow.infer.board import put_packages

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "host"))
from learn_board import predict

_SECONDS = 0.3
_DRIVER = """
#include <stdio.h>
#include <time.h>
#include "forest.h"
static const int16_t rows[][64] = {%s};
#define ROWS (int)(sizeof rows / sizeof rows[0])
int main(void) {
    volatile int sink = 0;
    for (int round = 0; round < 5; round++) {
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        for (int i = 0; i < 200000; i++) sink += forest_predict(rows[i %% ROWS], 64);
        clock_gettime(CLOCK_MONOTONIC, &b);
        double us = ((b.tv_sec - a.tv_sec) * 1e6 + (b.tv_nsec - a.tv_nsec) / 1e3) / 200000;
        printf("%%f\\n", us);
    }
}
"""
# The counter around predict() of each row, less two readings in a row; interrupts off.
_PICO = """
from hedge.learn.model import Predictor
model = Predictor(uctypes.bytearray_at({at}, {size}))
def counted(row):
    model.quantise(row)
    state = machine.disable_irq()
    a = {now}
    b = {now}
    model.predict()
    c = {now}
    machine.enable_irq(state)
    return (c - b) % {wrap} - (b - a) % {wrap}
counts = sorted(counted(row) for row in {rows})
print(counts[len(counts) // 2])
"""


def models() -> dict[str, tuple[Any, dict[str, Any]]]:
    """Name -> (estimator, options of convert_estimator); digits are whole numbers 0 .. 16."""
    forest = ensemble.RandomForestClassifier(10, max_depth=6, random_state=0)
    steps = {"steps": [1.0] * 64}
    return {
        "forest_int16": (forest, steps),
        "forest_float32": (forest, {}),
        "logistic": (linear_model.LogisticRegression(max_iter=200), steps),
        "bayes": (naive_bayes.GaussianNB(), steps),
        "neighbours_100": (neighbors.KNeighborsClassifier(3), steps),
    }


def scikit_us(estimator: Any, row: np.ndarray) -> float:
    """Microseconds of predict() of one row, median of five rounds."""
    rounds_us = []
    for _ in range(5):
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < _SECONDS / 5:
            estimator.predict(row)
            count += 1
        rounds_us.append((time.perf_counter() - start) / count * 1e6)
    return statistics.median(rounds_us)


def emlearn_us(forest: Any, rows: np.ndarray) -> float | None:
    """Microseconds of emlearn's generated C; None without emlearn or gcc."""
    try:
        import emlearn
    except ImportError:
        return None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = emlearn.convert(forest, method="inline", dtype="int16_t")
        made.save(file=str(folder / "forest.h"), name="forest")
        cells = ",".join("{" + ",".join(str(int(v)) for v in row) + "}" for row in rows)
        (folder / "main.c").write_text(_DRIVER % cells)
        command = ["gcc", "-O2", "-I", emlearn.includedir, "main.c", "-o", "main", "-lm"]
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"emlearn's C was not compiled: {error}", file=sys.stderr)
            return None
        done = subprocess.run([folder / "main"], check=True, capture_output=True, env=os.environ)
    return statistics.median(map(float, done.stdout.split()))


def measure() -> list[dict]:
    """Rows for build/bench.json."""
    rows, classes = datasets.load_digits(return_X_y=True)
    found = []
    for name, (estimator, options) in models().items():
        kept = slice(0, 100) if name.startswith("neighbours") else slice(None)
        estimator.fit(rows[kept], classes[kept])
        hgl = convert_estimator(estimator, **options)
        labels, _, figures = predict(hgl, rows[:50], timed=True)
        assert np.array_equal(labels, estimator.predict(rows[:50]))
        assert figures["heap_bytes"] == 0
        us = figures["us_per_prediction"]
        found.append(
            _row(name, us, "scikit-learn predict(), one row", scikit_us(estimator, rows[:1]))
        )
        if name == "forest_int16":
            peer = emlearn_us(estimator, rows[:50])
            if peer is not None:
                found.append(_row(f"{name}.c", us, "emlearn inline C, gcc -O2", peer))
            found += [_size(hgl), *_on_pico(hgl, rows[:20])]
    return found


def _on_pico(hgl: bytes, rows: np.ndarray) -> list[dict]:
    """A row for the emulated Pico; none, and why, where it cannot be built."""
    try:
        with open_target("pico") as board:
            put_packages(board, ("core", "dsp", "learn"))
            board.exec("import machine, uctypes")
            cycles = float(board.exec(_pico_program(board, hgl, rows), timeout_s=100))
    except ToolError as error:
        print(f"learn.forest_int16.pico: not measured: {error}", file=sys.stderr)
        return []
    row = _row("forest_int16.pico", cycles / 125, "emlearn inline C on it, its own forest", 31.4)
    return [row | {"how": "emulated Pico, cycles at 125 MHz, viper, no flash wait states"}]


def _pico_program(board: Board, hgl: bytes, rows: np.ndarray) -> str:
    return _PICO.format(
        at=board.blob(hgl),
        size=len(hgl),
        rows=rows.astype(int).tolist(),
        now=board.cycles_expr,
        wrap=board.cycles_wrap,
    )


def _row(name: str, us: float, peer: str, peer_us: float) -> dict:
    return {
        "name": f"learn.{name}",
        "value": round(us, 3),
        "unit": "us per prediction",
        "peer": peer,
        "peer_value": round(peer_us, 3),
        "ratio": round(us / peer_us, 3),
        "how": "digits, 64 features; MicroPython Unix port, viper, predict() of a row in place, "
        "median of 5 rounds; same machine, same run",
    }


def _size(hgl: bytes) -> dict:
    return {
        "name": "learn.forest_int16.file",
        "value": len(hgl),
        "unit": "bytes",
        "how": "the .hgl, used in place from flash",
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
