"""Writes a .hgl file: firmware/hedge/learn/SPEC.md is the format."""

import binascii
import struct
from dataclasses import dataclass, field

import numpy as np

from hedge.core.errors import ModelError as DeviceModelError
from hedge.learn import layout as at
from hedge.learn.check import check
from hedgerow.convert.classic.inputs import Int16Inputs
from hedgerow.errors import ModelError

_CRC_FROM = 16


@dataclass(frozen=True)
class Classic:
    """One model, its numbers final. sections: A to D of the kind, b"" where it has none.

    labels: (n,) int, empty for a regression; inputs: None for float32 features.
    """

    kind: int
    features: int
    scores: int
    rows: int
    decision: int
    score_scale: float
    sections: tuple[bytes, bytes, bytes, bytes]
    labels: tuple[int, ...] = ()
    inputs: Int16Inputs | None = None
    link: int = at.NO_LINK
    neighbours: int = 0
    extra: int = 0
    step: int = 0
    threshold: int = 0


@dataclass
class _Body:
    """What follows the header; add() returns a file offset, a multiple of 4, 0 of nothing."""

    data: bytearray = field(default_factory=bytearray)

    def add(self, blob: bytes) -> int:
        if not blob:
            return 0
        place = at.HEADER_BYTES + len(self.data)
        self.data += blob + bytes(-len(blob) % 4)
        return place


def write(model: Classic) -> bytes:
    """The file's bytes. Raises ModelError if the model is larger than the format allows."""
    body = _Body()
    quant = body.add(model.inputs.packed() if model.inputs else b"")
    labels = body.add(np.asarray(model.labels, dtype="<i4").tobytes())
    places = [body.add(section) for section in model.sections]
    try:
        data = _head(model, [quant, labels, model.rows, *places]) + bytes(body.data)
        data = _sealed(data)
        check(data)
    except (struct.error, DeviceModelError) as error:
        raise ModelError(f"the model does not fit the .hgl format: {error}") from error
    return data


def _head(model: Classic, places: list[int]) -> bytes:
    return struct.pack(
        at.HEADER,
        at.MAGIC,
        at.VERSION,
        0,
        0,
        model.kind,
        at.INT16 if model.inputs else at.FLOAT32,
        model.decision,
        model.link,
        model.neighbours,
        model.features,
        model.scores,
        len(model.labels),
        model.score_scale,
        *places,
        model.extra,
        model.step,
        model.threshold,
    )


def _sealed(data: bytes) -> bytes:
    head = struct.pack("<II", len(data), binascii.crc32(data[_CRC_FROM:]))
    return data[:8] + head + data[_CRC_FROM:]
