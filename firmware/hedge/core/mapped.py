"""Files in place: a file on a memory-mapped file system (ROMFS) needs no RAM."""


def contents(source):
    """What a model file holds, as bytes or memoryview.

    source: path, or bytes/memoryview that is returned as it is. From ROMFS nothing is copied;
    other files are read into RAM. Raises OSError.
    """
    if not isinstance(source, str):
        return source
    with open(source, "rb") as file:
        try:
            return memoryview(file)
        except TypeError:  # a file that is not in memory
            return file.read()
