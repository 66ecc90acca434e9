"""An RP2's file system that ends before a region of raw flash, where [store] kind = "flash" lies.

Frozen by `hedgerow toolchain pico --region-kb`, with _region_bytes.py, which says how large it is.
"""

import rp2
import vfs
from _region_bytes import REGION_BYTES

_PROG_BYTES = 256  # a page: what this flash is programmed by


def mount():
    """Mount the littlefs before the region.

    One over all of the storage, which another firmware made, stays as it is, and there is no
    region: make_room(). What is neither is formatted, as MicroPython's own _boot.py does.
    """
    for device in (_before_region(), rp2.Flash()):
        try:
            files = vfs.VfsLfs2(device, progsize=_PROG_BYTES)
        except OSError:  # damaged, blank, or of another size
            continue
        vfs.mount(files, "/")
        return
    _format()


def make_room():
    """Format the file system so that it ends before the region. All files go."""
    vfs.umount("/")
    _format()


def _format():
    device = _before_region()
    vfs.VfsLfs2.mkfs(device, progsize=_PROG_BYTES)
    vfs.mount(vfs.VfsLfs2(device, progsize=_PROG_BYTES), "/")


def _before_region():
    whole = rp2.Flash()
    return rp2.Flash(start=0, len=whole.ioctl(4, 0) * whole.ioctl(5, 0) - REGION_BYTES)
