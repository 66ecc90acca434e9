"""Cycles of one inference on the emulated boards, native kernels, beside TFLM + CMSIS-NN.

python tests/bench/infer_boards.py pico

The peer's figures were measured on the same emulated cores, -O2 (pico: million cycles; M3, M4:
instructions per multiply-add of the model as published); it cannot be built from a package
registry, so they stand here. Flash wait states are not modelled, on neither side.
"""

import json
import sys

import numpy as np
from shared_models import mlperf_tiny

from hedgerow.convert import convert as api
from hedgerow.errors import ToolError
from hedgerow.infer.batch import run
from hedgerow.infer.model_file import parse_model

_PICO_CMSIS_CYCLES = {"kws": 39.5e6, "vww": 118.4e6, "ic": 136.7e6, "ad": 2.36e6}
_PICO_LIMIT_CYCLES = {"kws": 20e6, "vww": 32e6, "ic": 75e6, "ad": 1.6e6}
_CMSIS_PER_MAC = {
    "qemu-m3": {"kws": 3.96, "vww": 4.27, "ic": 3.35, "ad": 3.62},
    "qemu-m4": {"kws": 2.90, "vww": 3.22, "ic": 2.39, "ad": 2.21},
}
BOARDS = ("pico", "qemu-m3", "qemu-m4", "qemu-rv32")


def measure(boards: tuple[str, ...] = BOARDS) -> list[dict]:
    """Rows for build/bench.json. A board that cannot be built is a row less, and says so."""
    rows = []
    for board in boards:
        for name, path in mlperf_tiny().items():
            try:
                rows.append(_row(board, name, path.read_bytes()))
            except ToolError as error:
                print(f"infer.{name}.{board}: not measured: {error}", file=sys.stderr)
    return rows


def _row(board: str, name: str, tflite: bytes) -> dict:
    result = api.convert(tflite)
    model = parse_model(result.hgm)
    x = np.asarray(api.random_inputs(4, result.report.input_bytes)[-1:])
    outcome = run(model, x, board)
    cycles, macs = outcome.cycles_per_inference, result.report.eliminated.macs_before
    assert cycles is not None
    how = f"emulated {board}, {outcome.kernels} kernels, MicroPython 1.25, no flash wait states"
    row = {"name": f"infer.{name}.{board}", "how": how, "peer": "TFLM + CMSIS-NN, same core"}
    if board == "pico":
        return row | _against(
            cycles, "cycles", _PICO_CMSIS_CYCLES.get(name), _PICO_LIMIT_CYCLES.get(name)
        )
    peer = _CMSIS_PER_MAC.get(board, {}).get(name)
    return row | _against(round(cycles / macs, 3), "instructions per MAC", peer, peer)


def _against(value: float, unit: str, peer: float | None, limit: float | None) -> dict:
    ratio = round(value / peer, 3) if peer else None
    return {"value": value, "unit": unit, "peer_value": peer, "ratio": ratio, "limit": limit}


if __name__ == "__main__":
    print(json.dumps(measure(tuple(sys.argv[1:]) or BOARDS), indent=1))
