"""The log's own small memory: what is acknowledged and what was lost. One map, replaced whole."""

from ..core import log
from ..core.errors import StoreError

_NAME = "state"
_MARKS, _DROPPED, _CORRUPT, _TORN, _DROPPING, _GENERATION = 1, 2, 3, 4, 5, 6  # keys of the map


class State:
    """marks: {stream: ((boot, seq), {boot: upto})} as loaded, see stream.py; dropped: {stream:
    records}; corrupt, torn: counts; generation: of the server, None if unknown.

    dropping: name of the segment that was about to be removed, counted in `dropped` already.
    damaged: the map did not pass its check and everything here starts from nothing.
    """

    def __init__(self, volume):
        """Load from a volume. A damaged map is a warning: see `damaged`."""
        self._volume = volume
        self.damaged = False
        try:
            values = volume.load(_NAME) or {}
        except StoreError as fault:
            log.warn("store", "%s; records may be sent again, counts restart", fault)
            self.damaged = True
            values = {}
        self.marks = {}
        for stream, boot, seq, above in values.get(_MARKS, ()):
            self.marks[stream] = (boot, seq), above
        self.dropped = values.get(_DROPPED, {})
        self.corrupt = values.get(_CORRUPT, 0)
        self.torn = values.get(_TORN, 0)
        self.dropping = values.get(_DROPPING)
        self.generation = values.get(_GENERATION)

    def marks_of(self, stream):
        """(floor, above) of a stream."""
        return self.marks.get(stream) or ((0, 0), {})

    def newest_boot(self):
        """Highest boot number that a mark tells of, 0 if none does."""
        newest = 0
        for floor, above in self.marks.values():
            newest = max([newest, floor[0]] + list(above))
        return newest

    def save(self, streams):
        """Replace the map. False, with a warning, if the volume refuses; the old one stays.

        Then a restart sends some records again, and some counts are too low.
        """
        values = {_DROPPED: self.dropped, _CORRUPT: self.corrupt, _TORN: self.torn}
        values[_MARKS] = [
            [stream.number, stream.floor[0], stream.floor[1], stream.above] for stream in streams
        ]
        if self.dropping:
            values[_DROPPING] = self.dropping
        if self.generation is not None:
            values[_GENERATION] = self.generation
        try:
            self._volume.save(_NAME, values)
            return True
        except (OSError, StoreError) as fault:
            log.warn("store", "state not saved: %r", fault)
            return False
