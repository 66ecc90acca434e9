"""CBOR values that Python has no type of its own for, and how they are read and written.

Loaded when the first one comes by: a node's own files and records hold none.
"""

from ..core.errors import FrameError
from .cbor_write import MAX_BIGNUM_BYTES, write_head, write_item

_MAX_EXPONENT = 400  # past the range of float64 with any mantissa we accept


class Tag:
    """A tagged item this codec has no meaning for: `number` int, `value` any decoded item."""

    def __init__(self, number, value):
        self.number = number
        self.value = value

    def __eq__(self, other):
        return isinstance(other, Tag) and (self.number, self.value) == (other.number, other.value)

    def __hash__(self):
        return hash((self.number, self.value))

    def __repr__(self):
        return "Tag(%d, %r)" % (self.number, self.value)


class Simple:
    """A simple value 0..255 other than false, true and null."""

    def __init__(self, number):
        self.number = number

    def __eq__(self, other):
        return isinstance(other, Simple) and self.number == other.number

    def __hash__(self):
        return self.number

    def __repr__(self):
        return "undefined" if self.number == 23 else "simple(%d)" % self.number


UNDEFINED = Simple(23)


class Decimal:
    """A decimal fraction, tag 4: mantissa * 10**exponent, both ints."""

    def __init__(self, mantissa, exponent):
        self.mantissa = mantissa
        self.exponent = exponent

    def to_float(self):
        """Nearest float. Raises FrameError if the exponent is past that of any float."""
        if not -_MAX_EXPONENT <= self.exponent <= _MAX_EXPONENT:
            raise FrameError("decimal fraction: exponent %d" % self.exponent)
        return float("%de%d" % (self.mantissa, self.exponent))

    def __eq__(self, other):
        if not isinstance(other, Decimal):
            return False
        return (self.mantissa, self.exponent) == (other.mantissa, other.exponent)

    def __hash__(self):
        return hash((self.mantissa, self.exponent))

    def __repr__(self):
        return "Decimal(%d, %d)" % (self.mantissa, self.exponent)


def write_typed(out, obj, depth):
    """Append one of these. Raises TypeError for anything else, ValueError if it has no code."""
    if isinstance(obj, Tag):
        write_head(out, 6, obj.number)
        write_item(out, obj.value, depth)
    elif isinstance(obj, Decimal):
        out.append(0xC4)
        write_item(out, (obj.exponent, obj.mantissa), depth + 1)
    elif isinstance(obj, Simple):
        _write_simple(out, obj.number)
    else:
        raise TypeError("no CBOR for %s" % type(obj).__name__)


def _write_simple(out, number):
    if not 0 <= number <= 255 or 20 <= number <= 22 or 24 <= number < 32:
        raise ValueError("simple(%d)" % number)
    write_head(out, 7, number)


def tagged(number, value):
    """What a tag and its decoded content mean. Raises FrameError."""
    if number in (2, 3):
        return _bignum(number, value)
    return _decimal(value) if number == 4 else Tag(number, value)


def _bignum(tag, value):
    if not isinstance(value, bytes) or len(value) > MAX_BIGNUM_BYTES:
        raise FrameError("cbor: bignum wants a byte string of at most %d" % MAX_BIGNUM_BYTES)
    n = int.from_bytes(value, "big")
    return n if tag == 2 else -1 - n


def _decimal(value):
    # True is an int to CPython, hence the exact types.
    if not isinstance(value, list) or [type(v) for v in value] != [int, int]:
        raise FrameError("cbor: decimal fraction wants [int exponent, int mantissa]")
    return Decimal(value[1], value[0])
