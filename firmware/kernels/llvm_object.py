"""Makes LLVM's Xtensa objects what MicroPython's mpy_ld.py expects, which was written for GNU's.

    python llvm_object.py plan.o ...    rewrites them; needs pyelftools

L32R: the linker adds to the distance in the instruction, where GNU has 0 and LLVM what it guessed.
Literals: an offset from a section is in the word with GNU, in the relocation with LLVM.
"""

import struct
import sys
from pathlib import Path

from elftools.elf.elffile import ELFFile

_SLOT0_OP, _32 = 20, 1  # R_XTENSA_*
_RELA_BYTES, _ADDEND_AT = 12, 8
_L32R = 1  # low four bits


def rewrite(path: Path) -> None:
    """In place; the same again changes nothing. Raises ValueError at what it does not know."""
    data = bytearray(path.read_bytes())
    with path.open("rb") as file:
        elf = ELFFile(file)
        for section in elf.iter_sections():
            if section["sh_type"] == "SHT_RELA":
                _rewrite_section(elf, section, data)
    path.write_bytes(data)


def _rewrite_section(elf: ELFFile, section, data: bytearray) -> None:
    target = elf.get_section(section["sh_info"])
    symbols = elf.get_section(section["sh_link"])
    for place, relocation in enumerate(section.iter_relocations()):
        at = target["sh_offset"] + relocation["r_offset"]
        if target.name.startswith(".text"):
            _clear_l32r(relocation, at, data)
        elif target.name.startswith(".literal"):
            entry = section["sh_offset"] + place * _RELA_BYTES
            symbol = symbols.get_symbol(relocation["r_info_sym"])
            _move_addend(relocation, symbol, at, entry, data)


def _clear_l32r(relocation, at: int, data: bytearray) -> None:
    if relocation["r_info_type"] != _SLOT0_OP or data[at] & 15 != _L32R:
        raise ValueError(f"relocation {relocation.entry} of an instruction that is no L32R")
    data[at + 1 : at + 3] = b"\0\0"


def _move_addend(relocation, symbol, at: int, entry: int, data: bytearray) -> None:
    if relocation["r_info_type"] != _32:
        raise ValueError(f"relocation {relocation.entry} of a literal")
    if symbol["st_info"]["type"] != "STT_SECTION":
        return
    (word,) = struct.unpack_from("<I", data, at)
    struct.pack_into("<I", data, at, word + relocation["r_addend"])
    struct.pack_into("<i", data, entry + _ADDEND_AT, 0)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        rewrite(Path(name))
