"""esptool as a program of its own.

esptool is GPL-2.0-or-later and this project MIT: it is not imported, only started, and is an
optional extra (`pip install 'hedgerow[esp]'`). Its output is read for what it found and did.
"""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hedgerow.device.chips import Chip, by_name
from hedgerow.device.port_faults import why_closed
from hedgerow.errors import DeviceError

Progress = Callable[[int, int], None]

_CHIP = re.compile(r"^Connected to (\S+) on ", re.M)
_SIZE = re.compile(r"^Detected flash size: (\d+)(KB|MB)$", re.M)
_WRITING = re.compile(r"^Writing at 0x[0-9a-f]+ .*? (\d+(?:\.\d+)?)%", re.M)
_VERIFIED = "Hash of data verified."
_ERROR = re.compile(r"ERROR:\s*(?:A fatal error occurred:\s*)?(.+?)(?:\n\n|\Z)", re.S)

# What esptool says, and what to do about it.
_CURES = (
    ("Failed to connect", "no boot ROM answers: hold BOOT, press and release reset, try again"),
    (
        "No serial data received",
        "no boot ROM answers: hold BOOT, press and release reset, try again",
    ),
    ("Wrong chip argument", "the chip is another one than the image's"),
    ("MD5 of file does not match", "the flash did not keep what was written: flash it again"),
    ("will not fit", "the image is larger than the flash"),
)
_BROKEN_LINE = (
    "device disconnected",
    "multiple access on port",
    "Input/output error",
    "No such device",
    "Serial data stream stopped",
    "The chip stopped responding",
    "Lost connection",
    "write timeout",
)


@dataclass(frozen=True)
class Found:
    """What is at the end of a port."""

    chip: Chip
    flash_bytes: int


@dataclass(frozen=True)
class Esptool:
    """Runs esptool on one port. stub: load its helper program first (faster, compressed)."""

    port: str
    baud: int = 460800
    stub: bool = True
    connect_attempts: int = 7

    def probe(self) -> Found:
        """Chip and flash size. The board restarts into its boot ROM; nothing is written.

        Raises DeviceError if nothing answers or the chip is not known.
        """
        output = self._run(["--after", "no-reset"], ["flash-id"], lambda done, total: None)
        chip, size = _CHIP.search(output), _SIZE.search(output)
        known = by_name(chip[1]) if chip else None
        if known is None:
            what = chip[1] if chip else "no chip that esptool names"
            raise DeviceError(f"{self.port}: {what}: not a chip that is supported")
        if size is None:
            raise DeviceError(f"{self.port}: the flash does not tell its size: check its supply")
        return Found(known, int(size[1]) << (10 if size[2] == "KB" else 20))

    def leave(self) -> None:
        """Restart the board into what its flash holds: a refusal must not leave it in the ROM.

        Raises DeviceError if nothing answers.
        """
        self._run(["--after", "hard-reset"], ["read-mac"], lambda done, total: None)

    def write(self, chip: Chip, data: bytes, address: int, progress: Progress) -> None:
        """Write data to the flash, compare it by MD5, reset the board.

        Raises DeviceError: then the flash holds no complete firmware, unless the message says
        that nothing was written.
        """
        with tempfile.TemporaryDirectory(prefix="hedgerow-") as folder:
            file = Path(folder) / "firmware.bin"
            file.write_bytes(data)
            options = ["--chip", chip.mcu, "--after", "hard-reset"]
            output = self._run(options, ["write-flash", hex(address), str(file)], progress)
        if _VERIFIED not in output:
            raise DeviceError(f"{self.port}: esptool did not verify the flash: flash it again")

    def _run(self, options: Sequence[str], command: Sequence[str], progress: Progress) -> str:
        _need_esptool()
        if fault := why_closed(self.port):
            raise DeviceError(fault)
        stub = [] if self.stub else ["--no-stub"]
        attempts = ["--connect-attempts", str(self.connect_attempts)]
        line = ["--port", self.port, "--baud", str(self.baud), *attempts, *stub]
        output, code = _started([*line, *options, *command], progress)
        if code:
            raise DeviceError(f"{self.port}: {_explain(output)}")
        return output


def _need_esptool() -> None:
    if importlib.util.find_spec("esptool") is None:
        raise DeviceError("esptool is not installed: pip install 'hedgerow[esp]'")


def _started(arguments: Sequence[str], progress: Progress) -> tuple[str, int]:
    """Output and exit code; progress is told of every percentage."""
    # COLUMNS: a line that wraps would not be recognised.
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "200", "NO_COLOR": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "esptool", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
    ) as process:
        assert process.stdout is not None
        try:
            return "".join(_followed(process.stdout, progress)), process.wait()
        except BaseException:
            process.kill()  # an interrupted hedgerow leaves no esptool behind
            raise


def _followed(lines: IO[str], progress: Progress) -> Iterator[str]:
    for line in lines:
        if found := _WRITING.match(line):
            progress(round(float(found[1]) * 10), 1000)
        yield line


def _explain(output: str) -> str:
    """esptool's complaint in one line, with the cure."""
    wrote = "Erasing flash" in output or _WRITING.search(output) or "Compressed" in output
    state = (
        "the board has no complete firmware; flash it again" if wrote else "nothing was written"
    )
    for mark in _BROKEN_LINE:
        if mark in output:
            return f"the line broke: plug the board in again; {state}"
    found = _ERROR.search(output)
    said = " ".join((found[1] if found else output.strip().rpartition("\n")[2]).split())
    for mark, cure in _CURES:
        if mark in said:
            return f"{cure}; {state}"
    return f"esptool: {said or 'it stopped without a word'}; {state}"
