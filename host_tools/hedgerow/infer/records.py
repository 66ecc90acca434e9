"""The records of a .hgm (SPEC.md) and what one becomes: a graph of one device op.

resets, plan = records(data)
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from hedgerow.convert.graph import Graph, Op, Tensor

_HEADER_BYTES, _COUNTS_AT = 60, 20
Input = tuple[tuple[int, ...], str, str, int]


@dataclass(frozen=True)
class Step:
    """One record as a graph of one op.

    places: for each input of the op ("arena" or "file", offset); target: where in the arena its
    output goes.
    """

    graph: Graph
    places: tuple[tuple[str, int], ...]
    target: int


@dataclass(frozen=True)
class Record:
    """words: as i32; the file around it."""

    data: bytes
    words: tuple[int, ...]
    flags: int

    def halves(self, at: int) -> tuple[int, int]:
        return self.words[at] & 0xFFFF, self.words[at] >> 16 & 0xFFFF

    def bytes_of(self, at: int) -> tuple[int, ...]:
        return tuple(struct.pack("<i", self.words[at]))

    def int8s(self, at: int) -> tuple[int, ...]:
        return struct.unpack("<4b", struct.pack("<i", self.words[at]))

    def array(self, offset: int, count: int, dtype: str) -> np.ndarray:
        return np.frombuffer(self.data, np.dtype(dtype), count, offset)


def records(data: bytes) -> tuple[list[Record], list[Record]]:
    """(of a reset, of an invoke), in order. data: a file that the board's reader accepts."""
    ops, resets = struct.unpack_from("<HH", data, _COUNTS_AT)
    found = list(_records(data, resets + ops))
    return found[:resets], found[resets:]


def _records(data: bytes, count: int) -> Iterator[Record]:
    at = _HEADER_BYTES
    for _ in range(count):
        head = struct.unpack_from("<I", data, at)[0]
        n = head >> 8 & 0xFF
        yield Record(data, struct.unpack_from(f"<{n}i", data, at), head >> 16)
        at += 4 * n


def make_step(
    kind: str,
    options: Mapping[str, Any],
    inputs: list[Input],
    out: tuple[tuple[int, ...], str, int],
) -> Step:
    """inputs: (shape, dtype, "arena" or "file", offset); out: (shape, dtype, offset)."""
    tensors = [Tensor("", shape, dtype) for shape, dtype, _, _ in inputs]
    tensors.append(Tensor("", out[0], out[1]))
    last = len(inputs)
    op = Op(kind, tuple(range(last)), (last,), MappingProxyType(dict(options)))
    places = tuple((where, at) for _, _, where, at in inputs)
    return Step(Graph(tuple(tensors), (op,), 0, last), places, out[2])
