"""A store over a deep sleep: the boot goes on, and so do its numbers.

    ticket = park(store)                  # before sleeping; plain data, into RTC memory
    store.open(goes_on(ticket))           # after waking

A ticket that does not fit what is on the disk (the power was cut, files are gone, someone else
wrote) is not believed: the start is a new boot, as any other. Only for nodes that sleep deeply.
"""

from ..core import log


def park(store):
    """What of `store` is only in RAM: boot, next numbers, acknowledgements."""
    streams = []
    for stream in store.streams():
        streams.append([stream.number, stream.next_seq, list(stream.floor), stream.above])
    return {"boot": store.boot, "streams": streams, "acks": store._unsaved_acks}


def goes_on(ticket):
    """For Store.open(): True if the store goes on where park() left it."""

    def take_up(store):
        if not _fits(store, ticket):
            log.warn("store", "woke up to another log: a new boot")
            return False
        store.boot = ticket["boot"]
        store._unsaved_acks = ticket["acks"]
        for number, next_seq, floor, above in ticket["streams"]:
            stream = store.stream(number)
            stream.next_seq = next_seq
            stream.floor = max(stream.floor, (floor[0], floor[1]))
            stream.above = above
            stream.settle()
        return True

    return take_up


def _fits(store, ticket):
    """No trace of a later boot, and no record that the ticket does not know."""
    if store.boot != ticket["boot"] + 1:  # the number that a new boot would take
        return False
    known = {row[0]: row[1] for row in ticket["streams"]}
    for stream in store.streams():
        last = stream.segments[-1] if stream.segments else None
        if last and last.last_boot == ticket["boot"] and last.last >= known.get(stream.number, 1):
            return False
    return True
