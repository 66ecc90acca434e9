"""Records in an uplink: as many as the data rate's payload takes. Layout in SPEC.md.

DESIGN: uplink -> gateway: version, device, boot, stream, seq, records. The device's name is known
from its DevAddr and the MIC guards the whole, so of the frame's header only boot, stream, seq and
behind travel, and of a record whose skeleton is known only time and values.

    data, count = compose(entry, room, known)             # device
    frames, learned = expand(data, "bed-3", skeletons)     # network server
"""

import binascii

from ...core.errors import FrameError
from ...wire import frame, mac, varint
from . import skeleton as sk

PORT_RECORDS = 1
PORT_PARTS = 2
MAX_ROOM = 242

_SIGNED = 0x80
_BACKLOG = 0x40
_CHECKED = 0x20  # some record is not as it was: a check byte follows the records
_STREAM = 0x07
_FIRST_LOCAL = 0xC1  # tags: 1..0xC0 length of a record as it is
_LOCALS = 30
_BY_DIGEST = 0xFF


class UnknownSkeleton(FrameError):
    """The sender believes that we know a skeleton; we do not. Ask for whole records."""


class Entry:
    """Records of one (boot, stream) from number seq on, as a frame has them."""

    def __init__(self, boot, stream, seq, oldest, records, backlog=False):
        self.boot = boot
        self.stream = stream
        self.seq = seq
        self.oldest = oldest
        self.records = records
        self.backlog = backlog


def compose(entry, room, known, device="", key=None):
    """(payload, number of leading records in it, digests of skeletons that it carries whole).

    known: digests that the network server has, or None to send every record as it is. 0 records
    if not even the first fits into room bytes. key signs for device, as in a frame.
    """
    composer = Composer(entry, room, known, device, key)
    while composer.add_next():
        pass
    return composer.finish()


class Composer:
    """compose() in steps, for a loop that has other things to do: a record takes milliseconds."""

    def __init__(self, entry, room, known, device="", key=None):
        self._entry, self._device, self._key = entry, device, key
        head = bytearray((entry.stream | (_BACKLOG if entry.backlog else 0),))
        varint.write(head, entry.boot)
        varint.write(head, entry.seq)
        varint.write(head, entry.seq - entry.oldest)
        self._head = head
        self._room = room - len(head) - (mac.MAC_BYTES if key else 0)
        # What is signed is one frame; else the network server makes as many as it takes.
        self._left = _room_in_frame(entry, device, key) if key else 1 << 20
        self._writer = _Writer(known)
        self._count = 0

    def add_next(self):
        """Add the next record; False if there is none, or no room for it."""
        records = self._entry.records
        if self._count == len(records):
            return False
        record = records[self._count]
        self._left -= len(record) + 1
        if self._left < 0 or not self._writer.add(record, self._room):
            return False
        self._count += 1
        return True

    def finish(self):
        """See compose()."""
        head, writer = self._head, self._writer
        records = self._entry.records[: self._count]
        if writer.checked:
            head[0] |= _CHECKED
            writer.out.append(binascii.crc32(b"".join(records)) & 0xFF)
        data = head + writer.out
        if self._key:
            data[0] |= _SIGNED
            data += _frame(self._entry, records, self._device, self._key)[-mac.MAC_BYTES :]
        return bytes(data), self._count, writer.whole


def _frame(entry, records, device, key=None):
    where = (entry.boot, entry.stream, entry.seq, entry.oldest)
    return frame.pack(device, *where, records, entry.backlog, key)


def _room_in_frame(entry, device, key):
    where = (entry.boot, entry.stream, entry.seq, entry.oldest)
    return frame.HARD_MAX_BYTES - frame.frame_len(device, *where, (), key)


class _Writer:
    """Appends records to `out`; checked: one of them was taken apart."""

    def __init__(self, known):
        self.out = bytearray()
        self.checked = False
        self.whole = []
        self._known = known
        self._locals = []  # skeletons of this payload, in order of their first record
        self._state = sk.State()

    def add(self, record, room):
        """False, and nothing changed that matters, if the record does not fit."""
        parts = None if self._known is None else sk.split(record)
        code = bytearray((len(record),))
        short = parts is not None and self._tag(code, parts[0])
        if short:
            sk.fill(code, parts[0], parts[1], self._state)
        else:
            code += record
        if len(self.out) + len(code) + (1 if short or self.checked else 0) > room:
            return False
        if parts is not None and not short:
            sk.note(parts[0], parts[1], self._state)
            self.whole.append(sk.digest(parts[0]))
        self._remember(parts)
        self.checked = self.checked or short
        self.out += code
        return True

    def _tag(self, code, skeleton):
        if skeleton in self._locals:
            code[0] = _FIRST_LOCAL + self._locals.index(skeleton)
            return True
        digest = sk.digest(skeleton)
        if digest not in self._known:
            return False
        code[0] = _BY_DIGEST
        code += digest.to_bytes(2, "big")
        return True

    def _remember(self, parts):
        if parts and parts[0] not in self._locals and len(self._locals) < _LOCALS:
            self._locals.append(parts[0])


def expand(data, device, skeletons):
    """(frames as bytes, {digest: skeleton} that it taught) of a payload on PORT_RECORDS.

    skeletons: digest -> skeleton, of this device. Raises FrameError, UnknownSkeleton.
    """
    if not data or data[0] & 0x18:
        raise FrameError("lorawan: payload of another version")
    end = len(data) - (mac.MAC_BYTES if data[0] & _SIGNED else 0)
    boot, pos = varint.read(data, 1, end)
    seq, pos = varint.read(data, pos, end)
    behind, pos = varint.read(data, pos, end)
    checked = bool(data[0] & _CHECKED)
    records, learned = _read(data, pos, end - checked, skeletons)
    if checked and binascii.crc32(b"".join(records)) & 0xFF != data[end - 1]:
        raise UnknownSkeleton("lorawan: records do not match their check")
    entry = Entry(boot, data[0] & _STREAM, seq, seq - behind, records, bool(data[0] & _BACKLOG))
    try:
        frames = (
            [_signed(entry, device, data[end:])] if end < len(data) else _frames(entry, device)
        )
    except ValueError as error:
        raise FrameError("lorawan: %s" % error)
    return frames, learned


def _signed(entry, device, signature):
    body = bytearray(_frame(entry, entry.records, device)[:-2])  # without its CRC
    body[1] |= _SIGNED
    return bytes(body) + bytes(signature)


def _frames(entry, device):
    """As many frames as the records need; one that tells `oldest` alone if there are none."""
    left = list(entry.records)
    frames = []
    while left or not frames:
        room = _room_in_frame(entry, device, None)
        count = 0
        while count < len(left) and room >= len(left[count]) + 1:
            room -= len(left[count]) + 1
            count += 1
        frames.append(_frame(entry, left[:count], device))
        del left[:count]
        entry.seq += count
    return frames


def _read(data, pos, end, skeletons):
    records, learned, known = [], {}, []
    state = sk.State()
    while pos < end:
        tag = data[pos]
        pos += 1
        if 1 <= tag < _FIRST_LOCAL:
            record = bytes(data[pos : pos + tag])
            pos += tag
            if pos > end:
                raise FrameError("lorawan: record cut short")
            _learn(record, known, learned, state)
        else:
            skeleton, pos = _skeleton(data, tag, pos, end, known, skeletons)
            record, pos = sk.join(skeleton, data, pos, end, state)
        records.append(record)
    return records, learned


def _learn(record, known, learned, state):
    parts = sk.split(record)
    if parts is None:
        return
    sk.note(parts[0], parts[1], state)
    learned[sk.digest(parts[0])] = parts[0]
    if parts[0] not in known and len(known) < _LOCALS:
        known.append(parts[0])


def _skeleton(data, tag, pos, end, known, skeletons):
    if _FIRST_LOCAL <= tag < _FIRST_LOCAL + len(known):
        return known[tag - _FIRST_LOCAL], pos
    if tag != _BY_DIGEST or pos + 2 > end:
        raise FrameError("lorawan: tag %02x" % tag)
    skeleton = skeletons.get(data[pos] << 8 | data[pos + 1])
    if skeleton is None:
        raise UnknownSkeleton("lorawan: skeleton %02x%02x" % (data[pos], data[pos + 1]))
    if skeleton not in known and len(known) < _LOCALS:
        known.append(skeleton)
    return skeleton, pos + 2


# ---- acks, the other way ----

_RESYNC = 0x40
_KIND, _FLAGS = 0x21, 0x80  # of wire.ack


def pack_ack(full, resync=False):
    """Payload of a downlink on PORT_RECORDS from the gateway's ack; b"" for resync alone.

    resync: the device is to send whole records until an ack without it.
    """
    if not full:
        return bytes((_RESYNC,))
    signed = full[1] & _FLAGS
    body = full[2:] if signed else full[2:-2]
    return bytes((signed | (_RESYNC if resync else 0),)) + body


def unpack_ack(data):
    """(ack as wire.ack has it, or b"" if there is none, resync). Raises FrameError."""
    from ...wire import seal

    if not data or data[0] & 0x3F:
        raise FrameError("lorawan: no ack")
    resync = bool(data[0] & _RESYNC)
    if len(data) == 1:
        return b"", resync
    out = bytearray((_KIND, data[0] & _SIGNED)) + data[1:]
    if not out[1]:
        seal.add(out, None)
    return bytes(out), resync
