"""Writes a planned device graph as a .hgm file: firmware/hedge/infer/SPEC.md is the format.

data = emit(plan)

One function per kind of device op, a row in RECORDS; it returns the op's records.
"""

import binascii
import struct
from collections.abc import Callable, Mapping

from hedgerow.convert.emit import channels, elementwise, move, recurrent
from hedgerow.convert.emit.layout import (
    HEADER_BYTES,
    MAGIC,
    MAX_ARENA_BYTES,
    MAX_OPS,
    MAX_RESETS,
    VERSION,
)
from hedgerow.convert.emit.words import Constants, Source
from hedgerow.convert.plan import Plan
from hedgerow.errors import ModelError

RECORDS: Mapping[str, Callable[[Source], list[bytes]]] = {
    "add": elementwise.add,
    "conv": channels.conv,
    "depthwise": channels.depthwise,
    "lstm": recurrent.lstm,
    "mean": elementwise.mean,
    "move": move.move,
    "mul": elementwise.mul,
    "pool": elementwise.pool,
    "requantize": elementwise.requantize,
    "softmax": elementwise.softmax,
    "svdf": recurrent.svdf,
    "table": elementwise.table,
}
_HEADER_REST = struct.Struct("<IHHIIfIIfbbBBII")  # header from byte 16 on


def emit(plan: Plan) -> bytes:
    """The file's bytes. Raises ModelError if the model is larger than the format allows."""
    resets = move.resets(plan)
    sizes = [*resets, *_records(plan, Constants(0))]
    constants = Constants(HEADER_BYTES + sum(map(len, sizes)))
    records = _records(plan, constants)
    _check_size(plan, len(records), len(resets))
    body = b"".join([*resets, *records]) + bytes(constants.data)
    rest = _header(plan, len(records), len(resets)) + body
    counts = (HEADER_BYTES, 16 + len(rest), binascii.crc32(rest))
    return struct.pack("<4sHHII", MAGIC, VERSION, *counts) + rest


def _check_size(plan: Plan, records: int, resets: int) -> None:
    small = records <= MAX_OPS and resets <= MAX_RESETS and plan.arena_bytes <= MAX_ARENA_BYTES
    if not small:
        raise ModelError(
            f"{records} records, {resets} state tensors, an arena of {plan.arena_bytes} bytes: "
            f"a .hgm holds {MAX_OPS}, {MAX_RESETS}, {MAX_ARENA_BYTES}"
        )


def _records(plan: Plan, constants: Constants) -> list[bytes]:
    return [
        record for op in plan.graph.ops for record in RECORDS[op.kind](Source(plan, op, constants))
    ]


def _header(plan: Plan, op_count: int, reset_count: int) -> bytes:
    graph = plan.graph
    x, out = graph.tensors[graph.input], graph.tensors[graph.output]
    return _HEADER_REST.pack(
        plan.arena_bytes,
        op_count,
        reset_count,
        plan.offsets[graph.input],
        x.bytes,
        x.scale,
        plan.offsets[graph.output],
        out.bytes,
        out.scale,
        x.zero_point,
        out.zero_point,
        x.item_bytes,
        out.item_bytes,
        plan.state_offset,
        plan.state_bytes,
    )
