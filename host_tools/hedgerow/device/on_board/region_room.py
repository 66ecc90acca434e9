"""Runs on the board: raw flash that its file system leaves, and what its firmware would; bytes."""

import os
import sys


def region_room(partition):
    print(*(_partition(partition) if sys.platform == "esp32" else _behind_files()))


def _partition(label):
    import esp32

    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=label)
    size = found[0].info()[3] if found else 0
    return size, size


def _behind_files():
    import rp2

    try:
        from hedge_region import REGION_BYTES
    except ImportError:
        REGION_BYTES = 0
    storage = rp2.Flash()
    block_bytes, _, blocks = os.statvfs("/")[:3]
    return storage.ioctl(4, 0) * storage.ioctl(5, 0) - block_bytes * blocks, REGION_BYTES
