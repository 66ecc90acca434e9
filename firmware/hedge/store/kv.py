"""A small map, replaced as a whole: rule state, daily history, counters. File or flash region.

    kv = KV("/log/rules.kv")
    kv.set("pump.today_ms", 30000)
    kv.save()

A power cut leaves the values of the last save or those of the one before, never a mixture.
"""

import binascii
import struct

from ..core import log
from ..core.errors import FrameError, StoreError
from ..wire import cbor_write
from . import disk

MAX_BYTES = 8192  # read into RAM as a whole
_MAGIC = b"HKV1"
_HEAD = "<4sII"  # magic, bytes of the body, CRC-32 of the body
_HEAD_BYTES = 12
_IN_VOLUME = "kv."  # the log itself has names without it


class KV:
    """str keys, CBOR values (int, float, bool, None, str, bytes, list, dict).

    path: of the file; with a volume (hedge.store.region.Region) its last part is the name there.
    A file that is still at path, of a firmware that kept it there, moves into the volume.
    """

    def __init__(self, path, flush=None, volume=None):
        self.path = path
        self.volume = volume
        self.damaged = False  # it failed its check: values start empty
        self.may_be_old = False  # later saves were damaged, or one of them was cut short
        self._flush = disk_needs_flush() if flush is None else flush
        self._name = _IN_VOLUME + path.split("/")[-1]
        self._dirty = False
        self._buffer = bytearray(_HEAD_BYTES)  # kept: a new one each time may find no room
        self._values = self._load()

    def _load(self):
        try:
            return (self._load_from_volume() if self.volume else read_map(self.path)) or {}
        except StoreError as fault:
            self.damaged = True
            log.warn("store", "%s, starting empty", fault)
            return {}

    def _load_from_volume(self):
        values = self.volume.load(self._name)
        self.may_be_old = self.volume.may_be_old()
        if values is None:
            values = read_map(self.path)
            if values:
                self._write(values)
                disk.remove(self.path)
        return values

    def get(self, key, default=None):
        """Value last set, saved or not."""
        return self._values.get(key, default)

    def set(self, key, value):
        """Change in RAM; save() makes it durable."""
        if key not in self._values or self._values[key] != value:
            self._values[key] = value
            self._dirty = True

    def delete(self, key):
        """Forget a key; unknown keys are fine."""
        if key in self._values:
            del self._values[key]
            self._dirty = True

    def save(self):
        """Write if anything changed. Raises StoreError if it does not fit; the old file stays."""
        if not self._dirty:
            return
        self._write(self._values)
        self._dirty = False

    def _write(self, values):
        try:
            if self.volume:
                self.volume.save(self._name, values)
            else:
                write_map(self.path, values, self._flush, self._buffer)
        except OSError as fault:
            raise StoreError("%s: not saved, %r" % (self.path, fault))


def disk_needs_flush():
    """True on boards: littlefs holds written bytes in RAM until told otherwise.

    Under an operating system written bytes survive the death of the process, and fsync would stop
    the control loop for milliseconds; a power cut of that computer is not what is guarded against.
    """
    import sys

    return sys.platform not in ("linux", "darwin", "win32")


def write_map(path, values, flush, data=None):
    """Replace the file by the map `values`. Raises OSError, StoreError if it is too large.

    data: bytearray of at least 12 bytes to build it in, whatever is in it.
    """
    if data is None:
        data = bytearray(_HEAD_BYTES)
    data[_HEAD_BYTES:] = b""
    cbor_write.write_item(data, values)  # behind the head, so that nothing is copied
    if len(data) > MAX_BYTES:
        raise StoreError("%s: %d bytes, at most %d" % (path, len(data), MAX_BYTES))
    crc = binascii.crc32(memoryview(data)[_HEAD_BYTES:])
    struct.pack_into(_HEAD, data, 0, _MAGIC, len(data) - _HEAD_BYTES, crc)
    disk.replace(path, data, flush)


def read_map(path):
    """The map in the file, None if there is no file. Raises StoreError if it is damaged."""
    try:
        file = open(path, "rb")
    except OSError as fault:
        if fault.errno == disk.ENOENT:
            return None
        raise StoreError("%s: %r" % (path, fault))
    try:
        size = file.seek(0, 2)
        file.seek(0)
        data = file.read(min(size, MAX_BYTES) + 1)  # read() sets aside what it is asked for
    except OSError as fault:
        raise StoreError("%s: %r" % (path, fault))
    finally:
        file.close()
    return _parse(path, data)


def _parse(path, data):
    if len(data) < _HEAD_BYTES or len(data) > MAX_BYTES:
        raise StoreError("%s: damaged, %d bytes" % (path, len(data)))
    magic, size, crc = struct.unpack(_HEAD, data[:_HEAD_BYTES])
    body = data[_HEAD_BYTES:]
    if magic != _MAGIC or size != len(body) or crc != binascii.crc32(body):
        raise StoreError("%s: damaged, wrong CRC" % path)
    from ..wire import cbor  # read at start alone: a node forgets it then

    try:
        values = cbor.decode(body)
    except FrameError as fault:
        raise StoreError("%s: %s" % (path, fault))
    if not isinstance(values, dict):
        raise StoreError("%s: not a map" % path)
    return values
