"""A session with a board: who it is, its supervisor brought up to date, files into a folder."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hedgerow import paths
from hedgerow.device.compiled import arch_of, compiled
from hedgerow.device.deploy_plan import describe
from hedgerow.device.frames import FRAMES_VERSION, file_frames, frame
from hedgerow.device.link import SerialLink
from hedgerow.device.link_errors import BoardError, GarbledLinkError

Progress = Callable[[str], None]

_ON_BOARD = Path(__file__).parent / "on_board"
_BOOT_MODULES = ("hedge_link", "hedge_safe", "hedge_boot")
_BOOT_SOURCES = ("boot.py", "main.py")  # MicroPython starts these by name; main.py comes last
_BOOT_MANIFEST = "app/boot.json"
_ASK = f"import hedge_link as h\nassert h.FRAMES == {FRAMES_VERSION}\nprint(h.identity())\n"


@dataclass(frozen=True)
class Identity:
    """What a board says of itself; app: hedge_link.state() with the manifests of slots that have
    one, None before the first deploy."""

    mpy: int
    machine: str
    version: str
    files: tuple[str, ...]
    block_bytes: int
    free_blocks: int
    boot: dict[str, Any] | None
    app: dict[str, Any] | None
    frozen_hedge: bool

    @property
    def arch(self) -> str | None:
        return arch_of(self.mpy)


def on_board(name: str) -> str:
    """Source text of a file of device/on_board."""
    return (_ON_BOARD / f"{name}.py").read_text(encoding="utf-8")


def identify(link: SerialLink) -> Identity:
    """Ask the board, which is in the raw REPL; hedge_link is then imported or defined there.

    Raises DeviceError if it has no file system, GarbledLinkError if it does not answer so.
    """
    try:
        said = link.run(_ASK)
    except BoardError:  # no supervisor yet, or an older one: its source comes along
        said = link.run(_link_source() + "\nprint(identity())\n")
    try:
        *_, a, b, last = said.strip().splitlines()
        found = json.loads(last)
        values = {name: found[name] for name in Identity.__dataclass_fields__}
    except (ValueError, KeyError) as error:
        raise GarbledLinkError(f"{link.port}: unexpected answer: {said[-80:]!r}") from error
    if values["app"] is not None:
        manifests = {"a": _manifest(a), "b": _manifest(b)}
        values["app"] |= {slot: found for slot, found in manifests.items() if found}
    return Identity(**{**values, "files": tuple(found["files"])})


def _manifest(text: str) -> dict[str, Any] | None:
    """Of a slot; None if there is none, or a damaged one: then all of its files are sent."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    good = isinstance(found, dict) and isinstance(found.get("files"), dict)
    return found if good else None


def define_link(link: SerialLink) -> None:
    """Have receive() of hedge_link at the board's prompt, whether or not it is installed."""
    try:
        link.run(f"from hedge_link import receive, FRAMES\nassert FRAMES == {FRAMES_VERSION}\n")
    except BoardError:
        link.run(_link_source())


def _link_source() -> str:
    return (paths.boot_dir() / "hedge_link.py").read_text(encoding="utf-8")


def send_frames(link: SerialLink, source: str, frames: Iterable[bytes]) -> None:
    """Run source, which receives; one frame at a time, each acknowledged; then the end."""
    link.start(source)
    for each in frames:
        link.send(each)
        link.take_ack()
    link.send(frame("Q", b""))
    link.take_ack()
    link.finish()


def send_files(link: SerialLink, files: Mapping[str, bytes]) -> None:
    """Write files by their paths from the top of the board, each whole or not at all."""
    source = "import hedge_link\nhedge_link.receive('/')\n"
    send_frames(link, source, (each for item in files.items() for each in file_frames(*item)))


def update_boot(link: SerialLink, board: Identity) -> bool:
    """Bring the supervisor up to date, a file at a time, main.py last. True if it was not."""
    folder = paths.boot_dir()
    files = compiled(
        {f"lib/{name}.py": folder / f"{name}.py" for name in _BOOT_MODULES}, board.arch
    )
    files |= {name: (folder / name).read_bytes() for name in _BOOT_SOURCES}
    manifest = {"files": {name: list(describe(data)) for name, data in files.items()}}
    if board.boot == manifest and board.app is not None and "main.py" in board.files:
        return False
    if board.boot is None and "main.py" in board.files:
        link.run(on_board("keep_main"))
    files[_BOOT_MANIFEST] = json.dumps(manifest).encode()
    source = _link_source() + "\nreceive('/')\n"
    send_frames(link, source, (each for item in files.items() for each in file_frames(*item)))
    return True
