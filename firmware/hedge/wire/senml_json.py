"""SenML in JSON, RFC 8428 section 5: the same packs as text, for peers that speak no CBOR.

    senml_json.encode(1760000000, [("soil.vwc", "%", 23.4)])
    senml_json.decode(text)  ->  [("soil.vwc", "%", 23.4, 1760000000)]
    senml_json.dumps(cbor.decode(buf))      # a pack as dicts by label, from CBOR to JSON
    cbor.encode(senml_json.loads(text))     # and back

Loaded by those who need it: a node's own records are CBOR.
"""

import binascii
import json
import struct

from ..core.errors import FrameError
from . import cbor, cbor_read, senml
from .cbor_types import Decimal

MAX_TEXT_BYTES = 16384  # of one pack; 64 records of ours are half of it
_MAX_DEPTH = 8  # a pack needs 2; what nests deeper is in fields we do not know
_SHORT_BELOW = 1e7  # above, seven digits would move a float32 by more than one: times must not
_KEYS = {  # RFC 8428 table 4
    "bver": senml.BASE_VERSION,
    "bn": senml.BASE_NAME,
    "bt": senml.BASE_TIME,
    "bu": senml.BASE_UNIT,
    "bv": senml.BASE_VALUE,
    "bs": senml.BASE_SUM,
    "n": senml.NAME,
    "u": senml.UNIT,
    "v": senml.VALUE,
    "vs": senml.STRING,
    "vb": senml.BOOL,
    "s": senml.SUM,
    "t": senml.TIME,
    "ut": senml.UPDATE,
    "vd": senml.DATA,
}


def encode(time_s, entries):
    """One pack as str; arguments and errors as senml.encode, whose rounding to 7 digits it has."""
    return dumps(cbor.decode(senml.encode(time_s, entries)))


def decode(text):
    """As senml.decode, from str or UTF-8 bytes. Raises FrameError."""
    from . import senml_read

    return senml_read.entries(loads(text))


def dumps(pack):
    """JSON text of a pack of dicts by label. Raises ValueError for what JSON has no number for.

    Keys are in alphabetical order: the same pack is the same text everywhere.
    """
    names = {label: name for name, label in _KEYS.items()}
    records = []
    for record in pack:
        fields = sorted([(names.get(label, label), record[label]) for label in record])
        records.append("{%s}" % ",".join(["%s:%s" % (_json(n), _value(v)) for n, v in fields]))
    return "[%s]" % ",".join(records)


def _value(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        text = binascii.b2a_base64(bytes(value)).decode().rstrip("\n=")
        return '"%s"' % text.replace("+", "-").replace("/", "_")  # base64url, no padding
    if isinstance(value, Decimal):
        value = value.to_float()
    if isinstance(value, float):
        return _float(value)
    return _json(value)


def _float(x):
    if x != x or x in (float("inf"), -float("inf")):
        raise ValueError("%r is no JSON number" % x)
    text = "%.7g" % x
    if abs(x) < _SHORT_BELOW and _float32(float(text)) == _float32(x) == x:
        return text  # 23.4, not 23.399999618530273
    for digits in (15, 16, 17):
        text = "%.*g" % (digits, x)
        if float(text) == x:
            break
    return text


def _float32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def _json(value):
    return json.dumps(value)


def loads(text):
    """Pack of dicts by label from JSON (str or UTF-8 bytes). Raises FrameError.

    Data values become bytes; fields without a label keep their name. Values are checked by
    senml.resolve, not here.
    """
    if not isinstance(text, str):
        text = cbor_read.decode_text(bytes(text))
    if len(text) > MAX_TEXT_BYTES:
        raise FrameError("senml: %d characters, at most %d" % (len(text), MAX_TEXT_BYTES))
    _check_brackets(text)
    try:
        pack = json.loads(text)
    except ValueError as error:
        raise FrameError("senml: not JSON: %s" % error)
    if not isinstance(pack, list):
        raise FrameError("senml: not a pack")
    return [_by_label(_whole(record)) for record in pack]


def _whole(value):
    """What JSON held, in whole characters: MicroPython leaves an escaped pair as two halves."""
    if isinstance(value, str):
        return _joined(value) if any(_is_half(ord(char)) for char in value) else value
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(value[name]) for name in value}
    return value


def _is_half(code):
    return 0xD800 <= code < 0xE000


def _joined(text):
    out, high = "", 0
    for char in text + " ":  # which follows a half at the end
        code = ord(char)
        if (0xDC00 <= code < 0xE000) != bool(high):
            raise FrameError("senml: half a character, \\ud800 to \\udfff")
        if high:
            out += chr(0x10000 + (high - 0xD800 << 10) + code - 0xDC00)
            high = 0
        elif _is_half(code):
            high = code
        else:
            out += char
    return out[:-1]


def _check_brackets(text):
    # CPython's reader recurses, MicroPython's takes a text whose end is missing.
    depth = 0
    in_string = skip = False
    for char in text:
        if skip:
            skip = False
        elif in_string:
            skip = char == "\\"
            in_string = char != '"'
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            if depth > _MAX_DEPTH:
                raise FrameError("senml: nested deeper than %d" % _MAX_DEPTH)
        elif char in "]}":
            depth -= 1
    if depth or in_string:
        raise FrameError("senml: JSON cut short")


def _by_label(record):
    if not isinstance(record, dict):
        raise FrameError("senml: record is not a map")
    labelled = {_KEYS.get(name, name): record[name] for name in record}
    if senml.DATA in labelled:
        labelled[senml.DATA] = _data(labelled[senml.DATA])
    return labelled


def _data(text):
    if not isinstance(text, str):
        raise FrameError("senml: vd is %s" % type(text).__name__)
    for char in text:
        if not ("0" <= char <= "9" or "A" <= char <= "Z" or "a" <= char <= "z" or char in "-_"):
            raise FrameError("senml: vd is not base64url")
    padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
    try:
        return binascii.a2b_base64(padded)
    except ValueError as error:
        raise FrameError("senml: vd: %s" % error)
