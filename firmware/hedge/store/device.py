"""The flash that a node file's [store] kind = "flash" means, on each port."""

import os
import sys

from ..core.errors import ConfigError
from .region import Region


def open_region(table, base_dir):
    """Region of table: {"partition", "max_bytes"}. Raises ConfigError, StoreError.

    ESP32: the data partition of that label. RP2: the last max_bytes of what MicroPython calls
    storage; the file system must end before them. Elsewhere a file in base_dir stands for a chip.
    """
    makers = {"esp32": _partition, "rp2": _rp2}
    device = makers.get(sys.platform, _file)(table, base_dir)
    return Region(device, name=table["partition"])


def _partition(table, base_dir):
    import esp32

    label = table["partition"]
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=label)
    if not found:
        raise ConfigError("store: no data partition %r on this board" % label)
    return found[0]


def _rp2(table, base_dir):
    import rp2

    storage = rp2.Flash()
    start = storage.ioctl(4, 0) * storage.ioctl(5, 0) - table["max_bytes"]
    block_bytes, _, blocks = os.statvfs("/")[:3]
    if blocks * block_bytes > start:
        text = "store: the file system covers the last %d bytes of the flash: make it smaller"
        raise ConfigError(text % table["max_bytes"])
    return rp2.Flash(start=start, len=table["max_bytes"])


def _file(table, base_dir):
    from .flash_file import FlashFile

    return FlashFile("%s/%s.flash" % (base_dir, table["partition"]), table["max_bytes"])
