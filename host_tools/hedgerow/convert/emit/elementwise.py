"""POOL, ADD, MUL, SOFTMAX, TABLE, MEAN, REQUANTIZE."""

from hedgerow.convert.emit.layout import ADD, MEAN, MUL, POOL, REQUANTIZE, SOFTMAX, TABLE
from hedgerow.convert.emit.words import Source, halves, quarters, record


def pool(source: Source) -> list[bytes]:
    o, area = source.options, source.options["window"]
    height, width, channels = o["in_shape"][1:]
    words = [
        source.at(0),
        source.out,
        halves(height, width),
        halves(channels, 0),
        halves(*area.out),
        quarters(*area.kernel, *area.stride),
        quarters(0, 0, *area.pad),
        quarters(0, o["act_min"], o["act_max"]),
    ]
    return [record(POOL, 0 if o["average"] else 1, words)]


def _operands(source: Source) -> tuple[int, list[int]]:
    """Flag and words 1 to 6 of ADD and MUL."""
    b = source.tensor(1)
    place = source.at(1) if b.data is None else source.constants.array(b.data, "i1")
    o = source.options
    words = [source.at(0), source.out, place, source.output.elements, b.elements, o["b_run"]]
    return int(b.data is not None), words


def add(source: Source) -> list[bytes]:
    o = source.options
    (constant, words), pairs = _operands(source), (o["pair_a"], o["pair_b"], o["requant"][0])
    words += [multiplier for multiplier, _ in pairs]
    words += [
        quarters(*(shift for _, shift in pairs)),
        quarters(o["zero_a"], o["zero_b"], o["zero_point"]),
        quarters(o["act_min"], o["act_max"]),
    ]
    return [record(ADD, constant | 2 * o["negate_a"] | 4 * o["negate_b"], words)]


def mul(source: Source) -> list[bytes]:
    o = source.options
    (constant, words), (multiplier, shift) = _operands(source), o["requant"][0]
    words += [
        multiplier,
        quarters(shift, o["act_min"], o["act_max"]),
        quarters(o["zero_a"], o["zero_b"], o["zero_point"]),
    ]
    return [record(MUL, constant, words)]


def softmax(source: Source) -> list[bytes]:
    o = source.options
    rows = source.tensor(0).elements // o["depth"]
    last = quarters(o["shift"]) | o["radius"] << 16
    words = [source.at(0), source.out, rows, o["depth"], o["multiplier"], last]
    return [record(SOFTMAX, int(o["bits"] == 16), words)]


def table(source: Source) -> list[bytes]:
    place = source.constants.array(source.options["table"], "i1")
    return [record(TABLE, 0, [source.at(0), source.out, source.tensor(0).elements, place])]


def mean(source: Source) -> list[bytes]:
    o = source.options
    multiplier, shift = o["requant"][0]
    words = [source.at(0), source.out, o["outer"], o["n"], o["inner"], multiplier]
    words += [o["total_zero"], quarters(shift, o["zero_point"])]
    return [record(MEAN, 0, words)]


def requantize(source: Source) -> list[bytes]:
    o, x, out = source.options, source.tensor(0), source.output
    multiplier, shift = o["requant"][0]
    last = quarters(shift, o["zero_point"]) | (o["zero_in"] & 0xFFFF) << 16
    words = [source.at(0), source.out, x.elements, multiplier, last]
    return [record(REQUANTIZE, x.item_bytes | out.item_bytes << 4, words)]
