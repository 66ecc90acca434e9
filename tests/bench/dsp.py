"""Time of the DSP front ends: the Unix port beside NumPy in one run, and an emulated board.

python tests/bench/dsp.py            prints the rows
python tests/bench/dsp.py pico       one board of hedgerow.emulate.targets, in its own unit
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hedgerow.convert.dsp import definition, frontend
from hedgerow.emulate.board import Board
from hedgerow.emulate.targets import open_target
from hedgerow.errors import ToolchainError
from hedgerow.infer.board import put_packages

_PROGRAM = Path(__file__).parent / "upy" / "dsp_times.py"
_ROUNDS, _CALLS = 5, 400


def kws_front_end() -> bytes:
    """MLPerf Tiny's 49 x 10 MFCC, with the input quantisation of its model."""
    return frontend.build(definition.SPECS["kws"], 0.5847029, 83)


def times_on(target: str) -> tuple[dict[str, int], str]:
    """(figures by name, their unit) of a board. ToolchainError if a part is missing."""
    with open_target(target) as board:
        put_front_end(board)
        board.exec(_PROGRAM.read_text(encoding="utf-8"))
        calls = 50 if board.cycles_unit == "ns" else 1  # the Unix port's clock steps by 1 us
        clock = f"lambda: {board.cycles_expr}, {board.cycles_wrap}"
        call = f"times('kws.hfe', {clock}, {calls})"
        return json.loads(board.exec(call, timeout_s=200)), board.cycles_unit


def put_front_end(board: Board) -> None:
    """Write hedge.dsp, compiled for the board, and kws.hfe into its files."""
    put_packages(board, ("core", "dsp"))
    board.put("kws.hfe", kws_front_end())


def measure() -> list[dict]:
    """Rows for build/bench.json; a board that is not here has no rows, and says so."""
    got, _ = times_on("unix")
    x = np.random.default_rng(1).integers(-8192, 8192, 16000).astype(np.int16)
    window = np.hanning(512)
    peer = _median_us(lambda: np.fft.rfft(x[:512] * window))
    rows = [_row("dsp.fft512.viper", got["fft512"] / 1000, "us", ("numpy.fft.rfft", peer))]
    spec = definition.SPECS["kws"]
    peer = _median_us(lambda: definition.features_of(spec, x[:480]), calls=50)
    how = ("the definition in NumPy, one frame", peer)
    rows.append(_row("dsp.mfcc_frame.viper", got["frame"] / 1000, "us", how))
    rows += [
        _row(f"dsp.{name}.viper", got[name] / 1000, "us")
        for name in ("vector", "biquad_1024", "fir32_1024")
    ]
    try:
        figures, unit = times_on("pico")
    except ToolchainError as missing:
        print(f"dsp: no rows of the emulated Pico: {missing}", file=sys.stderr)
        return rows
    return rows + [_row(f"dsp.{n}.pico", v, f"{unit}s", on="pico") for n, v in figures.items()]


def _median_us(call: Callable[[], object], calls: int = _CALLS) -> float:
    rounds_us = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        for _ in range(calls):
            call()
        rounds_us.append((time.perf_counter() - start) / calls * 1e6)
    return statistics.median(rounds_us)


def _row(
    name: str,
    value: float,
    unit: str,
    peer: tuple[str, float] | None = None,
    *,
    on: str = "MicroPython Unix port, same machine, same run",
) -> dict:
    how = "emulated RP2040, flash waits not modelled" if on == "pico" else on
    return {
        "name": name,
        "value": round(value, 2),
        "unit": unit,
        "peer": peer and peer[0],
        "peer_value": peer and round(peer[1], 2),
        "ratio": peer and round(value / peer[1], 2),
        "how": f"viper, {how}; median of 5",
    }


if __name__ == "__main__":
    print(json.dumps(times_on(sys.argv[1]) if sys.argv[1:] else measure(), indent=1))
