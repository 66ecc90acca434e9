"""DISTANCES and GAUSSIANS (SPEC.md) in viper: no heap, exact on 32-bit machine words.

A distance has up to 88 bits: six limbs of 15 bits, then three words of 30 (high, middle, low).
Word rules as in viper_scores.py. work: inputs, then the words of one distance at n .. n + 2, of
the least so far at n + 3 .. n + 5, then k neighbours of four words (distance, class).
"""

import micropython

from .viper_scores import choose

# ruff: noqa: F821  ptr8, ptr16 and ptr32 are words of viper


@micropython.viper
def inputs(x: ptr16, work: ptr32, count: int):
    """work[i] = x[i] clamped to 15 bits, + 2**14: 0..32767."""
    for i in range(count):
        value = ((x[i] ^ 32768) - 32768) + 16384
        if value < 0:
            value = 0
        if value > 32767:
            value = 32767
        work[i] = value


@micropython.viper
def distance(data: ptr8, work: ptr32, j: int):
    """Words of the weighted squared distance of row j, its constant added, into work[n..n + 2]."""
    base = int(data)
    head = ptr32(base)
    n = head[6]
    centres = ptr16(base + head[13] + 2 * n * j)
    weights = ptr32(base + head[14] + 4 * head[18] * j)
    a0 = 0
    a1 = 0
    a2 = 0
    a3 = 0
    a4 = 0
    a5 = 0
    for i in range(n):
        apart = work[i] - centres[i]
        if apart:
            square = apart * apart
            sl = square & 32767
            sh = square >> 15
            packed = weights[i]
            ml = packed & 32767
            mh = (packed >> 15) & 32767
            p1 = sl * mh
            p2 = sh * ml
            p3 = sh * mh
            ml = sl * ml
            b0 = ml & 32767
            b1 = (ml >> 15) + (p1 & 32767) + (p2 & 32767)
            b2 = (p1 >> 15) + (p2 >> 15) + (p3 & 32767)
            b3 = p3 >> 15
            place = (packed >> 30) & 3
            if place == 0:
                a0 += b0
                a1 += b1
                a2 += b2
                a3 += b3
            elif place == 1:
                a1 += b0
                a2 += b1
                a3 += b2
                a4 += b3
            else:
                a2 += b0
                a3 += b1
                a4 += b2
                a5 += b3
    if head[15]:
        constant = ptr32(base + head[15] + 12 * j)
        top = 1
        top = top << 31
        packed = (constant[0] ^ top) - top
        a0 += constant[2] & 32767
        a1 += constant[2] >> 15
        a2 += constant[1] & 32767
        a3 += constant[1] >> 15
        a4 += packed & 32767
        a5 += packed >> 15
    a1 += a0 >> 15
    a2 += a1 >> 15
    a3 += a2 >> 15
    a4 += a3 >> 15
    work[n + 2] = ((a1 & 32767) << 15) | (a0 & 32767)
    work[n + 1] = ((a3 & 32767) << 15) | (a2 & 32767)
    work[n] = (a5 << 15) + a4


@micropython.viper
def gaussian(data: ptr8, x: ptr16, work: ptr32, j: int):
    """Words of sum of y**2 * 2**15 and the constant of component j into work[n..n + 2]."""
    base = int(data)
    head = ptr32(base)
    n = head[6]
    weights = ptr32(base + head[13] + 2 * n * (n + 1) * j)
    biases = ptr32(base + head[14] + 4 * n * j)
    constant = ptr32(base + head[15] + 12 * j)
    top = 1
    top = top << 31
    high = (constant[0] ^ top) - top
    a0 = constant[2] & 32767
    a1 = constant[2] >> 15
    a2 = constant[1] & 32767
    a3 = constant[1] >> 15
    for k in range(n):
        y = (biases[k] ^ top) - top
        for i in range(k + 1):
            value = (x[i] ^ 32768) - 32768
            weight = (weights[i] ^ top) - top
            y += value * (weight >> 15) + ((value * (weight & 32767)) >> 15)
        weights = ptr32(int(weights) + 4 * (k + 1))
        if y < 0:
            y = 0 - y
        yl = y & 32767
        yh = y >> 15
        a1 += (yl * yl) & 32767
        a2 += ((yl * yl) >> 15) + 2 * ((yl * yh) & 32767)
        a3 += 2 * ((yl * yh) >> 15) + ((yh * yh) & 32767)
        high += (yh * yh) >> 15
    a1 += a0 >> 15
    a2 += a1 >> 15
    a3 += a2 >> 15
    work[n + 2] = ((a1 & 32767) << 15) | (a0 & 32767)
    work[n + 1] = ((a3 & 32767) << 15) | (a2 & 32767)
    work[n] = high + (a3 >> 15)


@micropython.viper
def score(work: ptr32, n: int, shift: int) -> int:
    """The distance at work[n..n + 2] >> shift (30..60), clipped to 29 bits and sign."""
    top = 1
    top = top << 31
    most = (1 << 29) - 1
    high = (work[n] ^ top) - top
    right = shift - 30
    if high >= 1 << right:
        return most
    if high < 0 - (1 << right):
        return 0 - most
    value = (work[n + 1] >> right) + (high << (30 - right))
    if value > most:
        value = most
    if value < 0 - most:
        value = 0 - most
    return value


@micropython.viper
def is_less(work: ptr32, a: int, b: int) -> int:
    """1 if the distance at work[a..] is less than that at work[b..]."""
    top = 1
    top = top << 31
    left = (work[a] ^ top) - top
    right = (work[b] ^ top) - top
    if left != right:
        return 1 if left < right else 0
    if work[a + 1] != work[b + 1]:
        return 1 if work[a + 1] < work[b + 1] else 0
    return 1 if work[a + 2] < work[b + 2] else 0


@micropython.viper
def nearest(data, x, work, scores) -> int:
    """Scores of all rows; index of the least distance, the first of equals."""
    head = ptr32(data)
    words = ptr32(work)
    out = ptr32(scores)
    n = head[6]
    is_gaussian = int(head[4] & 65535 == 4)
    if not is_gaussian:
        inputs(x, work, n)
    best = 0
    for j in range(head[12]):
        if is_gaussian:
            gaussian(data, x, work, j)
        else:
            distance(data, work, j)
        out[j] = int(score(work, n, head[17]))
        if j == 0 or int(is_less(work, n, n + 3)):
            best = j
            for i in range(n, n + 3):
                words[i + 3] = words[i]
    return best


@micropython.viper
def keep_neighbour(work, n: int, kept: int, k: int, label: int) -> int:
    """Insert the distance at work[n..n + 2] into the `kept` nearest, in order; how many now."""
    place = n + 6 + 4 * kept
    if kept == k:
        place -= 4
        if not int(is_less(work, n, place)):
            return kept
        kept -= 1
    words = ptr32(work)
    while place > n + 6 and int(is_less(work, n, place - 4)):
        for i in range(place, place + 4):
            words[i] = words[i - 4]
        place -= 4
    for i in range(3):
        words[place + i] = words[n + i]
    words[place + 3] = label
    return kept + 1


@micropython.viper
def vote(data, x, work, scores) -> int:
    """Votes of the k nearest rows as scores; index of the most, the first of equals."""
    base = int(ptr8(data))
    head = ptr32(base)
    words = ptr32(work)
    out = ptr32(scores)
    n = head[6]
    k = (head[5] >> 16) & 65535
    classes = ptr16(base + head[16])
    inputs(x, work, n)
    kept = 0
    for j in range(head[12]):
        distance(data, work, j)
        kept = int(keep_neighbour(work, n, kept, k, classes[j]))
    for j in range(head[7]):
        out[j] = 0
    for i in range(k):
        j = words[n + 9 + 4 * i]
        out[j] += 1
    return int(choose(1, scores, head[7]))


@micropython.viper
def log_sum(data: ptr8, scores: ptr32, rows: int) -> int:
    """-log(sum of exp(-score)) in units of 2**-16, by the softplus table of the file."""
    base = int(data)
    head = ptr32(base)
    table = ptr32(base + head[16])
    top = 1
    top = top << 31
    total = (scores[0] ^ top) - top
    for j in range(1, rows):
        value = (scores[j] ^ top) - top
        apart = total - value
        if apart < 0:
            apart = 0 - apart
        if value < total:
            total = value
        i = apart >> 11
        if i < 512:
            total -= table[i] + (((table[i + 1] - table[i]) * (apart & 2047)) >> 11)
    scores[rows] = total
    threshold = (head[19] ^ top) - top
    return 1 if total > threshold else 0


@micropython.viper
def run(data, x, work, scores) -> int:
    """Fill scores; index of the label. data: the file, at a multiple of 4."""
    head = ptr32(data)
    words = ptr32(work)
    decision = (head[4] >> 24) & 255
    if decision == 5:
        return int(vote(data, x, work, scores))
    best = int(nearest(data, x, work, scores))
    if decision == 4:
        return best
    if decision == 7:
        return int(log_sum(data, scores, head[12]))
    n = head[6]
    top = 1
    top = top << 31
    high = (words[n] ^ top) - top
    if high < 0:
        return 0
    return 1 if high | words[n + 1] | words[n + 2] else 0
