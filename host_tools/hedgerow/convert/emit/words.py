"""What every record is made of: packed 32-bit words, constants, places in the arena."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hedgerow.convert.emit.layout import WORDS
from hedgerow.convert.graph import Op, Tensor
from hedgerow.convert.plan import Plan

Words = list[int]


class Constants:
    """The third part of the file; add() returns a file offset, a multiple of 4."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.data = bytearray()
        self._known: dict[bytes, int] = {}

    def add(self, blob: bytes) -> int:
        if blob not in self._known:
            self._known[blob] = self.start + len(self.data)
            self.data += blob + bytes(-len(blob) % 4)
        return self._known[blob]

    def array(self, values: object, dtype: str) -> int:
        """add() of numbers; dtype as NumPy writes it: "i1", "<i2", "<i4"."""
        return self.add(np.ascontiguousarray(values).astype(dtype).tobytes())


@dataclass(frozen=True)
class Source:
    """What a record is made from: one op of the plan, and the constants of the file."""

    plan: Plan
    op: Op
    constants: Constants

    @property
    def options(self) -> Mapping[str, Any]:
        return self.op.options

    def tensor(self, place: int) -> Tensor:
        """Input `place`."""
        return self.plan.graph.tensors[self.op.inputs[place]]

    @property
    def output(self) -> Tensor:
        return self.plan.graph.tensors[self.op.outputs[0]]

    def at(self, place: int) -> int:
        """Arena offset of input `place`."""
        return self.plan.offsets[self.op.inputs[place]]

    @property
    def out(self) -> int:
        """Arena offset of the output."""
        return self.plan.offsets[self.op.outputs[0]]

    @property
    def scratch(self) -> int:
        """Arena offset of the second output, 0 without."""
        return self.plan.offsets[self.op.outputs[1]] if len(self.op.outputs) > 1 else 0


def record(opcode: int, flags: int, words: Words) -> bytes:
    """Word 0 and the words from 1 on, as in the file."""
    head = opcode | WORDS[opcode] << 8 | flags << 16
    assert len(words) == WORDS[opcode] - 1, opcode
    return np.array([head, *(w & 0xFFFFFFFF for w in words)], dtype="<u4").tobytes()


def halves(low: int, high: int) -> int:
    """Two u16 (or i16) in a word."""
    return low & 0xFFFF | (high & 0xFFFF) << 16


def quarters(*values: int) -> int:
    """Up to four bytes in a word, from low to high; the rest 0."""
    return sum((value & 0xFF) << 8 * i for i, value in enumerate(values))
