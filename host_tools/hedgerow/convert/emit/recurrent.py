"""SVDF and LSTM."""

from hedgerow.convert.emit.layout import LSTM, SVDF
from hedgerow.convert.emit.words import Source, halves, quarters, record
from hedgerow.convert.ops.recurrent import SIGMOID


def svdf(source: Source) -> list[bytes]:
    o, state, constants = source.options, source.tensor(1), source.constants
    filters, n_in = o["feature"].shape
    wide = state.item_bytes == 2
    pairs = (o["state_pair"], o["requant"][0])
    words = [
        source.at(0),
        source.out,
        source.at(1),
        halves(n_in, filters),
        halves(o["time"].shape[1], o["rank"]),
        constants.array(o["feature"], "i1"),
        constants.array(o["time"], "<i2" if wide else "i1"),
        constants.array(o["bias"], "<i4"),
        *(multiplier for multiplier, _ in pairs),
        quarters(pairs[0][1], pairs[1][1], o["act_min"], o["act_max"]),
        quarters(source.tensor(0).zero_point, o["zero_state"], o["zero_point"]),
        constants.array(o["feature_bias"], "<i4"),
        *([0] * 4),
    ]
    return [record(SVDF, int(wide), words)]


def lstm(source: Source) -> list[bytes]:
    o, constants, cells = source.options, source.constants, source.options["cells"]
    parts, products = (*o["input"], *o["recurrent"]), o["products"]
    n_in = o["input"][0][0].shape[1]
    steps = source.tensor(0).elements // n_in
    shifts = [shift for _, _, (_, shift) in parts]
    words = [
        source.at(0),
        source.out,
        source.at(1),
        source.at(2),
        halves(n_in, cells),
        halves(steps, o["power"]),
        n_in,  # a batch has been split: the steps lie one after the other
        cells,
        source.scratch,
        constants.array(SIGMOID, "<u2"),
        o["cell_clip"] | quarters(o["zero_hidden"]) << 16,
        *(constants.array(weights, "i1") for weights, _, _ in parts),
        *(constants.array(bias, "<i4") for _, bias, _ in parts),
        *(multiplier for _, _, (multiplier, _) in parts),
        quarters(*shifts[:4]),
        quarters(*shifts[4:]),
        *(multiplier for multiplier, _ in products),
        quarters(*(shift for _, shift in products)),
        0,
        0,
    ]
    return [record(LSTM, 0, words)]
