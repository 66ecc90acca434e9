"""Messages as ESP-NOW datagrams: split, numbered, put together again. Sans-io; ESPNOW_SPEC.md.

for datagram in pack(MAC, UP, number, "U", body): ...
parts = Parts()
message = parts.take(datagram)      # (direction, mac, kind, body) or None while parts miss
"""

VERSION = 1
MAX_BYTES = 250  # of one ESP-NOW datagram: espnow.MAX_DATA_LEN
HEADER_BYTES = 11
MAX_PARTS = 16
UP, DOWN = 0, 1  # to the relay, to the node
HOPS = 3
_MAX_OPEN = 4  # messages of which parts miss
_ROOM = MAX_BYTES - HEADER_BYTES


def pack(mac, direction, number, kind, body, hops=HOPS):
    """List of datagrams. mac: of the node, 6 bytes. number: of the message, 0..255, any order.

    ValueError if it needs more than 16.
    """
    count = max((len(body) + _ROOM - 1) // _ROOM, 1)
    if count > MAX_PARTS:
        raise ValueError("%d bytes do not fit %d datagrams" % (len(body), MAX_PARTS))
    found = []
    for i in range(count):
        head = bytearray(HEADER_BYTES)
        head[0] = VERSION << 4 | direction
        head[1] = hops
        head[2:8] = mac
        head[8] = number & 255
        head[9] = i << 4 | (count - 1)
        head[10] = ord(kind)
        found.append(bytes(head) + bytes(body[i * _ROOM : (i + 1) * _ROOM]))
    return found


def is_good(data):
    """Whether these bytes are a datagram of ours."""
    if not HEADER_BYTES <= len(data) <= MAX_BYTES or data[0] not in (
        VERSION << 4,
        VERSION << 4 | 1,
    ):
        return False
    return data[9] >> 4 <= data[9] & 15 and data[1] <= 15 and 65 <= data[10] <= 122


def identity(data):
    """What a datagram keeps on its way: all of the header but the hops."""
    return data[:1] + data[2:HEADER_BYTES]


class Parts:
    """Puts messages together. The last 16 datagrams are known: a second copy brings nothing.

    lost: messages given up because newer ones came while parts missed.
    """

    def __init__(self):
        self._open = {}  # (mac, direction, number, kind, count) -> list of parts
        self._order = []
        self._seen = []
        self.lost = 0

    def take(self, data):
        """(direction, mac, kind, body) of the message that this completes, or None."""
        if not is_good(data) or self._is_known(identity(data)):
            return None
        direction, mac, kind = data[0] & 1, bytes(data[2:8]), chr(data[10])
        at, count = data[9] >> 4, (data[9] & 15) + 1
        body = bytes(data[HEADER_BYTES:])
        if count == 1:
            return direction, mac, kind, body
        key = mac, direction, data[8], kind, count
        parts = self._opened(key, count)
        parts[at] = body
        if None in parts:
            return None
        self._forget(key)
        return direction, mac, kind, b"".join(parts)

    def _is_known(self, known):
        if known in self._seen:
            return True
        self._seen.append(bytes(known))
        if len(self._seen) > MAX_PARTS:
            self._seen.pop(0)
        return False

    def _opened(self, key, count):
        if key not in self._open:
            if len(self._order) == _MAX_OPEN:
                self._forget(self._order[0])
                self.lost += 1
            self._open[key] = [None] * count
            self._order.append(key)
        return self._open[key]

    def _forget(self, key):
        del self._open[key]
        self._order.remove(key)
