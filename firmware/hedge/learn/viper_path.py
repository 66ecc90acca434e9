"""The walk through half-space trees in viper: no heap. Rules as in viper_scores.py."""

import micropython

# ruff: noqa: F821  ptr8, ptr16 and ptr32 are words of viper


@micropython.viper
def path(
    features: ptr8, thresholds: ptr16, masses: ptr16, x: ptr16, shape: ptr32, learn: int
) -> int:
    """learn: count x in every node of its path, returns 0; else the score of x.

    shape: array (trees, depth, small). x: int16; left is x < threshold.
    """
    depth = shape[1]
    small = shape[2]
    inner = (1 << depth) - 1
    score = 0
    split = 0
    start = 0
    for _ in range(shape[0]):
        i = 0
        level = 0
        while level <= depth:
            mass = masses[start + i]
            if learn:
                masses[start + i] = mass + 1
            elif level == depth or mass <= small:
                score += mass << level
                level = depth
            if level < depth:
                value = x[features[split + i]] ^ 32768
                if value < thresholds[split + i] ^ 32768:
                    i = 2 * i + 1
                else:
                    i = 2 * i + 2
            level += 1
        split += inner
        start += 2 * inner + 1
    return score
