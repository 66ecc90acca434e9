"""Predicted cycles of an op on each board, from costs measured there per kind (cost.json).

    predicted_cycles(op, work, outputs)  # {"pico": 1234, ...}

cost.json is written by tests/bench/infer_cost.py, which runs models layer by layer on the emulated
boards and fits `cycles = per_op + per_work * work + per_output * outputs` for each kind; work is
report.work_of(), multiply-adds for most.
"""

import functools
import json
from pathlib import Path

from hedgerow.convert.graph import Op

Cycles = dict[str, int]
COST_FILE = Path(__file__).with_name("cost.json")


@functools.cache
def costs() -> dict[str, dict]:
    """board -> {"clock_hz", "unit", "firmware", "date", "worst_model_error", "kinds"}.

    kinds: {kind: [per op, per work, per output]}; worst_model_error: a share, on MLPerf Tiny's
    models, whose convolutions were fitted.
    """
    return json.loads(COST_FILE.read_text(encoding="utf-8"))


def predicted_cycles(op: Op, work: int, outputs: int) -> Cycles:
    """board -> cycles, for the boards on which the op's kind was measured."""
    found = {}
    for board, cost in costs().items():
        kinds = cost["kinds"]
        if op.kind in kinds:
            per_op, per_work, per_output = kinds[op.kind]
            found[board] = round(per_op + per_work * work + per_output * outputs)
    return found
