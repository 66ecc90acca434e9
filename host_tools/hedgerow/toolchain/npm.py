"""Packages from npm in the build cache: rp2040js, the emulator of the RP2040, and test peers."""

import shutil
import tempfile
from pathlib import Path

from hedgerow.toolchain import cross
from hedgerow.toolchain.steps import building_in

_RP2040JS = ("rp2040js", "1.4.1")


def ensure_rp2040js(cache: Path) -> Path:
    """Folder of the package in cache, fetched if need be. Raises ToolchainError.

    Needs node to be of use; the package has no dependencies and runs no install script.
    """
    return ensure_package(cache, *_RP2040JS, purpose="run the emulated Pico")


def ensure_package(cache: Path, name: str, version: str, *, purpose: str) -> Path:
    """Folder of name@version in cache, its dependencies in node_modules inside it.

    Fetched if need be; no install script runs. Raises ToolchainError.
    """
    folder = cache / f"{name}-{version}"
    if not folder.is_dir():
        cross.need(purpose, cross.missing(cross.NODE))
        with building_in(cache):
            if not folder.is_dir():
                _install(cache, folder, name, version)
    return folder


def _install(cache: Path, folder: Path, name: str, version: str) -> None:
    with tempfile.TemporaryDirectory(dir=cache) as beside:
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--no-package-lock"]
        command = ["npm", "install", "--prefix", beside, *options, f"{name}@{version}"]
        cross.run(command, f"install {name} from npm (is the network there?)", cache / "npm.log")
        package = Path(beside, "node_modules", name)
        for dependency in Path(beside, "node_modules").iterdir():
            if dependency != package and not dependency.name.startswith("."):
                (package / "node_modules").mkdir(exist_ok=True)
                shutil.move(dependency, package / "node_modules" / dependency.name)
        shutil.move(package, folder)
