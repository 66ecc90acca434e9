"""Reading frames that come from anywhere: every fault is a FrameError. Layout in SPEC.md."""

from ..core.errors import FrameError
from . import seal, varint
from .frame import (
    BACKLOG,
    DEVICE_CHARS,
    HARD_MAX_BYTES,
    KIND,
    MAX_PAYLOAD_BYTES,
    check_header,
    is_device_name,
)

_KNOWN_FLAGS = seal.FLAG_MAC | BACKLOG


class Frame:
    """What unpack returns; `records` is a list of bytes, of sequence numbers seq, seq + 1, ..."""

    def __init__(self, device, boot, stream, seq, oldest, records, backlog):
        self.device = device
        self.boot = boot
        self.stream = stream
        self.seq = seq
        self.oldest = oldest
        self.records = records
        self.backlog = backlog


def unpack(data, key=None):
    """See frame.unpack."""
    data = bytes(data)
    if len(data) > HARD_MAX_BYTES or len(data) < 3:
        raise FrameError("frame of %d bytes" % len(data))
    if data[0] != KIND:
        raise FrameError("not a frame of version 1")
    flags = data[1]
    if flags & ~_KNOWN_FLAGS & 0xFF:
        raise FrameError("unknown flags %02x" % flags)
    device, pos = _read_device(data)
    if callable(key):
        key = key(device)
    end = seal.check(data, bool(flags & seal.FLAG_MAC), key)
    return _read_body(data, pos, end, device, bool(flags & BACKLOG))


def _read_device(data):
    end = 3 + data[2]
    if end > len(data):
        raise FrameError("device name cut short")
    for byte in data[3:end]:
        if byte not in DEVICE_CHARS:
            raise FrameError("device name has byte %02x" % byte)
    device = str(data[3:end], "ascii")
    if not is_device_name(device):
        raise FrameError("device name of %d letters" % len(device))
    return device, end


def _read_body(data, pos, end, device, backlog):
    boot, pos = varint.read(data, pos, end)
    if pos >= end:
        raise FrameError("cut short")
    stream = data[pos]
    seq, pos = varint.read(data, pos + 1, end)
    behind, pos = varint.read(data, pos, end)
    records = _read_records(data, pos, end)
    try:
        check_header(device, boot, stream, seq, seq - behind, len(records))
    except ValueError as fault:
        raise FrameError(str(fault))
    return Frame(device, boot, stream, seq, seq - behind, records, backlog)


def _read_records(data, pos, end):
    records = []
    while pos < end:
        start = pos + 1
        pos = start + data[pos]
        if pos > end or not start < pos <= start + MAX_PAYLOAD_BYTES:
            raise FrameError("record of %d bytes, %d left" % (pos - start, end - start))
        records.append(data[start:pos])
    return records
