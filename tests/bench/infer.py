"""Time per inference: the Unix port's viper path beside the tflite-micro wheel, in one run.

python tests/bench/infer.py
"""

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from shared_models import mlperf_tiny

from hedgerow import paths
from hedgerow.convert import convert as api
from hedgerow.toolchain.unix import find_micropython

HERE = Path(__file__).resolve().parent
_TFLM_SECONDS = 0.3
_LIMIT = 6.0  # times TFLM


def models() -> dict[str, Path]:
    """Name -> .tflite of what can be measured here; MLPerf Tiny's models need ../shared."""
    soil = paths.share_dir("models") / "soil_dry" / "soil_dry.tflite"
    return {"soil_dry": soil, **mlperf_tiny()}


def run_on_unix(
    hgm: bytes, inputs: np.ndarray, modules: Path | None = None
) -> tuple[np.ndarray, dict]:
    """(outputs (n, m) int8, run_model.py's figures) of the MicroPython Unix port.

    modules: folder that holds hedge_infer_native.mpy; None: viper.
    """
    with tempfile.TemporaryDirectory() as folder:
        model, source, target = (Path(folder) / name for name in ("model.hgm", "in", "out"))
        model.write_bytes(hgm)
        source.write_bytes(np.ascontiguousarray(inputs).tobytes())
        places = [str(modules)] * (modules is not None) + [str(paths.firmware_dir()), ".frozen"]
        env = dict(os.environ, MICROPYPATH=":".join(places))
        command = [str(find_micropython()), str(HERE / "run_model.py"), model, source, target]
        done = subprocess.run(command, env=env, capture_output=True, check=True, timeout=300)
        outputs = np.frombuffer(target.read_bytes(), dtype=np.int8)
    return outputs.reshape(len(inputs), -1), json.loads(done.stdout)


def tflm_invoke(tflite: bytes, x: np.ndarray) -> Callable[[], object]:
    """Interpreter.invoke() alone of the tflite-micro wheel, its input set to x."""
    from tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(tflite)
    interpreter.set_input(x.reshape(tuple(interpreter.get_input_details(0)["shape"])), 0)
    invoke: Callable[[], object] = interpreter.invoke
    return invoke


def round_us(invoke: Callable[[], object], seconds: float) -> float:
    """Microseconds of a call, over a round of so many seconds."""
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        invoke()
        count += 1
    return (time.perf_counter() - start) / count * 1e6


def tflm_us(tflite: bytes, x: np.ndarray) -> float:
    """Microseconds of Interpreter.invoke() alone, median of five rounds."""
    invoke = tflm_invoke(tflite, x)
    return statistics.median(round_us(invoke, _TFLM_SECONDS / 5) for _ in range(5))


def measure() -> list[dict]:
    """Rows for build/bench.json."""
    rows = []
    for name, path in models().items():
        tflite = path.read_bytes()
        result = api.convert(tflite)
        inputs = api.random_inputs(4, result.report.input_bytes)
        _, figures = run_on_unix(result.hgm, inputs)
        rows.append(_row(name, figures["us_per_inference"], tflm_us(tflite, inputs[-1])))
    return rows


def _row(name: str, us: float, peer_us: float) -> dict:
    return {
        "name": f"infer.{name}.viper",
        "value": round(us, 2),
        "unit": "us per inference",
        "peer": "tflite-micro wheel, invoke()",
        "peer_value": round(peer_us, 2),
        "ratio": round(us / peer_us, 2),
        "limit": _LIMIT,
        "limit_of": "ratio",
        "how": "MicroPython Unix port, viper path, median of 5 rounds; same machine, same run",
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
