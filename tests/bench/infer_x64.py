"""Native inference on x86-64: the Unix port, the tflite-micro wheel and LiteRT, in one run.

python tests/bench/infer_x64.py

Rounds of the three are interleaved; the median of each counts. LiteRT: its optimised kernels, one
thread, without the XNNPACK delegate; its rows are missing, and that is said, where ai-edge-litert
is not installed.
"""

import json
import platform
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from infer import round_us, run_on_unix, tflm_invoke
from shared_models import mlperf_tiny

from hedgerow.convert import convert as api
from hedgerow.toolchain.natmod import native_module

_ROUNDS = 5
_ROUND_SECONDS = 0.06
_TFLM_LIMITS = {"ad": 0.25}  # ratio; 0.10 for the others
_LITERT_LIMIT = 1.0
_HOW = (
    "MicroPython Unix port, native module, median of 5 interleaved rounds; same machine, same run"
)


def measure() -> list[dict]:
    """Rows for build/bench.json: per model beside TFLM, and beside LiteRT."""
    if platform.machine() != "x86_64":
        print(f"infer_x64: this machine is {platform.machine()}, not x86_64")
        return []
    rows = []
    with _native_modules() as folder:
        for name, path in mlperf_tiny().items():
            rows += _rows(name, _median(path.read_bytes(), folder))
    return rows


def _rows(name: str, us: dict[str, float]) -> Iterator[dict]:
    for peer, label in _PEERS.items():
        if peer in us:
            yield {
                "name": f"infer.{name}.native.x64.{peer}",
                "value": round(us["native"], 2),
                "unit": "us per inference",
                "peer": label,
                "peer_value": round(us[peer], 2),
                "ratio": round(us["native"] / us[peer], 4),
                "limit": _LITERT_LIMIT if peer == "litert" else _TFLM_LIMITS.get(name, 0.10),
                "limit_of": "ratio",
                "how": _HOW,
            }


@contextmanager
def _native_modules() -> Iterator[Path]:
    """A folder that the Unix port imports hedge_infer_native from."""
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / "hedge_infer_native.mpy"
        target.write_bytes(native_module("x64").read_bytes())
        yield Path(name)


def _median(tflite: bytes, folder: Path) -> dict[str, float]:
    """Who -> median microseconds of an invoke. The native output must equal TFLM's."""
    result = api.convert(tflite)
    inputs = np.random.default_rng(0).integers(
        -128, 128, (4, result.report.input_bytes), dtype=np.int8
    )
    peers = {"tflm": tflm_invoke(tflite, inputs[-1])}
    litert = _litert(tflite, inputs[-1])
    if litert:
        peers["litert"] = litert
    us: dict[str, list[float]] = {name: [] for name in ("native", *peers)}
    for _ in range(_ROUNDS):
        outputs, figures = run_on_unix(result.hgm, inputs, folder)
        assert figures["kernels"] == "native", figures
        assert (outputs == api.run_tflm(tflite, inputs)).all(), "differs from TFLM"
        us["native"].append(figures["us_per_inference"])
        for peer, invoke in peers.items():
            us[peer].append(round_us(invoke, _ROUND_SECONDS))
    return {name: statistics.median(rounds) for name, rounds in us.items()}


def _litert(tflite: bytes, x: np.ndarray) -> Callable[[], object] | None:
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError:
        print("infer_x64: no LiteRT beside it: pip install ai-edge-litert (extra: bench)")
        return None
    interpreter = Interpreter(
        model_content=tflite,
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    place = interpreter.get_input_details()[0]
    interpreter.set_tensor(place["index"], x.reshape(place["shape"]))
    invoke: Callable[[], object] = interpreter.invoke
    return invoke


_PEERS = {
    "tflm": "tflite-micro wheel, invoke()",
    "litert": "LiteRT, 1 thread, no delegate, invoke()",
}

if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
