"""Run a source file on a board without storing it; run it again whenever it changes."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hedgerow.device.link import SerialLink
from hedgerow.errors import UsageError

_END = b"\x04"
_LOOK_S = 0.1

Shown = Callable[[str], None]


def run_file(link: SerialLink, path: Path, shown: Shown, *, watch: bool = False) -> bool:
    """Run path and hand on what it prints. True if it ended without a traceback.

    watch: begin anew when the file changes, also one that has ended; ends with an exception
    (Ctrl-C) only. Raises UsageError if the file cannot be read.
    """
    while True:
        seen, source = _stamp(path), _read(path)
        link.enter()
        begun_s = time.monotonic()
        link.start(source)
        ok = True
        for text, is_error in _output(link):
            shown(text)
            ok = ok and not is_error
            if watch and _stamp(path) != seen:
                break
        if not watch:
            return ok
        shown(f"run: {path.name} ran {time.monotonic() - begun_s:.1f} s\n")
        while _stamp(path) == seen:
            time.sleep(_LOOK_S)


def _output(link: SerialLink) -> Iterator[tuple[str, bool]]:
    """(text, is it of the traceback), "" while nothing comes, until the program has ended."""
    n_ends = 0
    while n_ends < 2:
        parts = link.read(_LOOK_S).split(_END)
        for number, part in enumerate(parts):
            n_ends += number > 0
            if n_ends < 2:
                yield part.decode("utf-8", "replace").replace("\r\n", "\n"), bool(n_ends and part)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0  # an editor is just replacing it
    return stat.st_mtime_ns, stat.st_size


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as a source: {error}") from None
