"""Runs on a board after run_batch.py: the counter's steps of each record of one inference."""

import json


def layer_counts(model_at, model_bytes, kernels, now, wrap):
    """Print a JSON list: a count for each record, the second time it runs."""
    model, _ = load(model_at, model_bytes, kernels)  # noqa: F821  of run_batch.py
    cursor, counts = model._cursor, []
    for _ in range(2):
        model._start(False)
        left, counts = cursor[2], []
        while left:
            cursor[2] = 1
            counts.append(counted(model._advance, now, wrap))  # noqa: F821
            left -= 1
    print(json.dumps(counts))
