"""Writes a planned device graph as a .hgm file: firmware/hedge/infer/SPEC.md is the format."""

import binascii
import struct

import numpy as np

from hedge.infer import plan as hgm
from hedgerow.convert.graph import Op
from hedgerow.convert.plan import Plan
from hedgerow.errors import ModelError

_HEADER_REST = struct.Struct("<IIIIIfiIIfiI")  # header from byte 16 on
_LANES = 4  # channels interleaved


class _Constants:
    """The third part of the file; add() returns a file offset, a multiple of 4."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.data = bytearray()
        self._known: dict[bytes, int] = {}

    def add(self, blob: bytes) -> int:
        if blob not in self._known:
            self._known[blob] = self.start + len(self.data)
            self.data += blob + bytes(-len(blob) % 4)
        return self._known[blob]


def emit(plan: Plan) -> bytes:
    """The file's bytes. Raises ModelError if the model is larger than the format allows."""
    rows = [(op, row) for op in plan.graph.ops for row in range(_rows(plan, op))]
    if len(rows) > hgm.MAX_OPS or plan.arena_bytes > hgm.MAX_ARENA_BYTES:
        raise ModelError(f"{len(rows)} ops, arena of {plan.arena_bytes} bytes: too large for .hgm")
    words = sum(12 if op.kind == "dense" else 6 for op, _ in rows)
    constants = _Constants(hgm.HEADER_BYTES + 4 * words)
    records = b"".join(_RECORDS[op.kind](plan, op, row, constants) for op, row in rows)
    rest = _header(plan, len(rows)) + records + bytes(constants.data)
    head = struct.pack("<4sIII", hgm.MAGIC, hgm.VERSION, 16 + len(rest), binascii.crc32(rest))
    return head + rest


def _rows(plan: Plan, op: Op) -> int:
    """Batch rows of a dense op: each is a record of its own."""
    if op.kind != "dense":
        return 1
    return plan.graph.tensors[op.inputs[0]].elements // op.options["weights"].shape[1]


def _header(plan: Plan, op_count: int) -> bytes:
    graph = plan.graph
    x, out = graph.tensors[graph.input], graph.tensors[graph.output]
    return _HEADER_REST.pack(
        plan.arena_bytes,
        op_count,
        hgm.HEADER_BYTES,
        plan.offsets[graph.input],
        x.elements,
        x.scale,
        x.zero_point,
        plan.offsets[graph.output],
        out.elements,
        out.scale,
        out.zero_point,
        0,
    )


def interleave(weights: np.ndarray) -> bytes:
    """(n_out, n_in) int8 -> blocks of four channels, w + 128 (SPEC.md)."""
    n_out, n_in = weights.shape
    padded = np.zeros((-(-n_out // _LANES) * _LANES, n_in), dtype=np.int16)
    padded[:n_out] = weights
    blocks = (padded + 128).astype(np.uint8).reshape(-1, _LANES, n_in)
    return blocks.transpose(0, 2, 1).tobytes()


def _dense(plan: Plan, op: Op, row: int, constants: _Constants) -> bytes:
    o = op.options
    n_out, n_in = o["weights"].shape
    # The kernel sums (x + 128) * w; the graph's bias is for x * w.
    bias = o["bias"] - 128 * o["weights"].astype(np.int64).sum(axis=1)
    bias = np.concatenate([bias, np.zeros(-n_out % _LANES, dtype=np.int64)])
    return struct.pack(
        "<12i",
        hgm.DENSE | 12 << 16,
        plan.offsets[op.inputs[0]] + row * n_in,
        plan.offsets[op.outputs[0]] + row * n_out,
        n_in,
        n_out,
        constants.add(interleave(o["weights"])),
        constants.add(bias.astype("<i4").tobytes()),
        constants.add(np.array(o["requant"], dtype="<i4").tobytes()),
        2 if len(o["requant"]) > 1 else 0,
        o["zero_point"],
        o["act_min"],
        o["act_max"],
    )


def _table(plan: Plan, op: Op, _row: int, constants: _Constants) -> bytes:
    x, out = op.inputs[0], op.outputs[0]
    count = plan.graph.tensors[x].elements
    table = constants.add(op.options["table"].tobytes())
    return struct.pack(
        "<6i", hgm.TABLE | 6 << 16, plan.offsets[x], plan.offsets[out], count, table, 0
    )


_RECORDS = {"dense": _dense, "table": _table}
