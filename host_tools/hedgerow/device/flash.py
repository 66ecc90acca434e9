"""Put firmware on a board, and be sure of it.

    done = flash(Path("firmware.uf2"))           # finds the board
    print(done.board, done.seconds, done.banner)

The image is read and compared with chip, family and flash size before anything is written; then
written, verified, and the board is waited for until its prompt answers; then an app is deployed.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from hedgerow.boards import load_board
from hedgerow.boards.board import Board
from hedgerow.device import fits
from hedgerow.device.app_files import collect
from hedgerow.device.chips import by_mcu
from hedgerow.device.deploy import DeployReport, deploy
from hedgerow.device.esptool_program import Esptool
from hedgerow.device.find import Attached, attached, uf2_drive
from hedgerow.device.images import Image, read_image
from hedgerow.device.repl import Banner, start_rp2_boot_rom, verify_rp2, wait_for_repl
from hedgerow.device.serial_line import SerialLine
from hedgerow.device.uf2_drive import Progress, copy_to_drive
from hedgerow.errors import DeviceError, UsageError

_DRIVE_S = 15.0  # from machine.bootloader() to a mounted drive, on a slow desktop
_POLL_S = 0.1


@dataclass(frozen=True)
class Options:
    """port, drive: where the board is, else it is looked for. repl_s: 0 does not wait for a
    prompt. restart_s: how long a drive may take to restart. The rest is for esptool."""

    board: str | None = None
    port: str | None = None
    drive: Path | None = None
    repl_s: float = 20.0
    restart_s: float = 20.0
    baud: int = 460800
    stub: bool = True
    connect_attempts: int = 7


@dataclass(frozen=True)
class Flashed:
    """What was done. verified: "MD5 by the chip", "SHA-256 on the board" or "restart" (the boot
    ROM restarted after the last block, but no prompt was there to ask). banner: None likewise.
    deployed: if an app was given."""

    image: Path
    chip: str
    where: str
    size_bytes: int
    seconds: float
    verified: str
    port: str | None
    banner: Banner | None
    deployed: DeployReport | None = None


@dataclass(frozen=True)
class _Job:
    """One image on its way to one place."""

    image: Image
    options: Options
    progress: Progress
    look: Callable[[], list[Attached]] = field(default=attached)


def flash(
    firmware: Path,
    options: Options = Options(),
    progress: Progress = lambda done, total: None,
    look: Callable[[], list[Attached]] = attached,
    *,
    app: Path | None = None,
) -> Flashed:
    """Flash a board. progress(done, total) is called as it goes; look() lists the boards in sight.

    app: deployed once the prompt answers; one that is no app is told before anything is written.
    Raises DeviceError: the message says whether nothing was written or the board has no complete
    firmware. Never writes an image whose chip, family or size does not fit.
    """
    image = read_image(firmware)
    board = load_board(options.board) if options.board else None
    if board is not None:
        fits.check_board(image, board)
    if app is not None:
        collect(app)
    job = _Job(image, options, progress, look)
    done = _flash_esp(job) if image.kind == "esp" else _flash_uf2(job, board)
    if app is None or done.port is None:
        return done
    return replace(done, deployed=deploy(app, port=done.port))


def firmware_for(
    board: str | None, *, release: str | None = None, sha256: str | None = None
) -> Path:
    """Firmware for a board: the one that is built here, else the official one, downloaded.

    release, sha256: of the official one, which is then taken in any case. Raises UsageError,
    DeviceError (download.py), ToolchainError.
    """
    if board is None:
        raise UsageError("give a firmware file, or --board to build or download one")
    load_board(board)  # an unknown name is told first
    if board == "RPI_PICO" and release is None and sha256 is None:
        from hedgerow.toolchain.pico import ensure_pico

        return ensure_pico().uf2
    from hedgerow.device.download import download

    return download(board, release=release, sha256=sha256)


def _flash_esp(job: _Job) -> Flashed:
    image, options = job.image, job.options
    if options.drive:
        raise UsageError(f"{image.path} goes over a serial port: give --port, not --drive")
    port = options.port or _one_port(job)
    tool = Esptool(port, options.baud, options.stub, options.connect_attempts)
    started = time.monotonic()
    found = tool.probe()
    try:
        fits.check_chip(image, found.chip, port)
        fits.check_flash_size(image, found.flash_bytes, f"the board on {port}")
    except DeviceError:
        tool.leave()
        raise
    address, data = image.parts[0]
    tool.write(image.chip, data, address, job.progress)
    seconds = time.monotonic() - started
    banner = None
    if options.repl_s:
        port, banner = wait_for_repl(lambda: _back_at(job, port), options.repl_s)
    return Flashed(
        image.path, image.chip.name, tool.port, len(data), seconds, "MD5 by the chip", port, banner
    )


def _back_at(job: _Job, port: str) -> str:
    """Where the board answers after its restart: native USB may come back as another port."""
    here = [item.where for item in job.look()]
    running = _running(job)
    return port if port in here or not running else running[0].where


def _one_port(job: _Job) -> str:
    """The one serial port at which the image's chip may be."""
    ports = [
        item
        for item in job.look()
        if item.kind == "serial" and (not item.mcus or job.image.chip.mcu in item.mcus)
    ]
    return _the_one(ports, job.image, "--port PORT").where


def _the_one(items: list[Attached], image: Image, option: str) -> Attached:
    if not items:
        raise DeviceError(
            f"no board for {image.path} ({image.chip.name}) in sight: plug it in with a cable "
            f"that carries data, or say where it is with {option}"
        )
    if len(items) > 1:
        places = ", ".join(f"{item.where} ({item.description})" for item in items)
        raise UsageError(f"more than one board may be meant: {places}: choose with {option}")
    return items[0]


def _flash_uf2(job: _Job, board: Board | None) -> Flashed:
    image, options = job.image, job.options
    size, name = fits.smallest_flash(image.chip)
    if board is None:
        fits.check_flash_size(image, size, f"a board with {image.chip.name} ({name})")
    drive = _drive(job)
    _check_drive(image, drive)
    others = {item.where for item in _running(job)}
    started = time.monotonic()
    copy_to_drive(image.path, Path(drive.where), job.progress, restart_s=options.restart_s)
    seconds = time.monotonic() - started
    verified, port, banner = "restart", None, None
    if options.repl_s:
        port, banner = wait_for_repl(lambda: _new_port(job, others), options.repl_s)
        with closing(SerialLine(port)) as line:
            verify_rp2(line, port, image)
        verified = "SHA-256 on the board"
    return Flashed(
        image.path, image.chip.name, drive.where, image.size_bytes, seconds, verified, port, banner
    )


def _drive(job: _Job) -> Attached:
    """The drive to copy to; a board that runs is asked to become one."""
    options = job.options
    if options.drive:
        found = uf2_drive(options.drive)
        if found is None:
            raise DeviceError(
                f"{options.drive}: no INFO_UF2.TXT: not the drive of a board; plug it in with "
                "BOOTSEL held"
            )
        return found
    drives = [item for item in job.look() if item.kind == "drive"]
    if drives and not options.port:
        return _the_one(drives, job.image, "--drive FOLDER")
    running = options.port or _the_one(_running(job), job.image, "--port PORT").where
    start_rp2_boot_rom(running)
    return _wait_for_drive(job, running)


def _wait_for_drive(job: _Job, port: str) -> Attached:
    deadline = time.monotonic() + _DRIVE_S
    while time.monotonic() < deadline:
        drives = [item for item in job.look() if item.kind == "drive"]
        if drives:
            return _the_one(drives, job.image, "--drive FOLDER")
        time.sleep(_POLL_S)
    raise DeviceError(
        f"{port}: told to start its boot ROM, but no drive appeared: is it mounted? "
        "Mount it and give --drive FOLDER, or use `picotool load -v -x` where you have that; "
        "nothing was written"
    )


def _check_drive(image: Image, drive: Attached) -> None:
    if image.chip.mcu in drive.mcus:
        return
    chip = by_mcu(drive.mcus[0]) if drive.mcus else None
    if chip:
        fits.check_chip(image, chip, drive.where)
    raise DeviceError(
        f"{drive.where} is the drive of an unknown board ({drive.description}): "
        f"{image.path} is for {image.chip.name}; nothing was written"
    )


def _running(job: _Job) -> list[Attached]:
    chip = job.image.chip.mcu
    seen = job.look()
    return [i for i in seen if i.kind == "serial" and i.mode == "repl" and chip in i.mcus]


def _new_port(job: _Job, others: set[str]) -> str | None:
    """Where the flashed board answers, once it is back. others: boards that ran all the time."""
    if job.options.port and not job.options.drive:
        return job.options.port
    back = [item.where for item in _running(job) if item.where not in others]
    return back[0] if back else job.options.port
