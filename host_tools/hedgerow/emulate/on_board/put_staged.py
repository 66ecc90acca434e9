"""Runs on an emulated board: copy bytes that the host put into memory to a file there."""

import os

import uctypes


def put_staged(path, address, n_bytes):
    """Write n_bytes from address to path, making its folders. Allocates no copy of the bytes."""
    folder = ""
    for part in path.split("/")[:-1]:
        folder = folder + "/" + part if folder or path[0] == "/" else part
        try:
            os.mkdir(folder)
        except OSError as e:
            if e.errno != 17:  # EEXIST
                raise
    with open(path, "wb") as file:
        if n_bytes:
            file.write(uctypes.bytearray_at(address, n_bytes))
