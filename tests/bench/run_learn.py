"""MicroPython program: predicts a batch with hedge.learn and prints one line of JSON.

    micropython run_learn.py MODEL.hgl ROWS OUT [time]

ROWS: raw float32 rows of features; OUT gets, per row, the label and then all scores, raw int32.
With `time`, the median of five rounds of about 50 ms, and the heap bytes of one predict().
"""

import array
import gc
import json
import sys
import time

from hedge.learn.model import Predictor


def _median_us(model):
    start = time.ticks_us()
    model.predict()
    count = 50_000 // (time.ticks_diff(time.ticks_us(), start) + 1) + 1
    rounds_us = []
    for _ in range(5):
        start = time.ticks_us()
        for _ in range(count):
            model.predict()
        rounds_us.append(time.ticks_diff(time.ticks_us(), start) / count)
    return sorted(rounds_us)[2]


def _heap_bytes(model):
    gc.collect()
    before = gc.mem_alloc()
    model.predict()
    return gc.mem_alloc() - before


def main(model_path, rows_path, out_path, timed=""):
    model = Predictor(model_path)
    row = array.array("f", bytes(4 * len(model.input)))
    out = array.array("i", bytes(4 + 4 * len(model.scores)))
    with open(rows_path, "rb") as rows, open(out_path, "wb") as results:
        while rows.readinto(row) == 4 * len(row):
            model.quantise(row)
            out[0] = model.predict()
            for j in range(len(model.scores)):
                out[j + 1] = model.scores[j]
            results.write(out)
    result = {"score_scale": model.score_scale}
    if timed:
        result["us_per_prediction"] = _median_us(model)
        result["heap_bytes"] = _heap_bytes(model)
    print(json.dumps(result))


main(*sys.argv[1:])
