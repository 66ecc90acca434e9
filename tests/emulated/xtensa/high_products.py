"""MULSH and MULUH for QEMU's cores, which lack them; an ESP32 has them.

text, more = replace(text, text_at, more_at, area_at)

Each becomes a jump to a piece of code that computes the same from 16 x 16 bit products (Hacker's
Delight, 8-2) and jumps back, so all other instructions stay as and where they are and the text
runs as many instructions as on an ESP32. Encodings: Xtensa ISA Reference Manual.
"""

import itertools
import struct

AREA_BYTES = 32  # that the pieces use
_MULSH, _MULUH = 0xB2, 0xA2
_RETW_N, _JUMP = b"\x1d\xf0", 6
_SAVED = range(4)  # words of the area: four registers, then the result
_RESULT = 4


def replace(text: bytes, text_at: int, more_at: int, area_at: int) -> tuple[bytes, bytes]:
    """Text with jumps, and what is to lie at more_at, behind the text."""
    patched, more = bytearray(text), bytearray(struct.pack("<I", area_at))
    for place in _instructions(text):
        kind = text[place + 2]
        if text[place] & 15 or kind not in (_MULSH, _MULUH):
            continue
        at = more_at + len(more)
        r, s, t = text[place + 1] >> 4, text[place + 1] & 15, text[place] >> 4
        piece = _piece(kind == _MULSH, (r, s, t), at, more_at)
        patched[place : place + 3] = _jump(text_at + place, at)
        more += piece + _jump(at + len(piece), text_at + place + 3)
        more += bytes(-len(more) % 4)
    return bytes(patched), bytes(more)


def _piece(signed: bool, operands: tuple[int, int, int], at: int, literal_at: int) -> bytes:
    r, s, t = operands
    free = (register for register in range(2, 16) if register not in operands)
    base, *work = itertools.islice(free, 5)
    words = [_threadptr(base, write=True), _l32r(base, at + 3, literal_at)]
    words += [_s32i(register, base, place) for place, register in zip(_SAVED, work, strict=True)]
    words += _product(signed, s, t, work)
    words += [_s32i(work[3], base, _RESULT)]
    words += [_l32i(register, base, place) for place, register in zip(_SAVED, work, strict=True)]
    words += [_l32i(r, base, _RESULT), _threadptr(base, write=False)]
    return b"".join(words)


def _product(signed: bool, s: int, t: int, work: list[int]) -> list[bytes]:
    """The upper half of s * t into work[3]."""
    a, b, c, d = work
    upper = _srai_16 if signed else _upper_half
    return [
        _lower_half(a, s),
        _lower_half(b, t),
        _mull(c, a, b),
        _upper_half(c, c),
        upper(d, s),
        _mull(b, d, b),
        _add(c, b, c),
        upper(b, t),
        _mull(a, a, b),
        _mull(d, d, b),
        _lower_half(b, c),
        _add(a, a, b),
        upper(c, c),
        upper(a, a),
        _add(d, d, c),
        _add(d, d, a),
    ]


def _instructions(text: bytes):
    """Places of the instructions. Functions begin with ENTRY at a multiple of 4; what lies before
    the first are words, and between two there may be zeros."""
    place = 4  # behind the jump to mpy_init
    while not _is_entry(text, place):
        place += 4
    ended = False
    while place + 3 <= len(text):  # what is left is RETW.N
        following = -(-place // 4) * 4
        if ended and _is_entry(text, following) and not any(text[place:following]):
            place = following
        yield place
        size = 2 if _is_narrow(text[place]) else 3
        ended = text[place : place + 2] == _RETW_N or text[place] & 63 == _JUMP
        place += size


def _is_entry(text: bytes, place: int) -> bool:
    return text[place : place + 1] == b"\x36" and text[place + 1] & 15 == 1


def _is_narrow(first: int) -> bool:
    return first & 15 >= 8


def _rrr(kind: int, r: int, s: int, t: int) -> bytes:
    return bytes((t << 4, r << 4 | s, kind))


def _mull(r: int, s: int, t: int) -> bytes:
    return _rrr(0x82, r, s, t)


def _add(r: int, s: int, t: int) -> bytes:
    return _rrr(0x80, r, s, t)


def _srai_16(r: int, t: int) -> bytes:
    return _rrr(0x31, r, 0, t)


def _lower_half(r: int, t: int) -> bytes:
    return _rrr(0xF4, r, 0, t)  # EXTUI of 16 bits from bit 0


def _upper_half(r: int, t: int) -> bytes:
    return _rrr(0xF5, r, 0, t)  # from bit 16


def _l32i(t: int, s: int, word: int) -> bytes:
    return bytes((t << 4 | 2, 2 << 4 | s, word))


def _s32i(t: int, s: int, word: int) -> bytes:
    return bytes((t << 4 | 2, 6 << 4 | s, word))


def _threadptr(register: int, *, write: bool) -> bytes:
    """To or from a register that no kernel uses."""
    return _rrr(0xF3, 0xE, 7, register) if write else _rrr(0xE3, register, 0xE, 7)


def _l32r(t: int, at: int, literal_at: int) -> bytes:
    return struct.pack("<BH", t << 4 | 1, (literal_at - (at + 3 & ~3)) >> 2 & 0xFFFF)


def _jump(at: int, to: int) -> bytes:
    return ((to - at - 4 & 0x3FFFF) << 6 | _JUMP).to_bytes(3, "little")
