"""Runs on a board: inferences on bytes that the host put into memory.

A Model reads its file where it lies; inputs come from memory; each output goes out as a line of
hex, the figures as a last line of JSON. Interrupts are off while a counter runs: USB adds to it.
"""

import array
import binascii
import gc
import json

import machine
import uctypes

# The Unix port has no interrupts to mask.
_disable_irq = getattr(machine, "disable_irq", lambda: None)
_enable_irq = getattr(machine, "enable_irq", lambda state: None)


def load(address, n_bytes, kernels):
    """(model, persistent bytes): what the model took from the heap beside its arena's array.

    The least of three loads: modules and interned names come with the first, and the collector
    takes any word on the stack for a pointer, which now and then keeps a dead block of 16 bytes.
    """
    from hedge.infer import Model

    data = uctypes.bytearray_at(address, n_bytes)
    model, taken = None, []
    for _ in range(3):
        model = None
        gc.collect()
        before = gc.mem_alloc()
        model = Model(data, kernels=kernels)
        gc.collect()
        taken.append(gc.mem_alloc() - before)
    return model, min(taken) - _arena_on_heap(model.arena_bytes)


def _arena_on_heap(n_bytes):
    """What an array("b") of n_bytes takes: its header, a block, and whole blocks of data."""
    gc.collect()
    before = gc.mem_alloc()
    one = array.array("b", b"x")
    block = (gc.mem_alloc() - before) // 2
    del one
    return block + -(-n_bytes // block) * block


def run_batch(model, address, count, now, wrap):
    """Each of count inputs at address: print its output, count its cycles. Returns their list."""
    size = len(model.input)
    inputs = uctypes.bytearray_at(address, count * size)
    source = memoryview(inputs)
    counts = []
    for i in range(count):
        model.reset()
        model.input[:] = source[i * size : (i + 1) * size]
        counts.append(counted(model.invoke, now, wrap))
        print(binascii.hexlify(model.output).decode())
    return counts


def counted(call, now, wrap):
    """Cycles of call(), less what reading the counter costs."""
    state = _disable_irq()
    a = now()
    b = now()
    call()
    c = now()
    _enable_irq(state)
    return (c - b) % wrap - (b - a) % wrap


def heap_bytes(model):
    """What one invoke takes from the heap."""
    invoke = model.invoke
    invoke()
    gc.collect()
    before = gc.mem_alloc()
    invoke()
    return gc.mem_alloc() - before


def main(model_at, model_bytes, inputs_at, count, kernels, now, wrap):
    """Run and print; see above."""
    model, persistent = load(model_at, model_bytes, kernels)
    counts = run_batch(model, inputs_at, count, now, wrap)
    figures = {
        "kernels": model.kernels,
        "count": sorted(counts)[len(counts) // 2],
        "arena_bytes": model.arena_bytes,
        "persistent_bytes": persistent,
        "heap_bytes_per_invoke": heap_bytes(model),
    }
    print(json.dumps(figures))
