"""Trees of any library as one TREES section: thresholds exact, leaf values in fixed point."""

import math
import struct
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hedge.learn import layout as at
from hedgerow.convert.classic.container import Classic, write
from hedgerow.convert.classic.inputs import Int16Inputs
from hedgerow.errors import ModelError

_MAX_DENOMINATOR = 100_000


@dataclass(frozen=True)
class Tree:
    """One tree of n nodes, node 0 the root: x[feature] <= threshold goes left.

    feature: (n,) int, -1 at a leaf; threshold: (n,) float64; left, right: (n,) int; values: (n, k)
    float64 what a leaf adds, to all k scores or, k = 1, to score `score`.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    values: np.ndarray
    score: int = 0


@dataclass(frozen=True)
class Ensemble:
    """Trees whose leaves add up, from `base` on: (scores,) float64.

    is_double: the library compares float64 inputs; scikit-learn and XGBoost compare float32.
    """

    trees: tuple[Tree, ...]
    base: np.ndarray
    features: int
    labels: tuple[int, ...]
    decision: int
    link: int
    is_double: bool = False


def pack(ensemble: Ensemble, inputs: Int16Inputs | None = None) -> bytes:
    """The .hgl file. Raises ModelError if a tree is malformed or too large."""
    for tree in ensemble.trees:
        _verify(tree, ensemble)
    one = _unit(ensemble)
    rows: dict[tuple[int, ...], int] = {}
    nodes, roots = bytearray(), [0]
    for tree in ensemble.trees:
        nodes += _nodes(tree, ensemble, one, rows, inputs)
        roots.append(len(nodes) // 8)
    base = [round(Fraction(float(value)) * one) for value in ensemble.base]
    table = np.array(list(rows), dtype="<i4")
    return write(
        Classic(
            kind=at.TREES,
            features=ensemble.features,
            scores=len(ensemble.base),
            rows=len(ensemble.trees),
            decision=ensemble.decision,
            score_scale=float(1 / Fraction(one)),
            sections=(
                bytes(nodes),
                np.array(roots, dtype="<u4").tobytes(),
                table.tobytes(),
                np.array(base, dtype="<i4").tobytes(),
            ),
            labels=ensemble.labels,
            inputs=inputs,
            link=ensemble.link,
            extra=len(rows),
        )
    )


def _unit(ensemble: Ensemble) -> Fraction:
    """What a value of 1.0 becomes: the largest that cannot overflow.

    A multiple of all denominators where leaves are fractions of samples, so that sums that are
    equal stay equal; else a power of two.
    """
    leaves = [tree.values[tree.feature < 0] for tree in ensemble.trees]
    if not leaves or any(not values.size for values in leaves):
        raise ModelError("no trees, or a tree without leaves")
    largest = float(np.abs(ensemble.base).max()) + sum(_reaches(leaves))
    if not math.isfinite(largest):
        raise ModelError("a leaf is not a finite number")
    room = (at.MAX_SCORE - len(leaves) - 1) / max(largest, 1e-9)
    if ensemble.link == at.SHARE:
        common = _common_denominator(np.unique(np.concatenate([v.ravel() for v in leaves])), room)
        if common:
            return Fraction(common * int(room // common))
    return Fraction(2) ** math.floor(math.log2(room))


def _reaches(leaves: list[np.ndarray]) -> list[float]:
    """What each tree adds at most, as the board's check counts it: a tree with a leaf that adds to
    several scores has a row of the table, which all trees share, so it may be the largest row."""
    shared = [np.count_nonzero(values, axis=1) > 1 for values in leaves]
    row = max(float(np.abs(v[s]).max(initial=0.0)) for v, s in zip(leaves, shared, strict=True))
    return [
        max(float(np.abs(v).max()), row if s.any() else 0.0)
        for v, s in zip(leaves, shared, strict=True)
    ]


def _common_denominator(values: np.ndarray, room: float) -> int:
    """Least common denominator of the fractions, 0 if it is above `room`."""
    common = 1
    for value in values:
        fraction = Fraction(float(value)).limit_denominator(_MAX_DENOMINATOR)
        common = math.lcm(common, fraction.denominator)
        if common > room or abs(float(fraction) - value) > 1e-15 * max(1.0, abs(value)):
            return 0
    return common


def _nodes(
    tree: Tree,
    ensemble: Ensemble,
    one: Fraction,
    rows: dict[tuple[int, ...], int],
    inputs: Int16Inputs | None,
) -> bytes:
    """Nodes in the order of SPEC.md: a node, its left branch, its right branch."""
    packed: list[tuple[int, int, int]] = []
    waiting = [(0, -1)]  # (node, packed node whose right branch it is, or -1)
    while waiting:
        node, parent = waiting.pop()
        if parent >= 0:
            threshold, feature, _ = packed[parent]
            packed[parent] = (threshold, feature, len(packed) - parent)
        feature = int(tree.feature[node])
        if feature < 0:
            packed.append(_leaf(tree, node, one, rows))
            continue
        if len(packed) > len(tree.feature):
            raise ModelError("a tree is malformed: two branches meet")
        waiting.append((int(tree.right[node]), len(packed)))
        waiting.append((int(tree.left[node]), -1))
        key = _key(float(tree.threshold[node]), feature, inputs, ensemble.is_double)
        packed.append((key, feature, 0))
    if max(skip for _, _, skip in packed) > 0xFFFF:
        raise ModelError("a left branch has over 65,000 nodes: train with max_depth or max_leaves")
    return b"".join(struct.pack("<IHH", *node) for node in packed)


def _verify(tree: Tree, ensemble: Ensemble) -> None:
    """Lengths and indices, of a file that anyone may have written."""
    count = len(tree.feature)
    lengths = {len(part) for part in (tree.threshold, tree.left, tree.right, tree.values)}
    if not count or lengths != {count}:
        raise ModelError("a tree is malformed: its lists differ in length")
    inner = tree.feature >= 0
    if np.any(tree.feature[inner] >= ensemble.features):
        raise ModelError(f"a tree is malformed: a feature is none of {ensemble.features}")
    children = np.concatenate([tree.left[inner], tree.right[inner]])
    if np.any(children < 1) or np.any(children >= count):
        raise ModelError("a tree is malformed: a branch leads nowhere")
    if not 0 <= tree.score <= len(ensemble.base) - tree.values.shape[1]:
        raise ModelError("a tree is malformed: it is of no class")


def _leaf(
    tree: Tree, node: int, one: Fraction, rows: dict[tuple[int, ...], int]
) -> tuple[int, int, int]:
    """A leaf that adds to one score holds the value; others share rows."""
    values = [_fixed(value, one) for value in tree.values[node]]
    nonzero = [j for j, value in enumerate(values) if value]
    if len(nonzero) <= 1:
        j = nonzero[0] if nonzero else 0
        return values[j] & 0xFFFFFFFF, at.LEAF, j + 1 + tree.score
    return rows.setdefault(tuple(values), len(rows)), at.LEAF, 0


def _fixed(value: float, one: Fraction) -> int:
    if one.denominator == 1 and one.numerator & (one.numerator - 1):  # fractions of samples
        return round(Fraction(float(value)).limit_denominator(_MAX_DENOMINATOR) * one)
    return round(Fraction(float(value)) * one)


def _key(threshold: float, feature: int, inputs: Int16Inputs | None, is_double: bool) -> int:
    """The largest unsigned word that still goes left (SPEC.md).

    Of a float64 library the board sees the input rounded to float32, so the threshold is rounded
    as well: x <= t stays true, and x > t too unless both round to one float32.
    """
    if math.isnan(threshold):
        raise ModelError("a threshold is not a number")
    if inputs is not None:
        scale, offset = float(inputs.scale[feature]), float(inputs.offset[feature])
        return _int_key(threshold, scale, offset, np.float64 if is_double else np.float32)
    if is_double:
        with np.errstate(over="ignore"):
            return float_key(np.float32(threshold) + np.float32(0))
    return float_key(float_floor(threshold))


def float_floor(value: float) -> np.float32:
    """The largest float32 that is not above value: x <= value means x <= this, of a float32 x."""
    with np.errstate(over="ignore"):
        near = np.float32(value)
    if float(near) > value:
        near = np.nextafter(near, np.float32(-np.inf))
    return near + np.float32(0)  # -0.0 becomes 0.0


def float_key(value: np.float32) -> int:
    """Bits of a float32 as an unsigned word in the order of the floats."""
    bits = int(np.array(value, dtype=np.float32).view(np.uint32))
    return bits ^ (0xFFFFFFFF if bits >> 31 else 0x80000000)


def _int_key(threshold: float, scale: float, offset: float, real: type) -> int:
    """Of an int16 input, as the library would see it: q * scale + offset in its float type."""
    if math.isinf(threshold):
        return 65537 if threshold > 0 else 0
    q = math.floor(max(min((threshold - offset) / scale, 32768.0), -32770.0))
    while q < 32767 and float(real((q + 1) * scale + offset)) <= threshold:
        q += 1
    while q >= -32768 and float(real(q * scale + offset)) > threshold:
        q -= 1
    return min(max(q, -32769), 32767) + 32769
