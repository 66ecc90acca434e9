"""Where the log lies: segments as files of one folder. See region.py for the other way.

A volume offers what Store needs: load/save of small maps, claim, segments, begin, resume, prepare,
append, seal, open_read, remove, has_room. All but prepare raise OSError, errno ENOSPC if removing
something may help.
"""

import os

from ..core import log
from . import disk
from .kv import disk_needs_flush, read_map, write_map

LIVE = ".log"
KEPT = ".old"  # acknowledged, no longer in the log, kept for audit
MAX_FILES = 192  # a small disk is never filled by many small files: each takes a block


class Files:
    """A folder. max_bytes bounds all live files, segment_bytes one of them.

    archive: removed segments are renamed, for audit, when their records were acknowledged.
    """

    def __init__(self, path, max_bytes, segment_bytes, archive=False, flush=None):
        self.name = path
        self.segment_bytes = max(segment_bytes, max_bytes // 64)
        self._max_bytes = max_bytes
        self._archive = archive
        self._flush = disk_needs_flush() if flush is None else flush
        self._open = {}  # segment -> file that is appended to
        self.bytes = 0  # in live files
        self.count = 0  # of them

    def recovery(self):
        """What a start needs of this volume: start, segments, newest_boot and claim."""
        from . import files_start

        return files_start

    # ---- maps ----

    def load(self, name):
        """A saved map, None if there is none. Raises StoreError if it is damaged."""
        return read_map(self.path_of(name))

    def save(self, name, values):
        """Replace a map, all or nothing. Raises OSError or StoreError."""
        write_map(self.path_of(name), values, self._flush)

    # ---- segments ----

    def has_room(self, size, new):
        """True if so many bytes more may be written; new: into a segment of their own."""
        return self.bytes + size <= self._max_bytes and not (new and self.count >= MAX_FILES)

    def turn(self, segment):
        """Of segments that may go the one with the lowest number goes first."""
        return -segment.stream

    def begin(self, segment, resume=False):
        """A new segment, empty; resume: go on with the last one of an earlier start."""
        path = self.path_of(segment.name() + LIVE)
        self._open[segment] = open(path, "ab" if resume else "wb", 0)

    def prepare(self):
        """The file system erases when it likes."""

    def append(self, segment, data):
        """One write, on the flash when it returns where the platform needs that."""
        disk.write(self._open[segment], data, self._flush)
        self.written(segment, len(data))

    def written(self, segment, size):
        """So many bytes more are in the file."""
        if not segment.size:
            self.count += 1
        self.bytes += size

    def seal(self, segment):
        """No more records for it by this start."""
        file = self._open.pop(segment, None)
        try:
            if file:
                file.close()
        except OSError as fault:
            log.warn("store", "closing %s: %r", segment.name(), fault)

    def open_read(self, segment, whole=False):
        """File-like object of its bytes: seek, read, close. whole: what is behind `size`, too."""
        return open(self.path_of(segment.name() + LIVE), "rb")

    def remove(self, segment, keep):
        """Remove it; keep: set it aside if that is wanted."""
        path = self.path_of(segment.name())
        if self._archive and keep:
            os.rename(path + LIVE, path + KEPT)
        else:
            disk.remove(path + LIVE)
        if segment.size:
            self.bytes -= segment.size
            self.count -= 1

    def path_of(self, name):
        """Path of a file in the folder."""
        return self.name + "/" + name
