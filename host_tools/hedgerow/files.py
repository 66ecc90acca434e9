"""Files of models and arrays: read with one clear error, written whole or not at all.

x = read_npy(Path("samples.npy"))
write_whole(Path("net.hgm"), data)
"""

import io
from pathlib import Path
from tokenize import TokenError

import numpy as np

from hedgerow.errors import ToolError, UsageError

# What NumPy raises for headers that are no literal, name no type, or give impossible sizes.
_NO_NPY = (EOFError, MemoryError, OverflowError, SyntaxError, TokenError, TypeError, ValueError)


def read_npy(path: Path) -> np.ndarray:
    """The array of a .npy file, mapped and not yet read. Raises UsageError naming the file."""
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    except _NO_NPY as error:
        raise UsageError(
            f"{path}: not a .npy of numbers, or cut short ({error}): write it with numpy.save"
        ) from None


def write_npy(target: Path, values: np.ndarray) -> None:
    """As write_whole()."""
    buffer = io.BytesIO()
    np.save(buffer, values)
    write_whole(target, buffer.getvalue())


def write_whole(target: Path, data: bytes) -> None:
    """All of the file or nothing; what is no file, /dev/null say, is written as it is.

    Raises ToolError naming the file.
    """
    part = target if _is_special(target) else target.with_name(target.name + ".part")
    try:
        part.write_bytes(data)
        if part is not target:
            part.replace(target)
    except OSError as error:
        raise ToolError(f"{target}: {error.strerror}") from None
    finally:
        if part is not target:
            part.unlink(missing_ok=True)


def _is_special(target: Path) -> bool:
    return target.exists() and not target.is_file()


def refuse_to_overwrite(target: Path, *sources: Path) -> None:
    """Raises UsageError if a result would take the place of what it is made from."""
    for source in sources:
        if target.resolve() == source.resolve():
            raise UsageError(f"{target} would be written over itself: give another output")
