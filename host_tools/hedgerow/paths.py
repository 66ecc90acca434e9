"""Where the parts that are not Python modules of this package lie.

In a clone they lie beside host_tools/; in an installed wheel under hedgerow/_share/.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CLONE = _PACKAGE.parent.parent


def in_clone() -> bool:
    """True when running from a git clone (editable install)."""
    return (_CLONE / "firmware" / "hedge").is_dir()


def firmware_dir() -> Path:
    """Folder that holds the `hedge` package, for MICROPYPATH."""
    return _CLONE / "firmware" if in_clone() else _PACKAGE.parent


def share_dir(name: str) -> Path:
    """Folder `boards` or `models`."""
    return _CLONE / name if in_clone() else _PACKAGE / "_share" / name


def kernels_dir() -> Path:
    """Folder of the native kernels: sources and prebuilt modules."""
    return _beside_hedge("kernels")


def boot_dir() -> Path:
    """Folder of the supervisor that a deploy puts on a board."""
    return _beside_hedge("boot")


def apps_dir() -> Path:
    """Folder of the programs that a deploy puts on a board."""
    return _beside_hedge("apps")


def _beside_hedge(name: str) -> Path:
    return _CLONE / "firmware" / name if in_clone() else _PACKAGE / "_share" / name


def emulate_dir() -> Path:
    """Folder with the Unix-port fakes, for MICROPYPATH."""
    return _PACKAGE / "emulate" / "unix"


def host_tools_dir() -> Path:
    """Folder that holds the `hedgerow` package."""
    return _PACKAGE.parent


def build_dir() -> Path:
    """Cache of built toolchains: build/ of the clone, else the user's cache folder."""
    if in_clone():
        return _CLONE / "build"
    return Path.home() / ".cache" / "hedgerow"
