"""A Linux program for Xtensa that runs one inference with the code of a native .mpy.

program(mpy, hgm, x, rows).elf    writes the output tensor to stdout

There is no linker for it, so the whole memory is laid out here: call.S, the module as MicroPython
would place it, the objects it is given, file, arena and stack.
"""

import dataclasses
import struct

from xtensa import high_products
from xtensa.native_file import NativeCode, parse

XTENSAWIN = 10  # MP_NATIVE_ARCH_XTENSAWIN
_BASE = 0x400000
_STACK_BYTES = 16384
_TABLE = 87  # words of mp_fun_table, py/nativeglue.h; below: places in it
_PLACES = {"swap_globals": 5, "store_global": 13, "get_buffer": 65}
_CURSOR_START = 60  # of the records in a .hgm
# What an assembler makes of call.S (tests/emulated/test_xtensa.py), from `start` on.
WORDS = (
    *("stack", "module", "object", "data", "arena", "cursor", "ints", "out", "bytes", "run"),
    "stored",
)
CODE = bytes.fromhex("""
11f5ff 81f5ff a1f5ff b2a000 c2a000 d2a000 e00800
81f8ff 822800 822801 a1f0ff b1f0ff c1f1ff e00800 81f0ff 822802 5618fe
22a00d 62a001 31edff 41eeff 005000 22a076 62a000 005000 00
364100 900000 3df0
364100 81e8ff 326800 900000
364100 822200 826300 822201 826301 22a001 900000 f02000
364100 22a076 62a003 005000
""")
_ENTRIES = {"start": 0x2C, "swap_globals": 0x78, "store_global": 0x80, "get_buffer": 0x8C}
_FAIL = 0xA4


@dataclasses.dataclass(frozen=True)
class Program:
    """text_at, text_bytes: the module's code in memory."""

    elf: bytes
    text_at: int
    text_bytes: int


class _Memory:
    """Parts one after the other, each at a multiple of 16."""

    def __init__(self) -> None:
        self.data = bytearray()

    def add(self, part: bytes) -> int:
        """Its address."""
        self.data += bytes(-len(self.data) % 16)
        at = _BASE + len(self.data)
        self.data += part
        return at

    def put(self, at: int, part: bytes) -> None:
        self.data[at - _BASE : at - _BASE + len(part)] = part


def program(mpy: bytes, hgm: bytes, x: bytes, rows: int = 0) -> Program:
    """rows: output rows a slice, as in the cursor of run(); 0: all at once."""
    memory = _Memory()
    memory.add(bytes(4 * len(WORDS)) + CODE)  # at _BASE
    code = parse(mpy)
    text_at = _place_module(memory, code)
    words = {"module": text_at} | _place_arguments(memory, hgm, x, rows)
    words["stack"] = memory.add(bytes(_STACK_BYTES)) + _STACK_BYTES - 32
    words["object"] = _place_object(memory)
    words["run"] = _BASE + 4 * WORDS.index("stored")
    memory.put(_BASE, struct.pack(f"<{len(WORDS)}I", *(words.get(name, 0) for name in WORDS)))
    return Program(_elf(bytes(memory.data)), text_at, len(code.text))


def _place_module(memory: _Memory, code: NativeCode) -> int:
    """Address of its text."""
    assert code.arch == XTENSAWIN
    table = [_BASE + _FAIL] * _TABLE
    for name, place in _PLACES.items():
        table[place] = _BASE + _ENTRIES[name]
    table_at = memory.add(struct.pack(f"<{_TABLE}I", *table))
    rodata_at, text_at = memory.add(bytes(len(code.rodata))), memory.add(bytes(len(code.text)))
    text, rodata = code.at(text_at, rodata_at, memory.add(bytes(64)), table_at, table)
    area_at = memory.add(bytes(high_products.AREA_BYTES))
    more_at = memory.add(b"")
    text, more = high_products.replace(text, text_at, more_at, area_at)
    memory.add(more)
    memory.put(text_at, text)
    memory.put(rodata_at, rodata)
    return text_at


def _place_arguments(memory: _Memory, hgm: bytes, x: bytes, rows: int) -> dict[str, int]:
    """The buffers of run(data, arena, cursor), and where the output will be."""
    (arena_bytes,) = struct.unpack_from("<I", hgm, 16)
    records = sum(struct.unpack_from("<HH", hgm, 20))  # those that reset state come first
    place, count = struct.unpack_from("<II", hgm, 24)
    out, out_bytes = struct.unpack_from("<II", hgm, 36)
    arena = bytearray(arena_bytes)
    arena[place : place + count] = x
    ints = struct.pack("<4i", _CURSOR_START, 0, records, rows)
    words = {"bytes": out_bytes}
    for name, part in (("data", hgm), ("arena", bytes(arena)), ("cursor", ints)):
        at = memory.add(part)
        words[name] = memory.add(struct.pack("<3I", at, len(part), 0))
        words |= {"arena": {"out": at + out}, "cursor": {"ints": at}}.get(name, {})
    return words


def _place_object(memory: _Memory) -> int:
    at = memory.add(bytes(256))
    memory.put(at, struct.pack("<I", at) * 64)  # every pointer in it leads back to it
    return at


def _elf(content: bytes) -> bytes:
    """One segment to read, write and execute. Format: System V ABI, little-endian, 32 bit."""
    size, header_bytes = len(content), 4096
    ident = b"\x7fELF\x01\x01\x01" + bytes(9)
    start = _BASE + _ENTRIES["start"]
    header = struct.pack("<HHIIIIIHHHHHH", 2, 94, 1, start, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    segment = struct.pack("<8I", 1, header_bytes, _BASE, _BASE, size, size, 7, 4096)
    return (ident + header + segment).ljust(header_bytes, b"\0") + content
