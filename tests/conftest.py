"""Fixtures for every pytest folder. A fixture that finds its part missing skips, and names it."""

import os
import shutil
from pathlib import Path

import pytest

try:
    from hypothesis import HealthCheck, settings
except ImportError:  # its tests say so themselves
    pass
else:  # how long an example takes is the computer's affair, not the code's
    settings.register_profile(
        "hedgerow", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("hedgerow")

_ROOT = Path(__file__).resolve().parent.parent
_SBIN = "/usr/sbin:/usr/local/sbin"  # Debian keeps mosquitto there; a user's PATH often lacks it


@pytest.fixture(scope="session")
def repo_dir() -> Path:
    """Top of the clone."""
    return _ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder with recordings and reference files: $HEDGEROW_SHARED, else ../shared.

    Ask for a file under it with need_shared(), which names the file when it is missing.
    """
    folder = Path(os.environ.get("HEDGEROW_SHARED", _ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no recordings: {folder} is missing (set HEDGEROW_SHARED)")
    return folder


@pytest.fixture(scope="session")
def need_shared(shared_dir):
    """need_shared("data/agriculture/x.csv") -> Path; skips naming the path if it is not there."""

    def path_of(name: str) -> Path:
        path = shared_dir / name
        if not path.exists():
            pytest.skip(f"no recordings: {path} is missing")
        return path

    return path_of


@pytest.fixture(scope="session")
def micropython() -> Path:
    """The Unix port. No skip: without it hardly anything is tested, so the error is shown."""
    from hedgerow.toolchain.unix import find_micropython

    return find_micropython()


@pytest.fixture(scope="session")
def mosquitto() -> Path:
    """The mosquitto broker; skips if it is not installed."""
    return _program("mosquitto", "mosquitto")


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Chromium; skips if it or its driver is not installed."""
    _program("chromedriver", "chromium-driver")
    return _program("chromium", "chromium")


def _program(name: str, package: str) -> Path:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SBIN}")
    if not found:
        pytest.skip(f"{name} is not installed (Debian package {package})")
    return Path(found)
