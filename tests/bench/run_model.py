"""MicroPython program: runs a batch through hedge.infer and prints one line of JSON.

    micropython run_model.py MODEL.hgm INPUTS OUTPUTS

INPUTS: raw int8, rows of the model's input; OUTPUTS gets raw int8 rows. heap_bytes is what one
invoke() took from the heap. us_per_inference is the median of five rounds of about 50 ms.
"""

import gc
import json
import sys
import time

from hedge.infer import Model


def _median_us(model):
    model.invoke()
    start = time.ticks_us()
    model.invoke()
    count = 50_000 // (time.ticks_diff(time.ticks_us(), start) + 1) + 1
    rounds_us = []
    for _ in range(5):
        start = time.ticks_us()
        for _ in range(count):
            model.invoke()
        rounds_us.append(time.ticks_diff(time.ticks_us(), start) / count)
    return sorted(rounds_us)[2]


def _heap_bytes(model):
    gc.collect()
    before = gc.mem_alloc()
    model.invoke()
    return gc.mem_alloc() - before


def main(model_path, inputs_path, outputs_path):
    model = Model(model_path)
    size = len(model.input)
    with open(inputs_path, "rb") as inputs, open(outputs_path, "wb") as outputs:
        while inputs.readinto(model.input) == size:
            model.invoke()
            outputs.write(model.output)
    result = {
        "us_per_inference": _median_us(model),
        "heap_bytes": _heap_bytes(model),
        "arena_bytes": model.arena_bytes,
        "kernels": model.kernels,
    }
    print(json.dumps(result))


main(*sys.argv[1:4])
