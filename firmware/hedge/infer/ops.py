"""The ops of a plan (SPEC.md): opcode, words of a record, and the check of one record.

A check raises ModelError unless the kernels may run the record without looking at bounds. The
checks of each family are in a file of their own, loaded when a model needs it.
"""

from ..core.errors import ModelError
from .fields import u8, u16

CONV = 1
DEPTHWISE = 2
POOL = 3
ADD = 4
MUL = 5
SOFTMAX = 6
TABLE = 7
COPY = 8
FILL = 9
MEAN = 10
REQUANTIZE = 11
SVDF = 12
LSTM = 13

NAMES = ("-", "CONV", "DEPTHWISE", "POOL", "ADD", "MUL", "SOFTMAX", "TABLE")
NAMES += ("COPY", "FILL", "MEAN", "REQUANTIZE", "SVDF", "LSTM")
WORDS = (0, 12, 12, 9, 13, 10, 7, 5, 15, 5, 9, 6, 18, 44)  # by opcode


def need(ok, what):
    if not ok:
        raise ModelError("model file: " + what)


def apart(a, b, what):
    """Two ranges (first byte, byte after) do not meet."""
    need(a[1] <= b[0] or b[1] <= a[0], what)


def flags(op, allowed, what):
    """The flags of a record; none but `allowed`."""
    found = u16(op[0], 1)
    need(not found & ~allowed, "%s: flags 0x%x, known are 0x%x" % (what, found, allowed))
    return found


def clamp(low, high, what):
    need(low <= high, "%s: clamp from %d to %d" % (what, low, high))


def pair(multiplier, shift, what, most=30):
    fits = multiplier == 0 or multiplier >= 1 << 30
    need(fits, "%s: multiplier %d, expected 0 or 2**30 .. 2**31 - 1" % (what, multiplier))
    need(-31 <= shift <= most, "%s: shift %d, expected -31 .. %d" % (what, shift, most))


class Bounds:
    """What the ranges of records are checked against. state: (first byte, byte after)."""

    def __init__(self, data, arena_bytes, state):
        self.data = data
        self.arena_bytes = arena_bytes
        self.state = state

    def in_arena(self, at, count, what, align=4):
        """The range as (first byte, byte after)."""
        need(at % align == 0, "%s at %d, expected a multiple of %d" % (what, at, align))
        inside = at >= 0 and count > 0 and at + count <= self.arena_bytes
        limit = (what, at, count, self.arena_bytes)
        need(inside, "%s outside the arena: %d + %d of %d bytes" % limit)
        return at, at + count

    def in_state(self, at, count, what):
        span = self.in_arena(at, count, what)
        low, high = self.state
        need(low <= at and span[1] <= high, "%s outside the state %d .. %d" % (what, low, high))
        return span

    def in_file(self, at, count, what, align=4):
        need(at % align == 0, "%s at %d, expected a multiple of %d" % (what, at, align))
        inside = at >= 0 and count > 0 and at + count <= len(self.data)
        need(
            inside, "%s outside the file: %d + %d of %d bytes" % (what, at, count, len(self.data))
        )


def check(op, bounds):
    """op: the record's words as signed ints. Raises ModelError naming the op and the fault."""
    opcode = u8(op[0], 0)
    if opcode in (CONV, DEPTHWISE, POOL):
        from .check_image import CHECKS
    elif opcode in (SVDF, LSTM):
        from .check_recurrent import CHECKS
    else:
        from .check_small import CHECKS
    CHECKS[opcode](op, bounds)
