"""Well-formed bytes and ways to spoil them, for the fuzz tests of both Pythons."""

import random

from hedge.core.errors import FrameError
from hedge.wire import ack, cbor, frame, senml, senml_json

KEY = b"0123456789abcdef"


def seeds():
    """List of (reader, well-formed bytes); a reader may raise FrameError and nothing else."""
    entries = [("soil.vwc.min", "%", 23.4), ("soil.vwc.max", "%", 31), ("ok", None, True)]
    record = senml.encode(1760000000, entries)
    nested = {"a": [1, -2, 2.5, None, b"x", cbor.Tag(1, 5)], 2: {"b": 1 << 70}}
    marks = [(3, 0, 12), (3, 1, 70000)]
    return [
        (cbor.decode, cbor.encode(nested)),
        (cbor.decode, b"\x9f\xbf\x61a\x5f\x41b\xff\xff\xc4\x82\x21\x19\x6a\xb3\xff"),
        (senml.decode, record),
        (senml_json.decode, senml_json.encode(1760000000, entries).encode()),
        (frame.unpack, frame.pack("node-1", 3, 1, 300, 290, [record, b"x"])),
        (_unpack_signed, frame.pack("node-1", 3, 1, 300, 290, [record], True, KEY)),
        (ack.unpack, ack.pack(7, 1760000000, marks)),
        (_unpack_signed_ack, ack.pack(7, 1760000000, marks, "node-1", KEY)),
    ]


def _unpack_signed(data):
    return frame.unpack(data, KEY)


def _unpack_signed_ack(data):
    return ack.unpack(data, "node-1", KEY)


def mutate(data):
    """data with one to three random changes: bits, bytes, cuts, repeats, interesting values."""
    out = bytearray(data)
    for _ in range(random.getrandbits(2) or 1):
        kind = random.getrandbits(3)
        at = random.getrandbits(16) % (len(out) or 1)
        if kind < 3 and out:
            out[at] ^= 1 << (kind + random.getrandbits(2))
        elif kind == 3 and out:
            out[at] = random.getrandbits(8)
        elif kind == 4:
            out = out[:at]
        elif kind == 5:
            out = out[:at] + bytes([random.getrandbits(8)]) + out[at:]
        elif kind == 6:
            out = out + out[at:]
        else:
            out = out[:at] + b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff" + out[at:]
    return bytes(out)


def reseal(reader, data):
    """data with a CRC that fits, so that what it protects is read at all."""
    import binascii

    if reader not in (frame.unpack, ack.unpack) or len(data) < 3:
        return data
    body = data[:-2]
    return body + (binascii.crc32(body) & 0xFFFF).to_bytes(2, "big")


def run(count, seed):
    """Read count mutants of each seed; (accepted, refused). Any other exception passes through."""
    random.seed(seed)
    accepted = refused = 0
    for reader, data in seeds():
        reader(data)
        for _ in range(count):
            mutant = mutate(data)
            if random.getrandbits(1):
                mutant = reseal(reader, mutant)
            try:
                reader(mutant)
                accepted += 1
            except FrameError:
                refused += 1
    return accepted, refused
