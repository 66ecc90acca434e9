"""Random models of one op that moves bytes; see random_ops.py."""

import numpy as np
from random_draw import Maker, Rng, pick, scale, zero
from tflite_graph import TfliteGraph


def _pad(rng: Rng, kind: str) -> bytes:
    g, quant = TfliteGraph(), (scale(rng), zero(rng))
    shape = [pick(rng, 1, 5) for _ in range(pick(rng, 1, 4))]
    widths = rng.integers(0, 4, size=(len(shape), 2))
    x = g.tensor(shape, *quant)
    rest = [g.tensor(widths.shape, 1.0, data=widths, dtype="int32")]
    if kind == "PADV2":
        rest.append(g.tensor((1,), *quant, data=np.array([pick(rng, -128, 127)])))
    y = g.tensor([int(n + a.sum()) for n, a in zip(shape, widths, strict=True)], *quant)
    g.op(kind, [x, *rest], y, "PadOptions" if kind == "PAD" else "PadV2Options")
    return g.finish(x, y)


def pad(rng: Rng) -> bytes:
    return _pad(rng, "PAD")


def padv2(rng: Rng) -> bytes:
    return _pad(rng, "PADV2")


def concatenation(rng: Rng) -> bytes:
    g, quant = TfliteGraph(), (scale(rng), zero(rng))
    shape, axis = [1, *(pick(rng, 1, 5) for _ in range(3))], pick(rng, 1, 3)
    x, twin = g.tensor(shape, *quant), g.tensor(shape, *quant)
    shape[axis] *= 2
    y = g.tensor(shape, *quant)
    g.op("QUANTIZE", [x], twin, "QuantizeOptions")
    g.op("CONCATENATION", [x, twin], y, "ConcatenationOptions", axis=axis - 4 * pick(rng, 0, 1))
    return g.finish(x, y)


def strided_slice(rng: Rng) -> bytes:
    """Forwards and backwards, with masks, and axes that shrink."""
    g, quant, rank = TfliteGraph(), (scale(rng), zero(rng)), pick(rng, 1, 4)
    shape = [pick(rng, 1, 6) for _ in range(rank)]
    masks = {"beginMask": 0, "endMask": 0, "shrinkAxisMask": 0}
    begin, end, step, out = [], [], [], []
    for axis, n in enumerate(shape):
        kind = str(rng.choice(["forwards", "backwards", "shrink"], p=[0.6, 0.25, 0.15]))
        b = pick(rng, 0, n - 1)
        if kind == "shrink" and axis:  # one axis at least stays
            masks["shrinkAxisMask"] |= 1 << axis
            numbers = (b, b + 1, 1)
        elif kind == "backwards":
            masks["endMask"] |= 1 << axis  # down to the first
            numbers = (b, 0, -pick(rng, 1, 3))
            out.append(len(range(b, -1, numbers[2])))
        else:
            e = pick(rng, b + 1, n)
            numbers = (b, e - n if rng.integers(2) and e < n else e, pick(rng, 1, 3))
            out.append(len(range(b, e, numbers[2])))
        for values, number in zip((begin, end, step), numbers, strict=True):
            values.append(number)
    x = g.tensor(shape, *quant)
    rest = [g.tensor((rank,), 1.0, data=np.array(v), dtype="int32") for v in (begin, end, step)]
    y = g.tensor(out, *quant)
    g.op("STRIDED_SLICE", [x, *rest], y, "StridedSliceOptions", **masks)
    return g.finish(x, y)


_MAKERS: tuple[Maker, ...] = (pad, padv2, concatenation, strided_slice)
MOVES: dict[str, Maker] = {f.__name__: f for f in _MAKERS}
