"""DNS of the set-up network: every name leads to this board, so that phones show its page.

Source: RFC 1035 section 4.1.
"""

MAX_BYTES = 512
_A = b"\x00\x01\x00\x01"
_TTL_S = b"\x00\x00\x00\x05"  # forgotten soon: it is a lie


def reply(data, address):
    """The answer to a question, or None for what is none. address: four bytes."""
    if not 17 <= len(data) <= MAX_BYTES or data[2] & 0xF8 or data[4:6] != b"\x00\x01":
        return None
    end = _end_of_name(data)
    if end is None or end + 4 > len(data):
        return None
    question = bytes(data[12 : end + 4])
    is_a = question[-4:] == _A
    head = bytes(data[:2]) + b"\x85\x80\x00\x01\x00" + bytes((is_a,)) + bytes(4)
    if not is_a:
        return head + question
    return head + question + b"\xc0\x0c" + _A + _TTL_S + b"\x00\x04" + address


def _end_of_name(data):
    """Position behind the name at 12, or None; a question has no pointers."""
    at = 12
    while at < len(data):
        size = data[at]
        if size == 0:
            return at + 1
        if size > 63:
            return None
        at += 1 + size
    return None
