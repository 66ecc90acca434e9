"""Reads Universal Binary JSON, as XGBoost saves it; trusts nothing in the data.

Source: ubjson.org, draft 12: numbers are big-endian, arrays may name a type and a count.
"""

import struct
from typing import Any

import numpy as np

from hedgerow.errors import ModelError

_MAX_DEPTH = 32
_NUMBERS = {
    b"i": ">i1",
    b"U": ">u1",
    b"I": ">i2",
    b"l": ">i4",
    b"L": ">i8",
    b"d": ">f4",
    b"D": ">f8",
}
_WORDS: dict[bytes, Any] = {b"Z": None, b"T": True, b"F": False}


def loads(data: bytes) -> Any:
    """Dicts, lists, strings and numbers; typed arrays become lists. Raises ModelError."""
    reader = _Reader(data)
    try:
        return reader.value(reader.take(1), 0)
    except (struct.error, UnicodeDecodeError, KeyError) as error:
        raise ModelError(f"not UBJSON near byte {reader.at}: {error}") from None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        found = self.data[self.at : self.at + size]
        if size < 0 or len(found) != size:
            raise ModelError(f"UBJSON ends early, at byte {self.at}")
        self.at += size
        return found

    def peek(self) -> bytes:
        return self.data[self.at : self.at + 1]

    def number(self, kind: bytes) -> int | float:
        dtype = np.dtype(_NUMBERS[kind])
        return np.frombuffer(self.take(dtype.itemsize), dtype)[0].item()

    def length(self) -> int:
        return int(self.number(self.take(1)))

    def text(self) -> str:
        return self.take(self.length()).decode()

    def value(self, kind: bytes, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise ModelError(f"UBJSON is nested over {_MAX_DEPTH} deep")
        if kind in _WORDS:
            return _WORDS[kind]
        if kind == b"S":
            return self.text()
        if kind == b"[":
            return self._array(depth)
        if kind == b"{":
            return self._object(depth)
        return self.number(kind)

    def _head(self) -> tuple[bytes, int | None]:
        """Optional element type and count of a container."""
        kind = b""
        if self.peek() == b"$":
            self.take(1)
            kind = self.take(1)
        if self.peek() == b"#":
            self.take(1)
            return kind, self.length()
        return kind, None

    def _array(self, depth: int) -> list[Any]:
        kind, count = self._head()
        if count is None:
            found = []
            while self.peek() != b"]":
                found.append(self.value(self.take(1), depth + 1))
            self.take(1)
            return found
        if kind in _NUMBERS:
            dtype = np.dtype(_NUMBERS[kind])
            return np.frombuffer(self.take(count * dtype.itemsize), dtype).tolist()
        return [self.value(kind or self.take(1), depth + 1) for _ in self._bounded(count)]

    def _object(self, depth: int) -> dict[str, Any]:
        kind, count = self._head()
        found: dict[str, Any] = {}
        if count is not None:
            for _ in self._bounded(count):
                key = self.text()
                found[key] = self.value(kind or self.take(1), depth + 1)
            return found
        while self.peek() != b"}":
            key = self.text()
            found[key] = self.value(self.take(1), depth + 1)
        self.take(1)
        return found

    def _bounded(self, count: int) -> range:
        if not 0 <= count <= len(self.data):
            raise ModelError(f"UBJSON: {count} elements near byte {self.at}")
        return range(count)
