"""The walk through half-space trees in plain Python; same numbers as viper_path.py."""


def path(features, thresholds, masses, x, shape, learn):
    """learn: count x in every node of its path, returns 0; else the score of x.

    shape: array (trees, depth, small). x: int16; left is x < threshold.
    """
    trees, depth, small = shape
    inner, score = (1 << depth) - 1, 0
    for t in range(trees):
        i, start = 0, t * (2 * inner + 1)
        for level in range(depth + 1):
            if learn:
                masses[start + i] += 1
            elif level == depth or masses[start + i] <= small:
                score += masses[start + i] << level
                break
            if level < depth:
                split = t * inner + i
                i = 2 * i + 1 if x[features[split]] < thresholds[split] else 2 * i + 2
    return score
