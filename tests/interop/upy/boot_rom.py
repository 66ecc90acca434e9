"""Mount a ROMFS image outside the heap, as a board has it in flash, and run heap.main from it.

micropython -X heapsize=64k boot_rom.py NAME '{"rom": "hedge.rom", "port": 1883, ...}'
"""

import json
import os
import sys

import ffi
import uctypes
import vfs


def _mount(path):
    size = os.stat(path)[6]
    memory = uctypes.bytearray_at(ffi.open(None).func("P", "malloc", "L")(size), size)
    with open(path, "rb") as f:
        f.readinto(memory)
    vfs.mount(vfs.VfsRom(memory), "/rom")
    sys.path.insert(0, "/rom")


args = json.loads(os.getenv("SCENARIO"))
_mount(args["rom"])

import heap  # noqa: E402  it is in the image

heap.main(args)
