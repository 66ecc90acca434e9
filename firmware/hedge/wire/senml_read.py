"""The reading half of SenML: a pack from anyone -> resolved records, RFC 8428 section 4.6."""

from ..core.errors import FrameError
from . import cbor
from .cbor_types import Decimal
from .senml import (
    BASE_NAME,
    BASE_SUM,
    BASE_TIME,
    BASE_UNIT,
    BASE_VALUE,
    BASE_VERSION,
    BOOL,
    DATA,
    MAX_RECORDS,
    NAME,
    STRING,
    SUM,
    TIME,
    UNIT,
    UPDATE,
    VALUE,
)

_VERSION = 10  # RFC 8428 section 4.4
_VALUES = (VALUE, STRING, BOOL, DATA)
_MAX_TIME_S = 1 << 52  # beyond this a float64 second loses its fractions
_NAME_CHARS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-:./_"


def decode(buf):
    """See senml.decode."""
    return entries(cbor.decode(buf))


def entries(pack):
    """What senml.decode returns, of a pack as dicts by label. Raises FrameError."""
    records = resolve(pack)
    return [(r[NAME], r.get(UNIT), _value(r), r[TIME]) for r in records]


def _value(record):
    for label in _VALUES:
        if label in record:
            return record[label]
    return None


def resolve(pack):
    """Resolved records (RFC 8428 section 4.6) as dicts by label, from a pack as dicts by label.

    Every result has NAME and TIME; a record of base fields alone gives none. Fields this version
    does not know are dropped, unless their name ends in "_" (must be understood): FrameError, as
    for everything else that is wrong.
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
        if bases.get(BASE_VERSION, _VERSION) > _VERSION:
            raise FrameError("senml: version %d" % bases[BASE_VERSION])
        if not _is_base_only(item):
            records.append(_resolve_one(item, bases))
    return records


def _is_base_only(item):
    # RFC 8428 section 5.1.5 starts with such a record; it only sets bases for the others.
    for label in item:
        if label not in _CHECKS or label >= 0:
            return False
    return bool(item)


def _resolve_one(item, bases):
    record = {label: item[label] for label in item if label in _CHECKS and label >= 0}
    record[NAME] = bases.get(BASE_NAME, "") + record.get(NAME, "")
    _check_name(record[NAME])
    record[TIME] = _bounded_time(_add(bases, BASE_TIME, record, TIME))
    if UNIT not in record and BASE_UNIT in bases:
        record[UNIT] = bases[BASE_UNIT]
    count = sum(label in record for label in _VALUES)
    if not count and SUM not in record and BASE_VALUE in bases:  # 4.5.4: a missing one is 0
        record[VALUE] = 0
        count = 1
    if VALUE in record:
        record[VALUE] = _add(bases, BASE_VALUE, record, VALUE)
    if SUM in record or BASE_SUM in bases:
        record[SUM] = _add(bases, BASE_SUM, record, SUM)
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
        return value if -(1 << 63) <= value < 1 << 63 else _finite(_as_float(value))
    if isinstance(value, float):
        return _finite(value)
    raise FrameError("senml: %s is not a number" % type(value).__name__)


def _as_float(value):
    try:
        return float(value)
    except OverflowError:  # CPython; MicroPython says infinity
        return float("inf")


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
