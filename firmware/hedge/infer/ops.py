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


def fail(what):
    """Only here is a message made: a large model passes thousands of checks, and texts that nobody
    reads would lie all over a board's heap. plan.py adds the file and the op."""
    raise ModelError(what)


def need(ok, what):
    if not ok:
        fail(what)


def apart(a, b, what):
    """Two ranges (first byte, byte after) do not meet."""
    need(a[1] <= b[0] or b[1] <= a[0], what)


def flags(op, allowed):
    """The flags of a record; none but `allowed`."""
    found = u16(op[0], 1)
    if found & ~allowed:
        fail("flags 0x%x, known are 0x%x" % (found, allowed))
    return found


def clamp(low, high):
    if low > high:
        fail("clamp from %d to %d" % (low, high))


def pair(multiplier, shift, most=30):
    if multiplier != 0 and multiplier < 1 << 30:
        fail("multiplier %d, expected 0 or 2**30 .. 2**31 - 1" % multiplier)
    if not -31 <= shift <= most:
        fail("shift %d, expected -31 .. %d" % (shift, most))


class Bounds:
    """What the ranges of records are checked against. state: (first byte, byte after)."""

    def __init__(self, data, arena_bytes, state):
        self.data = data
        self.arena_bytes = arena_bytes
        self.state = state

    def in_arena(self, at, count, what, align=4):
        """The range as (first byte, byte after)."""
        _inside(at, count, self.arena_bytes, what, align, "arena")
        return at, at + count

    def in_state(self, at, count, what):
        span = self.in_arena(at, count, what)
        low, high = self.state
        if at < low or span[1] > high:
            fail("%s outside the state %d .. %d" % (what, low, high))
        return span

    def in_file(self, at, count, what, align=4):
        _inside(at, count, len(self.data), what, align, "file")


def _inside(at, count, size, what, align, place):
    if at % align:
        fail("%s at %d, expected a multiple of %d" % (what, at, align))
    if at < 0 or count <= 0 or at + count > size:
        fail("%s outside the %s: %d + %d of %d bytes" % (what, place, at, count, size))


def check(op, bounds):
    """op: the record's words as signed ints. Raises ModelError naming the fault."""
    opcode = u8(op[0], 0)
    if opcode in (CONV, DEPTHWISE, POOL):
        from .check_image import CHECKS
    elif opcode in (SVDF, LSTM):
        from .check_recurrent import CHECKS
    else:
        from .check_small import CHECKS
    CHECKS[opcode](op, bounds)
