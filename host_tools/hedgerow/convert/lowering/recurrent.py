"""SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM: an op for each row of a batch, with its own state."""

from typing import Any

import numpy as np

from hedgerow.convert.emit.layout import MAX_SIDE
from hedgerow.convert.graph import Tensor
from hedgerow.convert.lowering import channels
from hedgerow.convert.lowering.build import Builder
from hedgerow.convert.lowering.move import join, split, split_output
from hedgerow.convert.ops.recurrent import (
    BIAS_PLACES,
    CELL,
    HIDDEN,
    WEIGHT_PLACES,
    lstm_numbers,
    svdf_numbers,
)

_INT32 = channels.INT32
_MAX_POWER = 14  # of the cell's scale: 3 * (2**15 << 14) is the largest shifted value, an int32


def svdf(build: Builder) -> None:
    """inputs: x (batch, n_in), feature weights, time weights, bias, state."""
    x, out = build.input(), build.output
    feature, time, state = (build.input(place) for place in (1, 2, 4))
    rank = build.at.options["rank"]
    _check_constant(build, feature, ("int8",), 2)
    _check_constant(build, time, ("int8", "int16"), 2)
    filters, n_in = feature.shape
    batch = x.shape[0] if len(x.shape) == 2 else 0
    fits = time.shape[0] == filters and rank >= 1 and filters % rank == 0
    build.need(fits, f"weights {feature.shape} and {time.shape}, rank {rank}")
    shapes = batch >= 1 and x.shape == (batch, n_in) and out.shape == (batch, filters // rank)
    build.need(shapes, f"from {x.shape} to {out.shape}, weights {feature.shape}")
    build.need(max(n_in, filters, time.shape[1], rank) <= MAX_SIDE, f"more than {MAX_SIDE} units")
    channels.bias(build, 3, filters // rank)
    build.need(build.has(3), "has no bias")
    whole = state.elements == batch * filters * time.shape[1]
    _check_state(build, state, time.dtype, whole)
    numbers = svdf_numbers(build.graph, build.at)
    _check_svdf(build, numbers, np.iinfo(time.dtype))
    rows = split(build, build.at.inputs[0])
    outputs = split_output(build, len(rows))
    for row, target in zip(rows, outputs, strict=True):
        build.add("svdf", [row, _state(build, 4, batch)], target, **numbers)
    join(build, outputs)


def _check_constant(build: Builder, tensor: Tensor, dtypes: tuple[str, ...], ranks: int) -> None:
    data = tensor.data
    fits = data is not None and tensor.dtype in dtypes and data.ndim == ranks and data.size
    build.need(fits, f"{tensor.name!r} must be constant {' or '.join(dtypes)} of rank {ranks}")
    symmetric = not tensor.zero_point and len(tensor.scales) == 1 and tensor.scale > 0
    build.need(symmetric, f"{tensor.name!r} must be symmetric, with one scale")


def _check_state(build: Builder, state: Tensor, dtype: str, fits: bool) -> None:
    kept = state.variable and state.data is None and len(state.scales) == 1 and state.scale > 0
    build.need(kept and state.dtype == dtype and fits, f"{state.name!r} is no {dtype} state")
    limits = np.iinfo(dtype)
    low, high = (limits.min, limits.max) if dtype == "int8" else (0, 0)
    build.need(low <= state.zero_point <= high, f"zero point {state.zero_point} of {state.name!r}")


def _state(build: Builder, place: int, batch: int) -> int:
    """The state tensor; one of a row's size if there are several rows."""
    index = build.at.inputs[place]
    if batch == 1:
        return index
    size = build.tensors[index].elements // batch
    return build.state(index, (1, size))


def _check_svdf(build: Builder, o: dict[str, Any], limits: np.iinfo) -> None:
    channels.check_int32(build, o["feature"], o["feature_bias"], (o["state_pair"],))
    time = np.abs(o["time"].astype(np.int64)).sum(axis=1)
    reach = limits.max - limits.min if o["zero_state"] else -limits.min
    worst = int((reach * time.reshape(-1, o["rank"]).sum(axis=1) + np.abs(o["bias"])).max())
    channels.check_pairs(build, o["requant"])
    left = max(o["requant"][0][1], 0)
    fits = worst << left < _INT32 and int(np.abs(o["bias"]).max()) < _INT32
    build.need(fits, "sum over time may overflow int32; rescale the time weights")


def lstm(build: Builder) -> None:
    """inputs: x (batch, time, n_in) unless time_major, weights, biases, states."""
    _check_lstm_inputs(build)
    o = lstm_numbers(build.graph, build.at)
    x, out, batch_axis = build.input(), build.output, 1 if o["time_major"] else 0
    ranks = len(x.shape) == len(out.shape) == 3 and min(x.shape) > 0
    build.need(ranks, f"shapes {x.shape} and {out.shape}")
    cells, n_in, batch = o["cells"], x.shape[2], x.shape[batch_axis]
    build.need(out.shape == (*x.shape[:2], cells), f"output {out.shape} of {cells} cells")
    build.need(max(cells, *x.shape) <= MAX_SIDE, f"more than {MAX_SIDE} cells, inputs or steps")
    for part, inputs in (("input", n_in), ("recurrent", cells)):
        for weights, bias, pair in o[part]:
            fits = weights.shape == (cells, inputs) and bias.shape == (cells,)
            build.need(fits, f"{part} weights {weights.shape}, must be {(cells, inputs)}")
            channels.check_int32(build, weights, bias, (pair,))
    _check_products(build, o)
    rows = split(build, build.at.inputs[0], batch_axis)
    outputs = split_output(build, len(rows), batch_axis)
    for place in (HIDDEN, CELL):
        build.need(build.input(place).elements == batch * cells, f"states of {batch} x {cells}")
    for row, target in zip(rows, outputs, strict=True):
        states = [_state(build, place, batch) for place in (HIDDEN, CELL)]
        build.add("lstm", [row, *states], target, **o)
    join(build, outputs, batch_axis)


def _check_lstm_inputs(build: Builder) -> None:
    """Types, before any number is made of them."""
    for place in WEIGHT_PLACES:
        if build.has(place):
            _check_constant(build, build.input(place), ("int8",), 2)
    for place in BIAS_PLACES:
        tensor = build.input(place)
        fits = tensor.data is not None and tensor.dtype == "int32" and len(tensor.shape) == 1
        build.need(fits, f"bias {tensor.name!r} must be constant int32")
    _check_state(build, build.input(HIDDEN), "int8", True)
    _check_state(build, build.input(CELL), "int16", True)


def _check_products(build: Builder, o: dict[str, Any]) -> None:
    channels.check_pairs(build, o["products"])
    for _, shift in o["products"]:
        build.need((1 << 30) << max(shift, 0) < _INT32, "scale of a state is too fine")
    power = o["power"]
    build.need(abs(power) <= _MAX_POWER, f"cell's scale is 2**{power - 12}, too far from 2**-12")
    build.need(0 <= o["cell_clip"], f"cell_clip {build.at.options['cell_clip']}")
