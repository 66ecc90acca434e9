"""Unsigned 32-bit integers in 1 to 5 bytes, seven bits each, least significant first."""

from ..core.errors import FrameError

_MAX = 0xFFFFFFFF


def write(out, n):
    """Append n, 0 <= n < 2**32, to the bytearray out. Raises ValueError outside that."""
    if not 0 <= n <= _MAX:
        raise ValueError("%d is not a u32" % n)
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)


def size(n):
    """Bytes that n takes."""
    count = 1
    while n > 0x7F:
        n >>= 7
        count += 1
    return count


def read(buf, pos, end):
    """(n, position after it), reading before end. Raises FrameError; overlong forms are faults."""
    n = 0
    for i in range(5):
        if pos >= end:
            raise FrameError("number cut short")
        byte = buf[pos]
        pos += 1
        n |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            if n > _MAX or (i and not byte):
                break
            return n, pos
    raise FrameError("number is overlong or past 32 bits")
