"""A store over a deep sleep: the boot goes on, numbers too, files grow instead of becoming more.

    ticket = park(store)                  # before sleeping; plain data, into RTC memory
    store.open(goes_on(ticket))           # after waking

A ticket that does not fit what is on the disk (the power was cut, files are gone, someone else
wrote) is not believed: the start is a new boot, as any other. Only for nodes that sleep deeply.
"""

from ..core import log
from .segment import HEADER_BYTES


def park(store):
    """What of `store` is only in RAM: boot, next numbers, open files, acknowledgements."""
    streams = []
    for stream, seq in store._next_seq.items():
        segment = store._active.get(stream, (None,))[0]
        streams.append(
            [stream, seq, segment.first if segment else 0, segment.size if segment else 0]
        )
    marks = [[boot, stream, upto] for (boot, stream), upto in store._state.marks.items()]
    return {"boot": store.boot, "streams": streams, "marks": marks, "acks": store._unsaved_acks}


def goes_on(ticket):
    """For Store.open(): True if the store goes on where park() left it."""

    def take_up(store):
        if not _fits(store, ticket):
            log.warn("store", "woke up to another log: a new boot")
            return False
        store.boot = ticket["boot"]
        for boot, stream, upto in ticket["marks"]:
            store._state.marks[(boot, stream)] = upto
        store._unsaved_acks = ticket["acks"]
        for stream, seq, first, size in ticket["streams"]:
            store._next_seq[stream] = seq
            if first:
                _open_again(store, stream, seq, first, size)
        return True

    return take_up


def _fits(store, ticket):
    """No trace of a later boot, and no record that the ticket does not know."""
    if store.boot != ticket["boot"] + 1:  # the number that a new boot would take
        return False
    known = {row[0]: row[1] for row in ticket["streams"]}
    for stream, segments in store.segments.items():
        if segments[-1].boot == ticket["boot"] and segments[-1].last >= known.get(stream, 1):
            return False
    return True


def _open_again(store, stream, seq, first, size):
    """Append to the same file; if it is not as it was, the next record begins another."""
    for segment in store.segments.get(stream, ()):
        same = (segment.boot, segment.first) == (store.boot, first)
        if same and segment.size == size > HEADER_BYTES and segment.last == seq - 1:
            try:
                store._active[stream] = (segment, open(store.file_path(segment), "ab", 0))
            except OSError as fault:
                log.warn("store", "%s: %r", segment.name(), fault)
