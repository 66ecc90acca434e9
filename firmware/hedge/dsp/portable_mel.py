"""The kernels of a front end in plain Python: what viper_mel.py computes, to the bit."""

TAKES_BYTES = False  # tables are arrays: this code cannot read 16 bits from bytes


def log_bands(bins, bands, weights, logs, count, base, floor, out):
    """out[b] = 1024 log2(sum of bins * weights of band b), int16; returns how many exceed floor.

    bins: int32, 0 to 2**30 - 1. bands: int16 triples (first bin, number of bins, offset of the
    band); weights: uint16, one band after the other, those of a band sum to at most 65535. base:
    added to all levels, as the band's offset is. Below floor, or without any signal: floor.
    logs: tables.log2_table(), with linear interpolation; within one unit.
    """
    live = at = 0
    for band in range(count):
        first, n, offset = bands[3 * band : 3 * band + 3]
        total = sum(bins[first + i] * weights[at + i] for i in range(n))
        at += n
        level = max(min(base + offset + _log2_q10(total, logs), 32767), floor) if total else floor
        live += level > floor
        out[band] = level
    return live


def _log2_q10(total, logs):
    level = 0
    if total >= 1 << 30:
        total, level = total >> 15, 15 << 10
    while total >= 65536:
        total, level = total >> 1, level + 1024
    while total < 32768:
        total, level = total << 1, level - 1024
    i = (total >> 9) - 64
    v = logs[i] + (((logs[i + 1] - logs[i]) * (total & 511)) >> 9)
    return level + (15 << 10) + ((v + 8) >> 4)


def _clamp(value, low, high):
    return max(min(value, high), low)


def matrix(x, count, rows, shift, n, out, at):
    """out[at + i] = round(sum over j of x[j] * rows[i * count + j] / 2**shift), int16, clamped.

    The sum must stay in 32 bits: the absolute values of a row sum to at most 65000.
    """
    for i in range(n):
        acc = sum(x[j] * rows[i * count + j] for j in range(count))
        out[at + i] = _clamp((acc + ((1 << shift) >> 1)) >> shift, -32768, 32767)


def quantise(x, at, n, gains, gain, factor, shift, zero, out, to):
    """int8 out[to + i] = zero + round(v * factor / 2**shift), clamped, of int16
    v = x[at + i] + round(gains[i] * gain / 2**13), clamped.
    """
    half = (1 << shift) >> 1
    for i in range(n):
        v = _clamp(x[at + i] + ((gains[i] * gain + 4096) >> 13), -32768, 32767)
        out[to + i] = _clamp(((v * factor + half) >> shift) + zero, -128, 127)


def store(x, at, n, ring, place, peak):
    """ring[place : place + n] = x[at : at + n]; returns max(peak, largest value)."""
    for i in range(n):
        v = x[at + i]
        ring[place + i] = v
        peak = max(peak, v)
    return peak
