"""hedgerow infer on every board: TFLM's bytes, no heap, little RAM, whole or in slices."""

import json
from pathlib import Path

import numpy as np
import pytest

from hedgerow.convert import convert as api
from hedgerow.emulate.targets import TARGETS, open_target
from hedgerow.infer.batch import run
from hedgerow.infer.board import install
from hedgerow.infer.model_file import parse_model

SOIL_DRY = Path(__file__).resolve().parent.parent.parent / "models" / "soil_dry"
PERSISTENT_LIMIT_BYTES = 256  # on 32-bit boards
MODELS = ["kws_ref_model", "ad01_int8", "vww_96_int8", "pretrainedResnet_quant"]
EMULATED = [name for name in TARGETS if name != "unix"]


@pytest.mark.parametrize("path", ["native", "viper"])
@pytest.mark.parametrize("target", TARGETS)
def test_soil_dry_equals_tflm(need_target, target: str, path: str) -> None:
    need_target(target)
    tflite = (SOIL_DRY / "soil_dry.tflite").read_bytes()
    inputs = api.random_inputs(12, 7)
    outcome = run(parse_model(api.convert(tflite).hgm), inputs, target, path)
    assert outcome.kernels == path
    assert np.array_equal(outcome.outputs, api.run_tflm(tflite, inputs))
    assert outcome.heap_bytes_per_invoke == 0


@pytest.mark.parametrize("target", EMULATED)
@pytest.mark.parametrize("name", MODELS)
def test_models_in_memory_mapped_flash_equal_tflm(need_target, need_shared, target, name) -> None:
    """The weights are used where they lie: a copy would show in persistent_bytes."""
    need_target(target)
    tflite = need_shared(f"models/mlperf_tiny/{name}.tflite").read_bytes()
    result = api.convert(tflite)
    inputs = api.random_inputs(4, result.report.input_bytes)[-1:]
    outcome = run(parse_model(result.hgm), inputs, target, "native")
    assert np.array_equal(outcome.outputs, api.run_tflm(tflite, inputs))
    assert outcome.heap_bytes_per_invoke == 0
    assert outcome.persistent_bytes is not None
    assert outcome.persistent_bytes <= PERSISTENT_LIMIT_BYTES


def test_counts_repeat_on_the_pico(need_target) -> None:
    """Cycles are the emulated core's: another run counts the same."""
    need_target("pico")
    model = parse_model((SOIL_DRY / "soil_dry.hgm").read_bytes())
    inputs = api.random_inputs(4, 7)
    counts = [run(model, inputs, "pico", "native").cycles_per_inference for _ in range(2)]
    assert counts[0] == counts[1]


IN_A_LOCKED_HEAP = """
import micropython, uctypes
from hedge.infer import Model
model = Model(uctypes.bytearray_at(%d, %d), kernels="viper")
model.invoke()
micropython.heap_lock()
try:
    model.reset()
    model.invoke()
finally:
    micropython.heap_unlock()
print("done")
"""


def test_no_op_takes_heap_in_viper_where_ram_lies_high(need_target) -> None:
    """At 2**31, as on QEMU's RV32, an address is no small int: it would be boxed."""
    need_target("qemu-rv32")
    ops = Path(__file__).resolve().parent.parent / "unit" / "infer_ops.json"
    said = {}
    with open_target("qemu-rv32") as board:
        install(board, native=False)
        for name, case in json.loads(ops.read_text(encoding="utf-8")).items():
            hgm = bytes.fromhex(case["hgm"])
            said[name] = board.exec(IN_A_LOCKED_HEAP % (board.blob(hgm), len(hgm))).strip()
    assert said == dict.fromkeys(said, "done")
    assert len(said) > 10
