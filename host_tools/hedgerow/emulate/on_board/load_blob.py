"""Runs under the Unix port: a file's bytes into memory outside the heap."""

import ffi
import uctypes


def load_blob(path, n_bytes, alignment):
    """Address of the bytes, which stay until the process ends."""
    reserve = ffi.open(None).func("p", "aligned_alloc", "LL")
    address = reserve(alignment, (n_bytes + alignment - 1) // alignment * alignment)
    with open(path, "rb") as file:
        file.readinto(uctypes.bytearray_at(address, n_bytes))
    return address
