"""A "move" becomes FILL and COPY records; state is set to its zero points by FILL records."""

from hedgerow.convert.emit.layout import COPY, FILL
from hedgerow.convert.emit.words import Source, quarters, record
from hedgerow.convert.plan import Plan
from hedgerow.errors import ModelError


def move(source: Source) -> list[bytes]:
    o = source.options
    fills = [fill(source.out + at, count, value) for at, count, value in o["fills"]]
    return fills + [_copy(source, *copy) for copy in o["copies"]]


def fill(at: int, count: int, value: int) -> bytes:
    return record(FILL, 0, [0, at, count, quarters(value)])


def _copy(
    source: Source,
    place: int,
    first: int,
    counts: tuple[int, ...],
    steps: tuple[int, ...],
    target: int,
    target_steps: tuple[int, ...],
) -> bytes:
    data = source.tensor(place).data
    start = source.at(place) if data is None else source.constants.array(data, "i1")
    words = [start + first, source.out + target, *counts, *steps, *target_steps]
    return record(COPY, int(data is not None), words)


def resets(plan: Plan) -> list[bytes]:
    """FILL records that bring every state tensor to its zero point."""
    tensors = plan.graph.tensors
    used = {i for op in plan.graph.ops for i in op.inputs if i >= 0 and tensors[i].variable}
    return [_reset(plan, index) for index in sorted(used, key=lambda i: plan.offsets[i])]


def _reset(plan: Plan, index: int) -> bytes:
    tensor = plan.graph.tensors[index]
    if tensor.item_bytes > 1 and tensor.zero_point:
        raise ModelError(f"state {tensor.name!r}: zero point {tensor.zero_point}, must be 0")
    return fill(plan.offsets[index], tensor.bytes, tensor.zero_point)
