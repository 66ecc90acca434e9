"""CBOR values that Python has no type of its own for."""

from ..core.errors import FrameError

MAX_DEPTH = 12  # nested arrays, maps and tags; each level costs two calls on a board's stack
MAX_BIGNUM_BYTES = 64  # 512 bits: enough for keys and digests, too short to hang a printer
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
