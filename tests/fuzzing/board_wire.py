"""Readers of hedge.wire, and of the messages on a cable and over ESP-NOW."""

from trial import Reader, taken

from hedge.net import espnow_parts, serial_lines
from hedge.wire import ack, cbor, frame, mac, seal, senml, senml_json

_KEY = b"0123456789abcdef"
_ENTRIES = [("soil.vwc.min", "%", 23.4), ("soil.vwc.max", "%", 31), ("ok", None, True)]
_MORE = [("raw", None, b"\x00\xff"), ("rule", None, "dry")]
_RECORD = senml.encode(1760000000, _ENTRIES)
_NESTED = {"a": [1, -2, 2.5, None, b"x", cbor.Tag(1, 5)], 2: {"b": 1 << 70}}
_MARKS = [(3, 0, 12), (3, 1, 70000)]
SIGNS = [bytes((c,)) for c in b'[]{}",:.\\-+eE0123456789_ \xc3'] + [b"true", b"1e999", b"\\ud800"]
_HEADS = (
    b"\x9b" + b"\xff" * 8,
    b"\x5b\x00\x00\x00\x01",
    b"\xbf",
    b"\x5f",
    b"\xf9\x7e\x00",
    b"\xc4\x82",
)


def _cbor():
    odd = b"\x9f\xbf\x61a\x5f\x41b\xff\xff\xc4\x82\x21\x19\x6a\xb3\xff"
    return Reader(taken(cbor.decode), [cbor.encode(_NESTED), odd, _RECORD], tokens=_HEADS)


def _senml():
    seeds = [_RECORD, senml.encode(1760000000, _MORE)]
    return Reader(taken(senml.decode), seeds, tokens=_HEADS)


def _senml_json():
    odd = b'[{"bn":"a","bver":10,"n":"b","s":1e3,"l":[]}]'
    seeds = [senml_json.encode(1760000000, _ENTRIES + _MORE).encode(), odd]
    return Reader(taken(senml_json.decode), seeds, tokens=SIGNS)


def with_crc(data):
    out = bytearray(data[:-2])
    seal.add(out, None)
    return bytes(out)


def _with_mac(context):
    def sealed(data):
        out = bytearray(data[: -mac.MAC_BYTES])
        seal.add(out, _KEY, context)
        return bytes(out)

    return sealed


def _frames(key):
    pack = frame.pack
    return [
        pack("node-1", 3, 1, 300, 290, [_RECORD, b"x"], False, key),
        pack("a", 0xFFFFFFFF, 255, 0xFFFFFFFF, 1, [b"x"], True, key),
        pack("bed-3", 1, 0, 9, 9, [], False, key),
    ]


def _frame():
    return Reader(taken(frame.unpack), _frames(None), seal=with_crc)


def _frame_signed():
    return Reader(taken(lambda data: frame.unpack(data, _KEY)), _frames(_KEY), seal=_with_mac(b""))


def _ack():
    seeds = [ack.pack(7, 1760000000, _MARKS), ack.pack(0xFFFFFFFF, 0, [(1, 2, 3)] * 16)]
    return Reader(taken(ack.unpack), seeds, seal=with_crc)


def _ack_signed():
    seeds = [ack.pack(7, 1760000000, _MARKS, "node-1", _KEY)]
    read = taken(lambda data: ack.unpack(data, "node-1", _KEY))
    return Reader(read, seeds, seal=_with_mac(b"node-1"))


def _espnow_parts():
    pack, node = espnow_parts.pack, b"\x02node1"
    seeds = pack(node, espnow_parts.UP, 7, "U", bytes(600)) + pack(node, 1, 8, "a", b"ack")
    seeds += pack(node, espnow_parts.DOWN, 255, "n", bytes(3000))
    parts = espnow_parts.Parts()

    def read(data):
        message = parts.take(data)
        assert len(parts._open) <= 4 and len(parts._seen) <= 16
        if message is None:
            return "part" if espnow_parts.is_good(data) else "no datagram"
        assert message[0] in (0, 1) and len(message[3]) <= 16 * espnow_parts.MAX_BYTES
        return None

    return Reader(read, seeds)


def _lines(longest):
    def make():
        body = bytes(range(60))
        seeds = [serial_lines.pack(kind, body) for kind in "HIUPBawpn"]
        seeds += [b"a log line\r\n" + seeds[2], b">>> " + seeds[4][:-1] + b"\r\n", b"#~#~#~U"]
        lines = serial_lines.Lines(longest, bytes)

        def read(data):
            damaged = lines.damaged
            found = lines.feed(data)
            assert len(lines._held) <= longest
            for kind, body in found:
                assert len(kind) == 1 and len(body) <= longest
            if found:
                return None
            return "damaged" if lines.damaged > damaged else "text"

        return Reader(read, seeds, tokens=(b"#~", b"\n", b"\r", b"=", b"#"), seal=line_sealed)

    return make


def line_sealed(data):
    """A CRC that fits what stands between the mark and it."""
    from binascii import crc32

    at = data.find(serial_lines.MARK)
    middle = data[at + 2 : -9] if at >= 0 else b""
    return serial_lines.MARK + middle + b"%08x\n" % crc32(middle) if middle else data


READERS = {
    "cbor": _cbor,
    "senml": _senml,
    "senml json": _senml_json,
    "frame": _frame,
    "frame, signed": _frame_signed,
    "ack": _ack,
    "ack, signed": _ack_signed,
    "espnow parts": _espnow_parts,
    "serial lines, board": _lines(serial_lines.LONGEST_TO_BOARD),
    "serial lines, host": _lines(serial_lines.LONGEST_TO_HOST),
}
