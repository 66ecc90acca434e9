"""Executes a Graph in NumPy; ops/ holds the definition of every op.

    out = run(graph, x)  # x: (n,) -> (m,), in the dtypes of the graph
    values = run_many(graph, inputs)  # (runs, n) -> tensor index -> (runs, *shape)

Runs graphs of TFLite ops (as imported) and of device ops (after the passes) alike, so a pass is
checked by running both sides. Integer arithmetic of the TFLM reference kernels (arithmetic.py).
"""

import numpy as np

from hedgerow.convert.graph import Graph, where
from hedgerow.convert.ops import OPS
from hedgerow.convert.ops.quant import Values
from hedgerow.errors import ModelError


def run(graph: Graph, x: np.ndarray, state: Values | None = None) -> np.ndarray:
    """Output of the graph, flat. x: as many elements as the input, of its dtype.

    state: values of variable tensors by index, updated in place; None: every run starts fresh.
    Raises ModelError if x does not fit or an op has no definition.
    """
    return run_all(graph, x, state)[graph.output].reshape(-1)


def run_all(graph: Graph, x: np.ndarray, state: Values | None = None) -> Values:
    """Every tensor's value by index, for comparison layer by layer."""
    values = _run(graph, x.reshape(-1), (), state or {})
    if state is not None:
        state.update({i: values[i] for i in first_state(graph)})
    return values


def run_many(graph: Graph, inputs: np.ndarray) -> Values:
    """Every computed tensor's value with a first axis of runs; inputs: (runs, n). Fresh state."""
    return _run(graph, inputs.reshape(len(inputs), -1), (len(inputs),), {})


def _run(graph: Graph, x: np.ndarray, runs: tuple[int, ...], state: Values) -> Values:
    wanted = graph.tensors[graph.input]
    if x.dtype.name != wanted.dtype or x.shape[-1] != wanted.elements:
        need = f"{wanted.elements} x {wanted.dtype}"
        raise ModelError(f"input is {x.shape[-1]} x {x.dtype}, must be {need}")
    values = {i: t.data for i, t in enumerate(graph.tensors) if t.data is not None}
    values |= {**first_state(graph, runs), **state}
    values[graph.input] = x.reshape(*runs, *wanted.shape)
    for op in graph.ops:
        function = OPS.get(op.kind)
        if function is None:
            raise ModelError(f"{where(graph, op)}: no reference for this op")
        values[op.outputs[0]] = function(graph, op, values)
    return values


def first_state(graph: Graph, runs: tuple[int, ...] = ()) -> Values:
    """Variable tensors before the first inference: all zero points (micro_allocator.cc)."""
    return {
        i: np.full((*runs, *t.shape), t.zero_point, dtype=t.dtype)
        for i, t in enumerate(graph.tensors)
        if t.variable
    }
