"""What a start finds in the log's folder."""

from ..core import log
from . import disk
from .segment import LIVE, Scan, parse_name, sort_key

_BOOT = "boot-"  # an empty file; its name carries the boot number


def last_boot(names, marks):
    """Highest boot number that any trace is left of; 0 in a new folder."""
    boots = [0]
    boots += [boot for boot, _ in marks]
    for name in names:
        parsed = parse_name(name)
        if parsed:
            boots.append(parsed[0].boot)
        elif name.startswith(_BOOT):
            boots.append(_boot_of(name))
    return max(boots)


def _boot_of(name):
    try:
        return int(name[len(_BOOT) :], 16)
    except ValueError:
        return 0  # not one of ours


def claim_boot(path, boot):
    """Make it durable that this boot number is taken. Raises OSError."""
    open("%s/%s%08x" % (path, _BOOT, boot), "wb").close()


def forget_boots(path, names):
    """Remove the files of earlier boot numbers, after claim_boot."""
    for name in names:
        if name.startswith(_BOOT):
            disk.remove(path + "/" + name)


def remove_leftovers(path, names, dropping):
    """Finish what the last run was cut off from: a replaced file, a dropped segment."""
    for name in names:
        if name == dropping or name.endswith(".tmp"):
            disk.remove(path + "/" + name)
    return [name for name in names if name != dropping]


def load_segments(path, names, newest_boot):
    """(segments in order of reading, torn tails of newest_boot). Raises OSError.

    A segment that another of its (boot, stream) follows ends where that begins; only the last one
    of each is read through. Files without a sound record are removed.
    """
    found = [p[0] for p in [parse_name(name) for name in names] if p and p[1] == LIVE]
    found.sort(key=sort_key)
    kept = []
    torn = 0
    for i, segment in enumerate(found):
        segment.size = disk.size(path + "/" + segment.name())
        after = found[i + 1] if i + 1 < len(found) else None
        if after and (after.stream, after.boot) == (segment.stream, segment.boot):
            segment.last = after.first - 1
        elif _find_last(path, segment) and segment.boot == newest_boot:
            torn += 1
        if segment.last < segment.first:
            disk.remove(path + "/" + segment.name())
        else:
            kept.append(segment)
    return kept, torn


def _find_last(path, segment):
    """Set segment.last from the file; True if bytes are left after the last sound record."""
    file = open(path + "/" + segment.name(), "rb")
    try:
        scan = Scan(file, segment)
        while scan.next() is not None:
            segment.last = scan.seq
    finally:
        file.close()
    torn_bytes = segment.size - scan.offset
    if torn_bytes > 0:
        log.warn("store", "%s: %d bytes torn", segment.name(), torn_bytes)
    return torn_bytes != 0  # less than the header counts as well
