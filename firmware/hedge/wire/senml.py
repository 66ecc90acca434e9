"""SenML in CBOR, RFC 8428: the payload of one record.

    senml.encode(1760000000, [("soil.vwc", "%", 23.4)])
    senml.decode(buf)  ->  [("soil.vwc", "%", 23.4, 1760000000)]

Rule -> store: stream, seq, device time, kind, values; 12 to 40 bytes. The node writes one pack per
record, the gateway resolves it (senml_read.py). Labels are the integers of RFC 8428, table 4.
"""

import struct

from . import cbor_write

BASE_VERSION, BASE_NAME, BASE_TIME, BASE_UNIT, BASE_VALUE, BASE_SUM = -1, -2, -3, -4, -5, -6
NAME, UNIT, VALUE, STRING, BOOL, SUM, TIME, UPDATE, DATA = 0, 1, 2, 3, 4, 5, 6, 7, 8
MAX_RECORDS = 64  # in one pack; a record of ours has 1 to 8

_HALF_MAX = 65504.0
_SINGLE_MAX = 3.4028234663852886e38
_SEVEN_DIGITS = 6e-8  # half a unit of float32's last place


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
        write_measured(out, value)
    elif isinstance(value, str):
        out.append(STRING)
        cbor_write.write_text(out, value)
    elif isinstance(value, (bytes, bytearray, memoryview)):
        out.append(DATA)
        cbor_write.write_bytes(out, value)
    else:
        raise TypeError("no SenML for %s" % type(value).__name__)


def write_measured(out, x):
    """Append the shortest of float16, 32, 64 that keeps 7 digits; ValueError: NaN, infinity."""
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


def decode(buf):
    """List of (name, unit or None, value, time_s) of a pack, base fields applied.

    value is None where a record carries only a sum. time_s below 2**28 counts from now, as
    RFC 8428 section 4.5.3 has it; 0 means the sender had no clock. Raises FrameError.
    """
    from . import senml_read  # a node that only sends does without it

    return senml_read.decode(buf)


def resolve(pack):
    """Resolved records as dicts by label; see senml_read.resolve."""
    from . import senml_read

    return senml_read.resolve(pack)
