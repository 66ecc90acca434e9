"""Write a UF2 file to a board's drive; done when the boot ROM has taken it and restarted."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from hedgerow.device.find import INFO_FILE
from hedgerow.errors import DeviceError

Progress = Callable[[int, int], None]

_PIECE_BYTES = 64 * 1024
_NAME = "firmware.uf2"
_POLL_S = 0.05


def copy_to_drive(path: Path, drive: Path, progress: Progress, *, restart_s: float) -> None:
    """Copy, then wait until the drive is gone: the boot ROM restarts once it has every block.

    Raises DeviceError if the drive vanishes before all was sent, takes no more, or stays.
    """
    data = path.read_bytes()
    sent = 0
    try:
        with (drive / _NAME).open("wb", buffering=0) as file:
            while sent < len(data):
                sent += file.write(data[sent : sent + _PIECE_BYTES])
                _sync(file.fileno(), last=sent == len(data))
                progress(sent, len(data))
                if sent < len(data):
                    _check_there(drive)
    except OSError as error:
        raise DeviceError(_broken(drive, sent, len(data), error)) from error
    _wait_restart(drive, restart_s)


def _sync(descriptor: int, *, last: bool) -> None:
    """Write through. After the last block the board may be gone already, and that is success."""
    try:
        os.fsync(descriptor)
    except OSError:
        if not last:
            raise


def _check_there(drive: Path) -> None:
    if not (drive / INFO_FILE).exists():
        raise OSError("the drive is gone")


def _broken(drive: Path, sent: int, total: int, error: OSError) -> str:
    return (
        f"{drive}: {error.strerror or error} after {sent} of {total} bytes: the board has no "
        "complete firmware; plug it in with BOOTSEL held and flash it again"
    )


def _wait_restart(drive: Path, restart_s: float) -> None:
    deadline = time.monotonic() + restart_s
    while (drive / INFO_FILE).exists():
        if time.monotonic() > deadline:
            raise DeviceError(
                f"{drive}: the drive is still there {restart_s:g} s after the last block: the "
                "boot ROM did not take the file; plug the board in with BOOTSEL held and flash "
                "it again"
            )
        time.sleep(_POLL_S)
