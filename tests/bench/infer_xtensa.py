"""Instructions of one inference by the ESP32's kernels, on a core of QEMU's user mode.

python tests/bench/infer_xtensa.py

There is no peer's figure: TFLM with ESP-NN cannot be built from a package registry.
"""

import json
import sys
from pathlib import Path

import numpy as np
from shared_models import mlperf_tiny

from hedgerow.convert import convert as api
from hedgerow.toolchain.natmod import native_module

sys.path.append(str(Path(__file__).resolve().parent.parent / "emulated"))
from xtensa import core

_HOW = (
    f"machine code under qemu-xtensa -cpu {core.CORE}, no MicroPython; an instruction is no cycle"
)


def measure() -> list[dict]:
    """Rows for build/bench.json; none without qemu-xtensa, which is said."""
    if core.missing():
        print(f"infer.*.xtensa: not measured: {' '.join(core.missing())} is missing")
        return []
    mpy = native_module("xtensawin").read_bytes()
    return [_row(name, path.read_bytes(), mpy) for name, path in mlperf_tiny().items()]


def _row(name: str, tflite: bytes, mpy: bytes) -> dict:
    result = api.convert(tflite)
    x = np.asarray(api.random_inputs(4, result.report.input_bytes)[-1:])
    executed = core.count(mpy, result.hgm, x.tobytes())
    per_mac = round(executed / result.report.eliminated.macs_before, 3)
    unit = "instructions per MAC"
    return {"name": f"infer.{name}.xtensa", "value": per_mac, "unit": unit, "how": _HOW}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
