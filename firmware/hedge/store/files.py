"""Where the log lies: segments as files of one folder. See region.py for the other way.

A volume offers what Store needs: load/save of small maps, claim, segments, begin, resume, append,
seal, open_read, remove, has_room. All raise OSError, errno ENOSPC if removing something may help.
"""

import os

from ..core import log
from . import disk
from . import segment as seg
from .kv import disk_needs_flush, read_map, write_map

LIVE = ".log"
KEPT = ".old"  # acknowledged, no longer in the log, kept for audit
MAX_FILES = 192  # a small disk is never filled by many small files: each takes a block
_BOOT = "boot-"  # an empty file; its name carries the boot number


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
        self._bytes = 0
        self._count = 0

    # ---- start ----

    def start(self):
        """Make the folder, finish replacements that were cut."""
        disk.make_dirs(self.name)
        for name in disk.names(self.name):
            if name.endswith(".tmp"):
                disk.remove(self._path(name))

    def segments(self):
        """Segments in the folder, in order of reading; each `size` and `before` is known."""
        found = []
        for name in disk.names(self.name):
            parsed = parse_name(name)
            if parsed and parsed[1] == LIVE:
                found.append(self._look(parsed[0]))
        found.sort(key=seg.sort_key)
        self._count = len(found)
        self._bytes = sum([segment.size for segment in found])
        return found

    def _look(self, segment):
        segment.size = disk.size(self._path(segment.name() + LIVE))
        file = self.open_read(segment)
        try:
            head = seg.parse_header(file.read(seg.HEADER_BYTES))
        finally:
            file.close()
        if head and head.name() == segment.name():
            segment.before = head.before  # else the header is damaged: the name says enough
        return segment

    def measure(self, segment):
        """Its size is that of the file."""

    def trim(self, segment, offset):
        """Bytes of a torn write behind offset. No more is added: it could complete the record."""
        segment.is_closed = segment.size > offset
        return max(segment.size - offset, 0)

    def newest_boot(self):
        """Highest boot number claimed, 0 in a new folder."""
        boots = [_boot_of(name) for name in disk.names(self.name)]
        return max(boots) if boots else 0

    def claim(self, boot):
        """Make it durable that this boot number is taken."""
        claim_boot(self.name, boot)
        for name in disk.names(self.name):
            if name.startswith(_BOOT) and name != "%s%08x" % (_BOOT, boot):
                disk.remove(self._path(name))

    # ---- maps ----

    def load(self, name):
        """A saved map, None if there is none. Raises StoreError if it is damaged."""
        return read_map(self._path(name))

    def save(self, name, values):
        """Replace a map, all or nothing. Raises OSError or StoreError."""
        write_map(self._path(name), values, self._flush)

    # ---- segments ----

    def has_room(self, size, new):
        """True if so many bytes more may be written; new: into a segment of their own."""
        return self._bytes + size <= self._max_bytes and not (new and self._count >= MAX_FILES)

    def turn(self, segment):
        """Of segments that may go the one with the lowest number goes first."""
        return -segment.stream

    def begin(self, segment):
        """A new segment, empty."""
        self._open[segment] = open(self._path(segment.name() + LIVE), "wb", 0)

    def resume(self, segment):
        """Go on with the last segment of an earlier start."""
        self._open[segment] = open(self._path(segment.name() + LIVE), "ab", 0)

    def append(self, segment, data):
        """One write, on the flash when it returns where the platform needs that."""
        disk.write(self._open[segment], data, self._flush)
        self.written(segment, len(data))

    def written(self, segment, size):
        """So many bytes more are in the file."""
        if not segment.size:
            self._count += 1
        self._bytes += size

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
        return open(self._path(segment.name() + LIVE), "rb")

    def remove(self, segment, keep):
        """Remove it; keep: set it aside if that is wanted."""
        path = self._path(segment.name())
        if self._archive and keep:
            os.rename(path + LIVE, path + KEPT)
        else:
            disk.remove(path + LIVE)
        if segment.size:
            self._bytes -= segment.size
            self._count -= 1

    def _path(self, name):
        return self.name + "/" + name


def parse_name(name):
    """(Segment, ending) of a file name, None for other files."""
    ending = name[-4:]
    parts = name[:-4].split("-")
    if ending not in (LIVE, KEPT) or [len(p) for p in parts] != [1, 8, 8]:
        return None
    try:
        stream, boot, first = [int(p, 16) for p in parts]
    except ValueError:
        return None
    segment = seg.Segment(stream, boot, first)
    return (segment, ending) if segment.name() + ending == name and boot and first else None


def claim_boot(path, boot):
    """Make it durable that this boot number is taken in a folder. Raises OSError."""
    open("%s/%s%08x" % (path, _BOOT, boot), "wb").close()


def _boot_of(name):
    try:
        return int(name[len(_BOOT) :], 16) if name.startswith(_BOOT) else 0
    except ValueError:
        return 0  # not one of ours
