"""The kernels of int8.py in plain Python; same numbers as viper_int8.py."""


def squares(rows, x, out, count, n):
    """out[j] = squared distance of x (int8) to row j (stored as value + 128), j < count."""
    at = 0
    for j in range(count):
        total = 0
        for i in range(n):
            d = rows[at + i] - x[i] - 128
            total += d * d
        out[j] = total
        at += n


def least(out, count, after, place):
    """Index of the least of out[:count] behind (after, place) in the order (value, index)."""
    best = -1
    for j in range(count):
        if (out[j] > after or (out[j] == after and j > place)) and (
            best < 0 or out[j] < out[best]
        ):
            best = j
    return best


def nearest_mean(means, counts, x, out, classes, n):
    """Class with the nearest mean, -1 if none has samples; out[0], out[1]: its squared distance.

    means: u16, 16 * (value + 128), rows of n; distance in 1/256: out[0] * 2**15 + out[1].
    """
    best, distance = -1, 0
    for c in range(classes):
        if not counts[c]:
            continue
        total = 0
        for i in range(n):
            d = means[c * n + i] - 16 * (x[i] + 128)
            total += d * d
        if best < 0 or total < distance:
            best, distance = c, total
    out[0], out[1] = distance >> 15, distance & 0x7FFF
    return best
