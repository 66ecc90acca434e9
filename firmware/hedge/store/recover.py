"""What a start finds in a volume: which segments there are, and where each one ends."""

import sys

from ..core import log
from .segment import HEADER_BYTES, Scan

_ONLY_AT_START = ("recover", "files_start")


def forget():
    """Let go of the code that only a start needs: 1 KB of heap. It is imported anew if need be."""
    package = __name__.rpartition(".")[0]
    for name in _ONLY_AT_START:
        if sys.modules.pop("%s.%s" % (package, name), None):
            delattr(sys.modules[package], name)


def load_segments(volume, starter, newest_boot, dropping=None):
    """(segments in order of reading, torn tails of newest_boot). Raises OSError.

    A segment's end is in the header of the one that follows it in its stream; the last one of
    each stream, and one before a damaged header, is read through. Segments without a sound record
    are removed, and the one that was being dropped.
    """
    found, before = starter.segments(volume)
    kept, torn = [], 0
    for i, segment in enumerate(found):
        after = found[i + 1] if i + 1 < len(found) else None
        if segment.name() == dropping:
            volume.remove(segment, False)
            continue
        if not after or after.stream != segment.stream or not _told(segment, before[after]):
            is_torn = find_end(volume, segment)
            torn += is_torn and segment.last_boot == newest_boot
        if segment.count:
            kept.append(segment)
        else:
            volume.remove(segment, False)
    return kept, torn


def _told(segment, before):
    boot, seq, count = before
    if (boot, seq) < (segment.boot, segment.first):
        return False  # of a segment that is gone, or nothing
    segment.last_boot, segment.last, segment.count = before
    return True


def find_end(volume, segment):
    """Set the segment's last record and count; True if a torn write lies behind it."""
    starter = volume.recovery()
    starter.measure(volume, segment)
    file = volume.open_read(segment)
    try:
        scan = Scan(file, segment)
        count = 0
        while scan.next() is not None:
            count += 1
        if count:
            segment.last_boot, segment.last, segment.count = scan.boot, scan.seq, count
    finally:
        file.close()
    torn_bytes = starter.trim(volume, segment, scan.offset if count else HEADER_BYTES)
    if torn_bytes:
        log.warn("store", "%s: %d bytes torn", segment.name(), torn_bytes)
    return torn_bytes > 0 or segment.size < HEADER_BYTES
