"""Which options are understood, and what to do with the others (RFC 7252 5.4)."""

from . import numbers as n

_ONCE = 0
_MANY = 1
# number: (shortest, longest value in bytes, how often)
_KNOWN = {
    n.IF_MATCH: (0, 8, _MANY),
    n.URI_HOST: (1, 255, _ONCE),
    n.ETAG: (1, 8, _MANY),
    n.IF_NONE_MATCH: (0, 0, _ONCE),
    n.OBSERVE: (0, 3, _ONCE),
    n.URI_PORT: (0, 2, _ONCE),
    n.LOCATION_PATH: (0, 255, _MANY),
    n.OSCORE: (0, 255, _ONCE),
    n.URI_PATH: (0, 255, _MANY),
    n.CONTENT_FORMAT: (0, 2, _ONCE),
    n.MAX_AGE: (0, 4, _ONCE),
    n.URI_QUERY: (0, 255, _MANY),
    n.ACCEPT: (0, 2, _ONCE),
    n.LOCATION_QUERY: (0, 255, _MANY),
    n.BLOCK2: (0, 3, _ONCE),
    n.BLOCK1: (0, 3, _ONCE),
    n.SIZE2: (0, 4, _ONCE),
    n.PROXY_URI: (1, 1034, _ONCE),
    n.PROXY_SCHEME: (1, 255, _ONCE),
    n.SIZE1: (0, 4, _ONCE),
    n.ECHO: (1, 40, _ONCE),
    n.NO_RESPONSE: (0, 1, _ONCE),
    n.REQUEST_TAG: (0, 8, _MANY),
}


def sift(message):
    """Drop what may be ignored; return the number of an option that must not be, or None.

    An option of a wrong length, or repeated against the rules, counts as not understood (5.4.3,
    5.4.5); odd numbers are critical (5.4.6).
    """
    kept = []
    seen = set()
    for number, value in message.options:
        if _is_understood(number, value, seen):
            seen.add(number)
            kept.append((number, value))
        elif number & 1:
            return number
    message.options = kept
    return None


def _is_understood(number, value, seen):
    known = _KNOWN.get(number)
    if known is None or not known[0] <= len(value) <= known[1]:
        return False
    return known[2] == _MANY or number not in seen
