"""SenML in CBOR, RFC 8428: the payload of one record.

    senml.encode(1760000000, [("soil.vwc", "%", 23.4)])
    senml.decode(buf)  ->  [("soil.vwc", "%", 23.4, 1760000000)]

Rule -> store: stream, seq, device time, kind, values; 12 to 40 bytes. The node writes one pack per
record, the gateway resolves it. Labels are the integers of RFC 8428, table 4.
"""

import struct

from ..core.errors import FrameError
from . import cbor, cbor_write
from .cbor_types import Decimal

BASE_VERSION, BASE_NAME, BASE_TIME, BASE_UNIT, BASE_VALUE, BASE_SUM = -1, -2, -3, -4, -5, -6
NAME, UNIT, VALUE, STRING, BOOL, SUM, TIME, UPDATE, DATA = 0, 1, 2, 3, 4, 5, 6, 7, 8
VERSION = 10  # RFC 8428 section 4.4
MAX_RECORDS = 64  # in one pack; a record of ours has 1 to 8

_VALUES = (VALUE, STRING, BOOL, DATA)
_MAX_TIME_S = 1 << 52  # beyond this a float64 second loses its fractions
_NAME_CHARS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-:./_"
_HALF_MAX = 65504.0
_SINGLE_MAX = 3.4028234663852886e38
_SEVEN_DIGITS = 6e-8  # half a unit of float32's last place


# ---- writing ----


def encode(time_s, entries):
    """One pack as bytes.

    time_s: device epoch seconds, 0 while unknown (then left out). entries: 1 to MAX_RECORDS of
    (name, unit or None, value); value int, float, bool, str or bytes. Ints stay ints; floats take
    the smallest of float16, 32, 64 that keeps 7 digits. A common beginning of the names and a
    common unit are written once. Raises ValueError for NaN, infinity or no entries, TypeError for
    other types.
    """
    if not 1 <= len(entries) <= MAX_RECORDS:
        raise ValueError("%d entries" % len(entries))
    base_name = _common_name(entries)
    base_unit = _common_unit(entries)
    out = bytearray()
    cbor_write.write_head(out, 4, len(entries))
    for i, (name, unit, value) in enumerate(entries):
        unit = None if base_unit else unit
        name = name[len(base_name) :]
        bases = _base_fields(base_name, time_s, base_unit) if i == 0 else ()
        cbor_write.write_head(out, 5, 1 + bool(name) + bool(unit) + len(bases))
        _write_fields(out, name, unit, value)
        for label, field in bases:
            cbor_write.write_int(out, label)
            cbor_write.write_item(out, field)
    return bytes(out)


def _write_fields(out, name, unit, value):
    # Labels in the order of their encoded bytes: RFC 8949 section 4.2.1.
    if name:
        out.append(NAME)
        cbor_write.write_text(out, name)
    if unit:
        out.append(UNIT)
        cbor_write.write_text(out, unit)
    if value is True or value is False:
        out.append(BOOL)
        out.append(0xF5 if value else 0xF4)
    elif isinstance(value, int):
        out.append(VALUE)
        cbor_write.write_int(out, value)
    elif isinstance(value, float):
        out.append(VALUE)
        _write_measured(out, value)
    elif isinstance(value, str):
        out.append(STRING)
        cbor_write.write_text(out, value)
    elif isinstance(value, (bytes, bytearray, memoryview)):
        out.append(DATA)
        cbor_write.write_bytes(out, value)
    else:
        raise TypeError("no SenML for %s" % type(value).__name__)


def _write_measured(out, x):
    if x != x or x in (float("inf"), -float("inf")):
        raise ValueError("%r is not a measurement" % x)
    if abs(x) <= _SINGLE_MAX:
        short = struct.unpack(">f", struct.pack(">f", x))[0]
        if abs(short - x) <= _SEVEN_DIGITS * abs(x):
            x = short
    if abs(x) <= _HALF_MAX:
        half = struct.unpack(">e", struct.pack(">e", x))[0]
        if abs(half - x) <= _SEVEN_DIGITS * abs(x):
            x = half
    cbor_write.write_float(out, x)


def _base_fields(base_name, time_s, base_unit):
    fields = []
    if base_name:
        fields.append((BASE_NAME, base_name))
    if time_s:
        fields.append((BASE_TIME, time_s))
    if base_unit:
        fields.append((BASE_UNIT, base_unit))
    return fields


def _common_name(entries):
    # Worth it if n entries save more than the label and head it costs.
    first = entries[0][0]
    size = len(first)
    for name, _, _ in entries[1:]:
        size = min(size, len(name))
        while name[:size] != first[:size]:
            size -= 1
    return first[:size] if size * (len(entries) - 1) > 2 else ""


def _common_unit(entries):
    first = entries[0][1]
    if len(entries) < 2 or not first:
        return None
    return first if all(unit == first for _, unit, _ in entries) else None


# ---- reading ----


def decode(buf):
    """List of (name, unit or None, value, time_s) of a pack, base fields applied.

    value is None where a record carries only a sum. time_s below 2**28 counts from now, as
    RFC 8428 section 4.5.3 has it; 0 means the sender had no clock. Raises FrameError.
    """
    records = resolve(cbor.decode(buf))
    return [(r[NAME], r.get(UNIT), _value(r), r[TIME]) for r in records]


def _value(record):
    for label in _VALUES:
        if label in record:
            return record[label]
    return None


def resolve(pack):
    """Resolved records (RFC 8428 section 4.6) as dicts by label, from a pack as dicts by label.

    Every result has NAME and TIME. Fields this version does not know are dropped, unless their
    name ends in "_" (must be understood): FrameError, as for everything else that is wrong.
    """
    if not isinstance(pack, list) or not 1 <= len(pack) <= MAX_RECORDS:
        raise FrameError("senml: not a pack of 1 to %d records" % MAX_RECORDS)
    bases = {}
    records = []
    for item in pack:
        _check_fields(item)
        for label in item:
            if label in _CHECKS and label < 0:
                bases[label] = item[label]
        if bases.get(BASE_VERSION, VERSION) > VERSION:
            raise FrameError("senml: version %d" % bases[BASE_VERSION])
        records.append(_resolve_one(item, bases))
    return records


def _resolve_one(item, bases):
    record = {label: item[label] for label in item if label in _CHECKS and label >= 0}
    record[NAME] = bases.get(BASE_NAME, "") + record.get(NAME, "")
    _check_name(record[NAME])
    record[TIME] = _bounded_time(_add(bases, BASE_TIME, record, TIME))
    if UNIT not in record and BASE_UNIT in bases:
        record[UNIT] = bases[BASE_UNIT]
    if VALUE in record:
        record[VALUE] = _add(bases, BASE_VALUE, record, VALUE)
    if SUM in record or BASE_SUM in bases:
        record[SUM] = _add(bases, BASE_SUM, record, SUM)
    count = sum(label in record for label in _VALUES)
    if count > 1 or (not count and SUM not in record):
        raise FrameError("senml: %d values in one record" % count)
    return record


def _check_fields(item):
    if not isinstance(item, dict):
        raise FrameError("senml: record is not a map")
    for label in item:
        if isinstance(label, str) and label.endswith("_"):
            raise FrameError("senml: field %r must be understood" % label)
        check = _CHECKS.get(label) if type(label) is int else None
        if check is _number:
            item[label] = _number(item[label])
        elif check and not isinstance(item[label], check):
            raise FrameError("senml: field %d is %s" % (label, type(item[label]).__name__))


def _number(value):
    """int or float, finite and within float64; Decimal becomes float. Raises FrameError."""
    if isinstance(value, Decimal):
        value = value.to_float()
    if type(value) is int:
        return value if -(1 << 63) <= value < 1 << 63 else _finite(float(value))
    if isinstance(value, float):
        return _finite(value)
    raise FrameError("senml: %s is not a number" % type(value).__name__)


def _finite(value):
    if value != value or value in (float("inf"), -float("inf")):
        raise FrameError("senml: number is not finite")
    return value


def _add(bases, base_label, record, label):
    return _number(bases.get(base_label, 0) + record.get(label, 0))


def _bounded_time(time_s):
    if not -_MAX_TIME_S <= time_s <= _MAX_TIME_S:
        raise FrameError("senml: time out of range")
    return time_s


def _check_name(name):
    # RFC 8428 section 4.5.1: starts with a letter or digit.
    if not name or name[0] in "-:./_":
        raise FrameError("senml: name %r" % name)
    for byte in name.encode():
        if byte not in _NAME_CHARS:
            raise FrameError("senml: name %r" % name)


_CHECKS = {
    BASE_VERSION: int,
    BASE_NAME: str,
    BASE_TIME: _number,
    BASE_UNIT: str,
    BASE_VALUE: _number,
    BASE_SUM: _number,
    NAME: str,
    UNIT: str,
    VALUE: _number,
    STRING: str,
    BOOL: bool,
    SUM: _number,
    TIME: _number,
    UPDATE: _number,
    DATA: bytes,
}
