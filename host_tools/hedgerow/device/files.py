"""Files of a board: list, copy to and from it, remove. A board's path is written ":path".

Each function works in a session that enter() has begun; the caller restarts the app.
"""

import binascii
import json
from collections.abc import Iterable
from pathlib import Path

from hedgerow.device.frames import file_frames
from hedgerow.device.link import SerialLink
from hedgerow.device.link_errors import GarbledLinkError
from hedgerow.device.session import define_link, on_board, send_frames
from hedgerow.errors import DeviceError, UsageError


def list_files(link: SerialLink, path: str = "/") -> list[tuple[str, int | None]]:
    """(name, bytes) of what a folder holds, folders with None. Raises BoardError."""
    said = _call(link, "list_files", path)
    return [(name, size) for name, size in json.loads(said)]


def remove(link: SerialLink, path: str) -> None:
    """A file, or a folder with all in it."""
    if not path.strip("/"):
        raise UsageError("rm: this would remove all of the board's files: name what to remove")
    _call(link, "remove_files", "/" + path.strip("/"))


def put(link: SerialLink, source: Path, target: str) -> list[str]:
    """A file or a folder to the board, each file whole or not at all; the paths written."""
    files = {name: path.read_bytes() for name, path in _targets(source, target)}
    define_link(link)
    frames = (frame for item in files.items() for frame in file_frames(*item))
    send_frames(link, "receive('/')\n", frames)
    return list(files)


def _targets(source: Path, target: str) -> Iterable[tuple[str, Path]]:
    """A target that is empty or ends in "/" is a folder."""
    target = target.lstrip("/")
    if source.is_dir():
        below = target.rstrip("/") or source.name
        for path in sorted(source.rglob("*")):
            if path.is_file():
                yield f"{below}/{path.relative_to(source).as_posix()}", path
    elif source.is_file():
        yield (target + source.name if not target or target.endswith("/") else target), source
    else:
        raise UsageError(f"{source}: no such file")


def get(link: SerialLink, source: str, target: Path) -> Path:
    """A file from the board, checked by its CRC; where it was written."""
    said = _call(link, "get_file", "/" + source.strip("/"))
    *lines, crc = said.split()
    data = b"".join(binascii.a2b_base64(line) for line in lines)
    if f"{binascii.crc32(data):08x}" != crc:
        raise GarbledLinkError(f"{link.port}: {source} arrived damaged: try again")
    place = target / Path(source).name if target.is_dir() else target
    try:
        place.write_bytes(data)
    except OSError as error:
        raise DeviceError(f"{place}: cannot be written: {error.strerror}") from error
    return place


def _call(link: SerialLink, name: str, path: str) -> str:
    return link.run(f"{on_board(name)}\n{name}({path!r})\n", timeout_s=60.0)
