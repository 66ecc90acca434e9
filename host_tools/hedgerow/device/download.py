"""The official firmware of a board, from MicroPython's site into a cache.

    path = download("ESP32_GENERIC_C3")             # the newest release
    path = download("RPI_PICO", release="1.25.0")

The site publishes no checksums. What is checked: that the file came whole; that it is firmware, by
all the checksums and hashes inside it; for that board's chip and flash; and that a name which was
downloaded before still has the same SHA-256. A user who knows the hash gives it.
"""

import contextlib
import hashlib
import http.client
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from hedgerow import paths
from hedgerow.boards import load_board
from hedgerow.boards.board import Board
from hedgerow.device import fits
from hedgerow.device.images import read_image
from hedgerow.errors import DeviceError, UsageError

SITE = "https://micropython.org"
VARIABLE = "HEDGEROW_FIRMWARE_SITE"  # a mirror
_TIMEOUT_S = 20.0
_MOST_BYTES = 16 << 20
_KINDS = {"esptool": "bin", "uf2": "uf2"}  # flash_method of boards/


@dataclass(frozen=True, order=True)
class _Release:
    version: tuple[int, ...]
    date: str
    address: str

    @property
    def name(self) -> str:
        return self.address.rpartition("/")[2]


def download(board: str, *, release: str | None = None, sha256: str | None = None) -> Path:
    """A firmware file of board. release: "1.25.0", None is the newest; sha256: what it must have.

    A named release that is in the cache is not fetched again. Raises DeviceError if the site
    cannot be reached or has no such firmware, if what it sends is none of that board's (then
    nothing is kept), or another SHA-256 is wanted.
    """
    known = load_board(board)
    kind = _KINDS.get(known.flash_method)
    if kind is None:
        raise UsageError(f"{board} is not flashed: see boards/{board}/README.md")
    folder = paths.build_dir() / "firmware"
    name = known.firmware
    found = sorted(folder.glob(f"{name}-????????-v{release}.{kind}")) if release else []
    path = found[-1] if found else None
    if path is None:
        newest = _newest(name, kind, release)
        path = folder / newest.name
        _keep(_fetch(newest.address), path, known)
    _check_hash(path, sha256)
    return path


def _newest(name: str, kind: str, release: str | None) -> _Release:
    """From the board's page: links to /resources/firmware/NAME-DATE-vVERSION.KIND."""
    page = f"{_site()}/download/{name.partition('-')[0]}/"  # ESP32_GENERIC-SPIRAM is a variant
    text = _fetch(page).decode("utf-8", "replace")
    link = rf'href="([^"]*/{re.escape(name)}-(\d{{8}})-v(\d+(?:\.\d+)+)\.{kind})"'
    rows = [
        _Release(tuple(map(int, version.split("."))), date, urllib.parse.urljoin(page, address))
        for address, date, version in re.findall(link, text)
    ]
    wanted = [row for row in rows if release in (None, ".".join(map(str, row.version)))]
    if not wanted:
        offered = ", ".join(sorted({".".join(map(str, row.version)) for row in rows})) or "none"
        what = f"release {release}" if release else "release"
        raise DeviceError(f"{page}: no {what} of {name} there: releases offered: {offered}")
    return max(wanted)


def _site() -> str:
    return os.environ.get(VARIABLE, SITE).rstrip("/")


def _fetch(address: str) -> bytes:
    """All of it. Raises DeviceError."""
    elsewhere = "give a firmware file that was downloaded elsewhere"
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as answer:
            if not answer.url.startswith(_site().partition(":")[0] + ":"):
                raise DeviceError(f"{address}: leads to {answer.url}, which is not trusted")
            data: bytes = answer.read(_MOST_BYTES + 1)
            length = int(answer.headers.get("Content-Length") or len(data))
    except urllib.error.HTTPError as error:
        raise DeviceError(f"{address}: the site has no such page ({error}): {elsewhere}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise DeviceError(f"{address}: cannot be downloaded ({reason}): {elsewhere}") from None
    if len(data) > _MOST_BYTES or len(data) != length:
        raise DeviceError(f"{address}: {len(data)} bytes of {length} came: try again")
    return data


def _keep(data: bytes, path: Path, board: Board) -> None:
    """Into the cache, if it is firmware of that board, and the one that had this name before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    try:
        fits.check_board(read_image(part), board)
        noted, is_now = _noted(path), hashlib.sha256(data).hexdigest()
        if noted not in (None, is_now):
            raise DeviceError(
                f"{path.name}: not the file that had this name before: SHA-256 {is_now}, then "
                f"{noted}: if that is right, remove {_note(path)}"
            )
        _note(path).write_text(f"{is_now}  {path.name}\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _check_hash(path: Path, sha256: str | None) -> None:
    """The file in the cache is the one that was put there, and the one that is wanted."""
    is_now = hashlib.sha256(path.read_bytes()).hexdigest()
    if is_now != _noted(path):
        raise DeviceError(f"{path}: damaged since it was downloaded: remove it and try again")
    if sha256 is not None and is_now != sha256.lower():
        raise DeviceError(
            f"{path}: SHA-256 is {is_now}, not {sha256.lower()}: nothing was written"
        )


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _noted(path: Path) -> str | None:
    with contextlib.suppress(FileNotFoundError):
        return _note(path).read_text().split()[0]
    return None
