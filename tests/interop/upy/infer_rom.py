"""A Model of a file in ROMFS, in memory outside the heap as a board has it in flash.

micropython infer_rom.py IMAGE PATH    prints JSON: is the file used where it lies, heap, output
"""

import gc
import json
import os
import sys

import ffi
import uctypes
import vfs

from hedge.infer import Model


def _mount(path):
    """(address, bytes) of the image, mounted as /rom."""
    size = os.stat(path)[6]
    address = ffi.open(None).func("P", "malloc", "L")(size)
    memory = uctypes.bytearray_at(address, size)
    with open(path, "rb") as file:
        file.readinto(memory)
    vfs.mount(vfs.VfsRom(memory), "/rom")
    return address, size


address, size = _mount(sys.argv[1])
path = "/rom/" + sys.argv[2]
Model(path)  # modules and interned names come with the first
gc.collect()
before = gc.mem_alloc()
model = Model(path)
gc.collect()
held = gc.mem_alloc() - before - model.arena_bytes
model.invoke()
at = uctypes.addressof(model._data)
print(
    json.dumps(
        {
            "in_place": address <= at and at + len(model._data) <= address + size,
            "at": at - address,
            "held_bytes": held,
            "output": list(model.output),
        }
    )
)
