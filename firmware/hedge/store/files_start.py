"""What a start finds in the folder of the log. Forgotten after it, see recover.forget().

All functions take the Files and raise OSError.
"""

import os

from . import disk
from . import segment as seg
from .files import KEPT, LIVE

_BOOT = "boot-"  # an empty file; its name carries the boot number


def start(files):
    """Make the folder, finish replacements that were cut."""
    _make_dirs(files.name)
    for name in names(files.name):
        if name.endswith(".tmp"):
            disk.remove(files.path_of(name))


def segments(files):
    """(segments in order of reading, {segment: before}) of the folder; each `size` is known."""
    found, before = [], {}
    for name in names(files.name):
        parsed = parse_name(name)
        if parsed and parsed[1] == LIVE:
            seg.put_in_order(found, parsed[0])
            before[parsed[0]] = _look(files, parsed[0])
    files.count = len(found)
    files.bytes = sum([segment.size for segment in found])
    return found, before


def _look(files, segment):
    """Set its size; what its header says of the one before it."""
    segment.size = _size(files.path_of(segment.name() + LIVE))
    file = files.open_read(segment)
    try:
        head = seg.parse_header(file.read(seg.HEADER_BYTES))
    finally:
        file.close()
    if head and head[0].name() == segment.name():
        return head[1]
    return 0, 0, 0  # the header is damaged: the name says enough


def measure(files, segment):
    """Its size is that of the file."""


def trim(files, segment, offset):
    """Bytes of a torn write behind offset. No more is added: it could complete the record."""
    segment.is_closed = segment.size > offset
    return max(segment.size - offset, 0)


def newest_boot(files):
    """Highest boot number claimed, 0 in a new folder."""
    boots = [_boot_of(name) for name in names(files.name)]
    return max(boots) if boots else 0


def claim(files, boot):
    """Make it durable that this boot number is taken."""
    claim_boot(files.name, boot)
    for name in names(files.name):
        if name.startswith(_BOOT) and name != "%s%08x" % (_BOOT, boot):
            disk.remove(files.path_of(name))


def claim_boot(path, boot):
    """Make it durable that this boot number is taken in a folder."""
    open("%s/%s%08x" % (path, _BOOT, boot), "wb").close()


def _boot_of(name):
    try:
        return int(name[len(_BOOT) :], 16) if name.startswith(_BOOT) else 0
    except ValueError:
        return 0  # not one of ours


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


def names(path):
    """File names in a folder, unsorted."""
    return os.listdir(path)


def _size(path):
    """Bytes of a file. Raises OSError."""
    return os.stat(path)[6]


def _make_dirs(path):
    """Create path and the folders above it that are missing. Raises OSError."""
    parts = path.split("/")
    for i in range(1, len(parts) + 1):
        folder = "/".join(parts[:i])
        if folder and not _exists(folder):
            os.mkdir(folder)


def _exists(path):
    try:
        os.stat(path)
        return True
    except OSError as fault:
        if fault.errno != disk.ENOENT:
            raise
        return False
