"""Files in place: a file on a memory-mapped file system (ROMFS) needs no RAM."""


def contents(source):
    """What a model file holds, as bytes or memoryview.

    source: path, or bytes/memoryview that is returned as it is. From ROMFS nothing is copied;
    other files are read into RAM, in one piece. Raises OSError.
    """
    if not isinstance(source, str):
        return source
    with open(source, "rb") as file:
        try:
            return memoryview(file)
        except TypeError:  # a file that is not in memory
            size = file.seek(0, 2)
            file.seek(0)
            return file.read(size)  # read() without a size takes up to twice as much
