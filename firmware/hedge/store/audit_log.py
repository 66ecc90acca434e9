"""What a log knows, read from outside: for tests, the demo and a farmer's spare card.

Reads only; the node may be running or dead.
"""

from ..core.errors import StoreError
from . import disk
from . import segment as seg
from .files import KEPT, Files
from .files_start import names, parse_name
from .state import State


class Audit:
    """Iterates (boot, stream, seq, payload) of all segments, kept and live, in order.

    dropped {stream: n}, corrupt, torn and marks {stream: ((boot, seq), {boot: upto})}: as the
    node last saved them. damaged: records that could not be read here, known after the iteration.
    Raises StoreError if the folder cannot be read.
    """

    def __init__(self, path):
        self.path = path
        self.damaged = 0
        state = State(Files(path, 0, 0))
        self.dropped = state.dropped
        self.corrupt = state.corrupt
        self.torn = state.torn
        self.marks = state.marks

    def __iter__(self):
        try:
            found = names(self.path)
        except OSError as fault:
            raise StoreError("%s: %r" % (self.path, fault))
        found = [parsed for parsed in [parse_name(name) for name in found] if parsed]
        found.sort(key=_order)
        for segment, ending in found:
            file = self._open(segment, ending)
            if file:
                try:
                    yield from self._records(segment, file)
                finally:
                    file.close()

    def _open(self, segment, ending):
        # A live segment may be renamed or removed between listing and opening.
        for name in (segment.name() + ending, segment.name() + KEPT):
            try:
                return open(self.path + "/" + name, "rb")
            except OSError as fault:
                if fault.errno != disk.ENOENT:
                    raise StoreError("%s: %r" % (name, fault))
        return None

    def _records(self, segment, file):
        scan = seg.Scan(file, segment)
        while True:
            payload = scan.next()
            if payload is None:
                return
            self.damaged += scan.gap
            yield scan.boot, segment.stream, scan.seq, payload


def _order(parsed):
    return seg.sort_key(parsed[0])
