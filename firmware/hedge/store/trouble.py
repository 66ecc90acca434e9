"""What the log does when flash or disk fails it: imported only then, to spare a small heap."""

from ..core import log
from . import disk
from .segment import Scan


def salvage(store, stream, seq):
    """After a failed write: leave that segment for good. True if the record is in it anyway.

    If it cannot even be read the number is given up, so that it never stands for two records, and
    StoreError is raised.
    """
    segment = stream.active
    if segment is None:
        return False  # making it was what failed, or there was no room for it
    store.seal(stream)
    segment.is_closed = True
    try:
        end = _end_of_record(store, segment, seq)
        if not end and not segment.count:
            store.volume.remove(segment, False)
    except OSError as fault:
        stream.next_seq = seq + 1
        raise store.refusal("%s: %r" % (segment.name(), fault))
    if end:
        store.volume.written(segment, end - segment.size)
        store.written(stream, segment, seq, end - segment.size)
    return end > 0


def _end_of_record(store, segment, seq):
    """Offset after record seq, the next one expected in the segment; 0 if it is not there."""
    try:
        file = store.volume.open_read(segment, True)
    except OSError as fault:
        if fault.errno == disk.ENOENT:
            return 0  # littlefs: never synced, so never there
        raise
    try:
        if segment.count:
            scan = Scan(file, segment, segment.size, segment.last_boot, segment.last)
        else:
            scan = Scan(file, segment)
        found = scan.next() is not None and (scan.boot, scan.seq) == (store.boot, seq)
        return scan.offset if found else 0
    finally:
        file.close()


def count_damage(stream, segment, boot, first, last):
    """Records first to last of boot were found damaged; counted once, not if acknowledged."""
    if segment.checked[0] == boot:
        first = max(first, segment.checked[1] + 1)
    if stream.floor[0] == boot:
        first = max(first, stream.floor[1] + 1)
    if last < first or (boot, last) <= max(stream.floor, segment.checked):
        return
    segment.lost += last - first + 1
    segment.checked = boot, last
    log.warn("store", "%s: %d records damaged", segment.name(), last - first + 1)


def shorten(store, stream, segment, boot, seq):
    """Nothing can be read behind record (boot, seq) of a finished segment."""
    if boot == segment.last_boot:
        count_damage(stream, segment, boot, seq + 1, segment.last)
        segment.count = max(segment.count - (segment.last - seq), 0)
        segment.last = seq
    else:
        from .recover import find_end

        known = segment.count
        segment.count = 0
        find_end(store.volume, segment)
        segment.lost = max(segment.lost, known - segment.count)
    stream.settle()
    if not segment.count or stream.unacked(segment) == 0:
        store.let_go(stream, segment)
