"""Reads the machine code of a native .mpy and relocates it as MicroPython does.

code = parse(mpy)
text, rodata = code.at(text_at, rodata_at, qstrs_at, functions_at, functions)

Format: py/persistentcode.c of MicroPython 1.25, load_raw_code and mp_native_relocate.
"""

import dataclasses
import struct
from collections.abc import Sequence

_VIPER = 2  # kind of raw code
_HAS_RELOCATIONS, _HAS_RODATA, _HAS_BSS = 0x10, 0x20, 0x40  # scope flags
_RODATA, _QSTRS, _OBJECTS, _FUNCTIONS = 1, 6, 7, 8  # destinations; 0: text, 9...: a function


@dataclasses.dataclass(frozen=True)
class Relocation:
    """Word `word` of the text or rodata moves by the address of `to`."""

    in_rodata: bool
    word: int
    to: int


@dataclasses.dataclass(frozen=True)
class NativeCode:
    """arch: MP_NATIVE_ARCH_* of py/persistentcode.h."""

    arch: int
    text: bytes
    rodata: bytes
    relocations: tuple[Relocation, ...]

    def at(
        self, text_at: int, rodata_at: int, qstrs_at: int, table_at: int, table: Sequence[int]
    ) -> tuple[bytes, bytes]:
        """Text and rodata for these addresses. table: the words of mp_fun_table."""
        base = {0: text_at, _RODATA: rodata_at, _QSTRS: qstrs_at, _FUNCTIONS: table_at}
        base |= {_FUNCTIONS + 1 + place: address for place, address in enumerate(table)}
        parts = bytearray(self.text), bytearray(self.rodata)
        for each in self.relocations:
            part = parts[each.in_rodata]
            (word,) = struct.unpack_from("<I", part, 4 * each.word)
            moved = (word + base[each.to]) & 0xFFFFFFFF
            struct.pack_into("<I", part, 4 * each.word, moved)
        return bytes(parts[0]), bytes(parts[1])


def parse(mpy: bytes) -> NativeCode:
    """Of a module without bss, as `hedgerow toolchain kernels` makes. Raises AssertionError."""
    reader = _Reader(mpy, 4)
    names, objects = reader.uint(), reader.uint()
    assert (mpy[:2], objects) == (b"M\x06", 0), "no .mpy of version 6"
    for _ in range(names):
        reader.skip_name()
    kind = reader.uint()
    assert kind & 7 == _VIPER, "native code without children expected"
    text = reader.take(kind >> 3)
    flags = reader.uint()
    assert not flags & _HAS_BSS
    rodata = reader.take(reader.uint()) if flags & _HAS_RODATA else b""
    relocations = tuple(_relocations(reader)) if flags & _HAS_RELOCATIONS else ()
    return NativeCode(mpy[2] >> 2, text, rodata, relocations)


def _relocations(reader: "_Reader"):
    in_rodata, word = False, 0
    while (op := reader.take(1)[0]) != 0xFF:
        if op & 1:
            address = reader.uint()
            in_rodata, word = bool(address & 1), address >> 1
        to, count = op >> 1, 1
        if to < _QSTRS:
            count = reader.uint() if to & 1 else 1
            to >>= 1
        for _ in range(count):
            yield Relocation(in_rodata, word, to)
            word += 1


class _Reader:
    def __init__(self, data: bytes, start: int) -> None:
        self._data, self._at = data, start

    def take(self, count: int) -> bytes:
        self._at += count
        return self._data[self._at - count : self._at]

    def uint(self) -> int:
        """Seven bits a byte, highest first; bit 7: more follow."""
        value = 0
        while True:
            (byte,) = self.take(1)
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                return value

    def skip_name(self) -> None:
        size = self.uint()
        if not size & 1:  # else one that every MicroPython has
            self.take((size >> 1) + 1)
