"""Packs files, or a package as .mpy, into a ROMFS image: used in place, as from flash.

Format: the comment at the top of MicroPython's extmod/vfs_rom.c; a record is kind, length and
payload, the numbers in seven bits a byte, most significant first.
"""

import subprocess
from pathlib import Path

_FILESYSTEM = b"\xd2\xcd\x31"
_VERBATIM, _DIRECTORY, _FILE = 2, 4, 5


def _number(value: int) -> bytes:
    out = [value & 0x7F]
    while value := value >> 7:
        out.insert(0, 0x80 | value & 0x7F)
    return bytes(out)


def _record(kind: int, payload: bytes) -> bytes:
    return _number(kind) + _number(len(payload)) + payload


def _named(kind: int, name: str, payload: bytes) -> bytes:
    return _record(kind, _number(len(name)) + name.encode() + payload)


def _file(name: str, content: bytes) -> bytes:
    return _named(_FILE, name, _record(_VERBATIM, content))


def _compiled(mpy_cross: Path, source: Path, scratch: Path) -> bytes:
    out = scratch / "out.mpy"
    command = [mpy_cross, "-O3", "-s", source.name, "-o", out, source]
    subprocess.run(command, check=True, capture_output=True)
    return out.read_bytes()


def image(
    mpy_cross: Path, package: Path, modules: list[str], program: Path, scratch: Path
) -> bytes:
    """ROMFS image with package/<module> of each name ("net/mqtt.py") and program, compiled."""
    folders: dict[str, bytes] = {}
    for module in modules:
        folder, _, name = module.rpartition("/")
        code = _compiled(mpy_cross, package / module, scratch)
        folders[folder] = folders.get(folder, b"") + _file(Path(name).stem + ".mpy", code)
    inside = b"".join(_named(_DIRECTORY, f, body) for f, body in folders.items() if f)
    tree = _named(_DIRECTORY, package.name, inside + folders.get("", b""))
    tree += _file(program.stem + ".mpy", _compiled(mpy_cross, program, scratch))
    return _whole(tree)


def files(contents: dict[str, bytes]) -> bytes:
    """ROMFS image of files as they are, none in a folder."""
    return _whole(b"".join(_file(name, content) for name, content in contents.items()))


def _whole(tree: bytes) -> bytes:
    length = _number(len(tree))
    if (len(_FILESYSTEM) + len(length) + len(tree)) % 2:
        length = b"\x80" + length
    return _FILESYSTEM + length + tree
