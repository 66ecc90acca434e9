"""The log's own small memory: what is acknowledged and what was lost. One file, replaced whole."""

from ..core import log
from ..core.errors import StoreError
from .kv import read_map, write_map

_FILE = "/state"
_MARKS, _DROPPED, _CORRUPT, _TORN, _DROPPING = 1, 2, 3, 4, 5  # keys of the map


class State:
    """marks: {(boot, stream): upto}; dropped: {stream: records}; corrupt, torn: counts.

    dropping: name of the segment that was about to be removed, counted in `dropped` already.
    damaged: the file did not pass its check and everything here starts from nothing.
    """

    def __init__(self, path):
        """Load from the folder path. A damaged file is a warning: see `damaged`."""
        self._path = path + _FILE
        self.damaged = False
        try:
            values = read_map(self._path) or {}
        except StoreError as fault:
            log.warn("store", "%s; records may be sent again, counts restart", fault)
            self.damaged = True
            values = {}
        self.marks = {}
        for boot, stream, upto in values.get(_MARKS, ()):
            self.marks[(boot, stream)] = upto
        self.dropped = values.get(_DROPPED, {})
        self.corrupt = values.get(_CORRUPT, 0)
        self.torn = values.get(_TORN, 0)
        self.dropping = values.get(_DROPPING)

    def save(self, flush):
        """Replace the file. False, with a warning, if the file system refuses; the old one stays.

        Then a restart sends some records again, and some counts are too low.
        """
        values = {_DROPPED: self.dropped, _CORRUPT: self.corrupt, _TORN: self.torn}
        values[_MARKS] = [[boot, stream, upto] for (boot, stream), upto in self.marks.items()]
        if self.dropping:
            values[_DROPPING] = self.dropping
        try:
            write_map(self._path, values, flush)
            return True
        except (OSError, StoreError) as fault:
            log.warn("store", "state not saved: %r", fault)
            return False
