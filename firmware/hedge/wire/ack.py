"""The ack: what the gateway has committed, and what time it is.

Gateway -> node. The node forgets records only on this. Layout in SPEC.md.
"""

from ..core.errors import FrameError
from . import seal, varint

MAX_ACK_BYTES = 255
MAX_MARKS = 16
KIND = 0x21  # kind 2 (ack), version 1


def pack(generation, epoch_s, marks, device="", key=None):
    """One ack as bytes.

    generation: u32, changes when the server's database was replaced; epoch_s: u32, 0 for no time;
    marks: list of at most MAX_MARKS (boot, stream, upto): every seq <= upto is committed or known
    lost. key signs it for that device alone. Raises ValueError if a number does not fit.
    """
    if len(marks) > MAX_MARKS:
        raise ValueError("%d marks" % len(marks))
    out = bytearray((KIND, seal.FLAG_MAC if key else 0))
    varint.write(out, generation)
    varint.write(out, epoch_s)
    for boot, stream, upto in marks:
        if not 0 <= stream <= 255:
            raise ValueError("stream %d" % stream)  # MicroPython's bytearray would wrap it
        varint.write(out, boot)
        out.append(stream)
        varint.write(out, upto)
    seal.add(out, key, device.encode())
    return bytes(out)


def unpack(data, device="", key=None):
    """(generation, epoch_s, marks) of data (bytes-like). Raises FrameError."""
    data = bytes(data)
    if not 4 <= len(data) <= MAX_ACK_BYTES:
        raise FrameError("ack of %d bytes" % len(data))
    if data[0] != KIND or data[1] & ~seal.FLAG_MAC & 0xFF:
        raise FrameError("not an ack of version 1")
    end = seal.check(data, bool(data[1] & seal.FLAG_MAC), key, device.encode())
    generation, pos = varint.read(data, 2, end)
    epoch_s, pos = varint.read(data, pos, end)
    return generation, epoch_s, _read_marks(data, pos, end)


def _read_marks(data, pos, end):
    marks = []
    while pos < end:
        boot, pos = varint.read(data, pos, end)
        if pos >= end or len(marks) == MAX_MARKS:
            raise FrameError("marks cut short, or more than %d" % MAX_MARKS)
        stream = data[pos]
        upto, pos = varint.read(data, pos + 1, end)
        marks.append((boot, stream, upto))
    return marks
