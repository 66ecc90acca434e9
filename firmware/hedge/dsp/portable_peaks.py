"""Local maxima and prominence in plain Python: what viper_peaks.py computes, to the bit."""


def maxima(x, wide, n, height, out, most):
    """Write where x, of at least height, is larger than before and after; returns how many.

    Of a flat top the middle, rounded down; never an end. wide: x is int32, else int16. out:
    uint16, the first `most` of them.
    """
    found = start = 0
    for i in range(1, n):
        if x[i] > x[i - 1]:
            start = i
        elif x[i] < x[i - 1]:
            if start and x[i - 1] >= height:
                if found < most:
                    out[found] = (start + i - 1) >> 1
                found += 1
            start = 0
    return found


def prominence(x, wide, n, peak, out):
    """out[0]: how far x[peak] stands above the higher of the two valleys that part it from
    higher ground, or from the ends.
    """
    bases = []
    for side in (-1, 1):
        i, least = peak, x[peak]
        while 0 <= i < n and x[i] <= x[peak]:
            least = min(least, x[i])
            i += side
        bases.append(least)
    out[0] = x[peak] - max(bases)
