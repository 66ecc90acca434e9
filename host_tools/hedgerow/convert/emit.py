"""Writes a planned device graph as a .hgm file: firmware/hedge/infer/SPEC.md is the format."""

import binascii
import struct

import numpy as np

from hedge.infer import ops as hgm_ops
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
    words = sum(hgm_ops.OPS[_RECORDS[op.kind][0]][0] for op, _ in rows)
    constants = _Constants(hgm.HEADER_BYTES + 4 * words)
    records = b"".join(_record(plan, op, row, constants) for op, row in rows)
    rest = _header(plan, len(rows)) + records + bytes(constants.data)
    head = struct.pack("<4sIII", hgm.MAGIC, hgm.VERSION, 16 + len(rest), binascii.crc32(rest))
    return head + rest


def _rows(plan: Plan, op: Op) -> int:
    """Batch rows: each is a record of its own."""
    if op.kind == "dense":
        return plan.graph.tensors[op.inputs[0]].elements // op.options["weights"].shape[1]
    return op.options["in_shape"][0] if "in_shape" in op.options else 1


def _record(plan: Plan, op: Op, row: int, constants: _Constants) -> bytes:
    """Word 0, where row `row` of input and output lie, and the words of the kind."""
    number, rest = _RECORDS[op.kind]
    words = hgm_ops.OPS[number][0]
    rows = _rows(plan, op)
    src, out = (
        plan.offsets[i] + plan.graph.tensors[i].elements // rows * row
        for i in (op.inputs[0], op.outputs[0])
    )
    values = rest(plan, op, constants)
    return struct.pack(f"<{words}i", number | words << 16, src, out, *values)


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
    """(channels, taps) int8 -> blocks of four channels, w + 128 (SPEC.md)."""
    channels, taps = weights.shape
    padded = np.zeros((-(-channels // _LANES) * _LANES, taps), dtype=np.int16)
    padded[:channels] = weights
    blocks = (padded + 128).astype(np.uint8).reshape(-1, _LANES, taps)
    return blocks.transpose(0, 2, 1).tobytes()


def _i32(constants: _Constants, values: object) -> int:
    return constants.add(np.asarray(values).astype("<i4").tobytes())


def _channels(op: Op, constants: _Constants, matrix: np.ndarray) -> list[int]:
    """Words 3 to 11 of DENSE, CONV and DEPTHWISE; matrix: (channels, taps)."""
    o = op.options
    channels, taps = matrix.shape
    # The kernel sums (x + 128) * w; the graph's bias is for x * w.
    bias = o["bias"] - 128 * matrix.astype(np.int64).sum(axis=1)
    bias = np.concatenate([bias, np.zeros(-channels % _LANES, dtype=np.int64)])
    return [
        taps,
        channels,
        constants.add(interleave(matrix)),
        _i32(constants, bias),
        _i32(constants, o["requant"]),
        2 if len(o["requant"]) > 1 else 0,
        o["zero_point"],
        o["act_min"],
        o["act_max"],
    ]


def _dense(_plan: Plan, op: Op, constants: _Constants) -> list[int]:
    return _channels(op, constants, op.options["weights"])


def _conv(plan: Plan, op: Op, constants: _Constants) -> list[int]:
    return [*_channels(op, constants, op.options["weights"]), *_image(plan, op)]


def _depthwise(plan: Plan, op: Op, constants: _Constants) -> list[int]:
    return [*_channels(op, constants, op.options["weights"].T), *_image(plan, op)]


def _image(plan: Plan, op: Op) -> list[int]:
    """Words 12 to 27 of CONV and DEPTHWISE."""
    area = op.options["window"]
    gathers = len(op.outputs) > 1
    scratch = plan.offsets[op.outputs[1]] if gathers else 0
    where = [*area.kernel, *area.stride, *area.dilation, *area.pad, *area.out]
    return [*op.options["in_shape"][1:], *where, op.options["fill"], scratch, int(gathers)]


def _pool(_plan: Plan, op: Op, _constants: _Constants) -> list[int]:
    o, area = op.options, op.options["window"]
    height, width, channels = o["in_shape"][1:]
    where = [*area.kernel, *area.stride, *area.pad, *area.out]
    kind = 0 if o["average"] else 1
    return [kind, channels, height, width, *where, o["act_min"], o["act_max"], 0]


def _add(plan: Plan, op: Op, constants: _Constants) -> list[int]:
    o = op.options
    tables = [_i32(constants, o[name]) for name in ("table_a", "table_b")]
    count = plan.graph.tensors[op.outputs[0]].elements
    clamp = [o["zero_point"], o["act_min"], o["act_max"]]
    return [plan.offsets[op.inputs[1]], count, *tables, *o["requant"][0], *clamp]


def _softmax(plan: Plan, op: Op, constants: _Constants) -> list[int]:
    depth = op.options["depth"]
    rows = plan.graph.tensors[op.inputs[0]].elements // depth
    return [rows, depth, _i32(constants, op.options["table"])]


def _table(plan: Plan, op: Op, constants: _Constants) -> list[int]:
    count = plan.graph.tensors[op.inputs[0]].elements
    return [count, constants.add(op.options["table"].tobytes()), 0]


# kind -> (number in the file, words from 3 on)
_RECORDS = {
    "add": (hgm_ops.ADD, _add),
    "conv": (hgm_ops.CONV, _conv),
    "dense": (hgm_ops.DENSE, _dense),
    "depthwise": (hgm_ops.DEPTHWISE, _depthwise),
    "pool": (hgm_ops.POOL, _pool),
    "softmax": (hgm_ops.SOFTMAX, _softmax),
    "table": (hgm_ops.TABLE, _table),
}
