"""rp2040js, the emulator of the RP2040, from npm into the build cache."""

import shutil
import tempfile
from pathlib import Path

from hedgerow.toolchain import cross
from hedgerow.toolchain.steps import building_in

_NAME = "rp2040js"
_VERSION = "1.4.1"


def ensure_rp2040js(cache: Path) -> Path:
    """Folder of the package in cache, fetched if need be. Raises ToolchainError.

    Needs node to be of use; the package has no dependencies and runs no install script.
    """
    folder = cache / f"{_NAME}-{_VERSION}"
    if not folder.is_dir():
        cross.need("run the emulated Pico", cross.missing(cross.NODE))
        with building_in(cache):
            if not folder.is_dir():
                _install(cache, folder)
    return folder


def _install(cache: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache) as beside:
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--no-package-lock"]
        command = ["npm", "install", "--prefix", beside, *options, f"{_NAME}@{_VERSION}"]
        cross.run(command, f"install {_NAME} from npm (is the network there?)", cache / "npm.log")
        shutil.move(Path(beside, "node_modules", _NAME), folder)
