"""A fresh folder per test, for both Pythons, and damage on demand."""

import os

_counter = 0


def fresh(name):
    """Path of an empty folder that did not exist."""
    global _counter
    root = os.getenv("TMPDIR") or "/tmp"
    while True:
        _counter += 1
        path = "%s/hedge-%s-%d" % (root, name, _counter)
        try:
            os.mkdir(path)
            return path
        except OSError as fault:
            if fault.errno != 17:  # EEXIST
                raise


def clear(path):
    """Remove a flat folder."""
    for name in os.listdir(path):
        os.remove(path + "/" + name)
    os.rmdir(path)


def names(path, ending):
    """Sorted file names with that ending."""
    return sorted([name for name in os.listdir(path) if name.endswith(ending)])


def contents(path):
    """Bytes of a file."""
    file = open(path, "rb")
    try:
        return file.read()
    finally:
        file.close()


def put(path, data):
    """Replace a file's bytes."""
    file = open(path, "wb")
    try:
        file.write(data)
    finally:
        file.close()


def flip(path, offset):
    """Invert one byte of a file; a negative offset counts from its end."""
    data = bytearray(contents(path))
    data[offset if offset >= 0 else len(data) + offset] ^= 0xFF
    put(path, data)
