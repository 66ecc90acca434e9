"""The few file operations the store needs, alike on MicroPython and CPython."""

import os

ENOENT = 2
ENOSPC = 28  # littlefs and POSIX agree; MicroPython's errno module lacks it
_EDQUOT = 122
_ENAMETOOLONG = 36  # littlefs says this when a full flash has no room for a new file's name


def remove(path):
    """Remove a file; one that is already gone is fine. Raises OSError otherwise."""
    try:
        os.remove(path)
    except OSError as fault:
        if fault.errno != ENOENT:
            raise


def is_full(fault):
    """True if removing a file may cure this OSError."""
    return fault.errno in (ENOSPC, _EDQUOT, _ENAMETOOLONG)


def write(file, data, flush):
    """All of data in one write(), on the flash when it returns if flush. Raises OSError."""
    if file.write(data) != len(data):
        # POSIX writes what fits and says so only by the count. CPython wants two arguments.
        raise OSError(ENOSPC, "short write")
    if flush:
        file.flush()


def replace(path, data, flush):
    """Give the file `path` the contents data, all or nothing. Raises OSError; the old stays."""
    file = open(path + ".tmp", "wb", 0)
    try:
        write(file, data, flush)
    finally:
        file.close()
    os.rename(path + ".tmp", path)
