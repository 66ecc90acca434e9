"""SVDF and LSTM records back into device ops (SPEC.md)."""

import struct

import numpy as np

from hedgerow.infer.records import Record, Step, make_step


def svdf(r: Record) -> Step:
    """Inputs: x, state."""
    (n_in, filters), (memory, rank) = r.halves(4), r.halves(5)
    wide = "int16" if r.flags & 1 else "int8"
    shifts, zeros, units = r.int8s(11), r.int8s(12), filters // rank
    options = {
        "feature": r.array(r.words[6], filters * n_in, "i1").reshape(filters, n_in),
        "time": r.array(r.words[7], filters * memory, wide).reshape(filters, memory),
        "feature_bias": r.array(r.words[13], filters, "<i4").astype(np.int64),
        "bias": r.array(r.words[8], units, "<i4").astype(np.int64),
        "rank": rank,
        "state_pair": (r.words[9], shifts[0]),
        "requant": ((r.words[10], shifts[1]),),
        "zero_state": zeros[1],
        "zero_point": zeros[2],
        "act_min": shifts[2],
        "act_max": shifts[3],
    }
    x = ((1, n_in), "int8", "arena", r.words[1])
    state = ((1, filters * memory), wide, "arena", r.words[3])
    return make_step("svdf", options, [x, state], ((1, units), "int8", r.words[2]))


def lstm(r: Record) -> Step:
    """Inputs: x, hidden state, cell."""
    n_in, n = r.halves(5)
    steps, power = r.halves(6)[0], struct.unpack("<hh", struct.pack("<i", r.words[6]))[1]
    products = tuple(zip(r.words[38:41], r.int8s(41)[:3], strict=True))
    options = {
        "cells": n,
        "time_major": False,
        "power": power,
        "cell_clip": r.halves(11)[0],
        "zero_hidden": r.int8s(11)[2],
        "input": _parts(r, 0, n, n_in),
        "recurrent": _parts(r, 4, n, n),
        "products": products,
    }
    x = ((1, steps, n_in), "int8", "arena", r.words[1])
    states = [((1, n), "int8", "arena", r.words[3]), ((1, n), "int16", "arena", r.words[4])]
    return make_step("lstm", options, [x, *states], ((1, steps, n), "int8", r.words[2]))


def _parts(r: Record, first: int, n: int, inputs: int) -> tuple:
    """(weights, bias, (multiplier, shift)) of the four gates; first: 0 input, 4 recurrent."""
    shifts = r.int8s(36 + first // 4)
    return tuple(
        (
            r.array(r.words[12 + first + gate], n * inputs, "i1").reshape(n, inputs),
            r.array(r.words[20 + first + gate], n, "<i4").astype(np.int64),
            (r.words[28 + first + gate], shifts[gate]),
        )
        for gate in range(4)
    )
