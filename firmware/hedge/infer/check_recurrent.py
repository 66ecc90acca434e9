"""Checks of SVDF and LSTM records; see ops.py."""

from .fields import i8, i16, u8, u16
from .ops import LSTM, SVDF, apart, clamp, fail, flags, need, pair

_SIGMOID_BYTES = 512
_MAX_POWER = 14  # 3 * (cell << power) stays in int32


def _all_apart(spans):
    for i in range(len(spans)):
        for k in range(i):
            apart(spans[i], spans[k], "ranges overlap")


def _svdf(op, bounds):
    width = 1 + flags(op, 1)
    (n_in, filters), (memory, rank) = ((u16(op[at], 0), u16(op[at], 1)) for at in (4, 5))
    need(min(n_in, filters, memory, rank) > 0, "a size of 0")
    if filters % rank:
        fail("%d filters of rank %d" % (filters, rank))
    units = filters // rank
    spans = [
        bounds.in_arena(op[1], n_in, "input"),
        bounds.in_arena(op[2], units, "output"),
        bounds.in_state(op[3], filters * memory * width, "state"),
    ]
    _all_apart(spans)
    bounds.in_file(op[6], filters * n_in, "feature weights")
    bounds.in_file(op[7], filters * memory * width, "time weights")
    bounds.in_file(op[8], 4 * units, "biases")
    bounds.in_file(op[13], 4 * filters, "feature biases")
    pair(op[9], i8(op[11], 0))
    pair(op[10], i8(op[11], 1))
    clamp(i8(op[11], 2), i8(op[11], 3))
    need(not u8(op[12], 3) and not any(op[14:18]), "reserved words, expected 0")


def _lstm(op, bounds):
    flags(op, 0)
    n_in, n, steps = u16(op[5], 0), u16(op[5], 1), u16(op[6], 0)
    need(min(n_in, n, steps) > 0, "a size of 0")
    need(min(op[7:9]) >= 0, "a distance below 0")
    spans = [
        bounds.in_arena(op[1], (steps - 1) * op[7] + n_in, "input"),
        bounds.in_arena(op[2], (steps - 1) * op[8] + n, "output"),
        bounds.in_state(op[3], n, "hidden state"),
        bounds.in_state(op[4], 2 * n, "cell state"),
        bounds.in_arena(op[9], 8 * n, "scratch"),
    ]
    _all_apart(spans)
    apart(spans[4], bounds.state, "scratch lies in the state")
    power = i16(op[6], 1)
    if not -15 <= power <= _MAX_POWER:
        fail("power %d, expected -15 .. %d" % (power, _MAX_POWER))
    bounds.in_file(op[10], _SIGMOID_BYTES, "sigmoid table")
    need(u16(op[11], 0) <= 32767 and not u8(op[11], 3), "cell clip above 32767")
    need(not u8(op[41], 3) and not any(op[42:44]), "reserved words, expected 0")
    _check_gates(op, bounds, n_in, n)


def _check_gates(op, bounds, n_in, n):
    for gate in range(4):
        bounds.in_file(op[12 + gate], n * n_in, "input weights")
        bounds.in_file(op[16 + gate], n * n, "recurrent weights")
        bounds.in_file(op[20 + gate], 4 * n, "biases")
        bounds.in_file(op[24 + gate], 4 * n, "recurrent biases")
        pair(op[28 + gate], i8(op[36], gate))
        pair(op[32 + gate], i8(op[37], gate))
    for i in range(3):
        pair(op[38 + i], i8(op[41], i))


CHECKS = {SVDF: _svdf, LSTM: _lstm}
