"""The frame: some records of one (device, boot, stream) on their way to the gateway.

Uplink -> gateway: version, device, boot, stream, seq, records, CRC or MAC; 200 bytes by default.
Layout in SPEC.md. The node packs, the gateway unpacks (frame_read.py).
"""

from . import seal, varint

MAX_FRAME_BYTES = 200  # what the uplink fills; fits the smallest links
HARD_MAX_BYTES = 255  # no reader takes more; a frame past 200 holds one large record
MAX_PAYLOAD_BYTES = 192  # worst-case header, 24-letter device and MAC still fit HARD_MAX_BYTES
MAX_DEVICE_CHARS = 24
KIND = 0x11  # kind 1 (frame), version 1
BACKLOG = 0x01  # flag
DEVICE_CHARS = b"abcdefghijklmnopqrstuvwxyz0123456789-"
_U32_MAX = 0xFFFFFFFF


def is_device_name(name):
    """True for 1 to 24 of a-z, 0-9 and '-'."""
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_DEVICE_CHARS:
        return False
    return all(ord(c) < 128 and ord(c) in DEVICE_CHARS for c in name)


def pack(device, boot, stream, seq, oldest, records, backlog=False, key=None):
    """One frame as bytes.

    records: list of payloads, 1 to MAX_PAYLOAD_BYTES each, of consecutive sequence numbers from
    seq; oldest <= seq is the lowest number of this (boot, stream) the node still holds. An empty
    list only tells `oldest`. key: bytes signs the frame. Raises ValueError if something does not
    fit, also when the whole passes HARD_MAX_BYTES.
    """
    check_header(device, boot, stream, seq, oldest, len(records))
    out = bytearray((KIND, (seal.FLAG_MAC if key else 0) | (BACKLOG if backlog else 0)))
    out.append(len(device))
    out.extend(device.encode())
    varint.write(out, boot)
    out.append(stream)
    varint.write(out, seq)
    varint.write(out, seq - oldest)
    for payload in records:
        _check_payload(len(payload))
        out.append(len(payload))
        out.extend(payload)
    seal.add(out, key)
    if len(out) > HARD_MAX_BYTES:
        raise ValueError("frame of %d bytes" % len(out))
    return bytes(out)


def check_header(device, boot, stream, seq, oldest, count):
    """Raises ValueError if a number does not fit; count: records."""
    if not is_device_name(device):
        raise ValueError("device name %r: 1 to 24 of a-z 0-9 -" % (device,))
    if not 0 <= stream <= 255:
        raise ValueError("stream %d" % stream)
    if not 1 <= boot <= _U32_MAX or not 1 <= oldest <= seq or seq + count > _U32_MAX + 1:
        raise ValueError("boot %d, oldest %d, seq %d" % (boot, oldest, seq))


def _check_payload(size):
    if not 1 <= size <= MAX_PAYLOAD_BYTES:
        raise ValueError("record of %d bytes" % size)


def unpack(data, key=None):
    """Frame of data (bytes-like). key: bytes, or a function of the device name -> bytes or None.

    Raises FrameError if anything is wrong, unsigned though there is a key included.
    """
    from . import frame_read  # a node only packs

    return frame_read.unpack(data, key)


def frame_len(device, boot, stream, seq, oldest, records, key=None):
    """Bytes that pack would return."""
    size = 4 + len(device)  # kind, flags, length of the name, the name, stream
    size += varint.size(boot) + varint.size(seq) + varint.size(seq - oldest)
    return size + seal.seal_bytes(key) + sum(1 + len(r) for r in records)


def room(max_frame_bytes, device, key=None):
    """Bytes left for records (each costs its length + 1) whatever boot, seq and oldest are."""
    return max_frame_bytes - frame_len(device, _U32_MAX, 0, _U32_MAX, 0, (), key)
