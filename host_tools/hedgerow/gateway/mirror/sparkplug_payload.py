"""Sparkplug B payloads: metrics out, commands in.

Source: Eclipse Sparkplug 3.0.0, chapter 6 "Payloads", and its sparkplug_b.proto: field numbers and
data types below are from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hedgerow.gateway.mirror import protobuf

INT64, DOUBLE, BOOLEAN, STRING = 4, 10, 11, 12
_TIMESTAMP, _METRICS, _SEQ = 1, 2, 3  # of Payload
_NAME, _ALIAS, _METRIC_TIME, _DATATYPE, _PROPERTIES = 1, 2, 3, 4, 9  # of Metric
_LONG_VALUE, _DOUBLE_VALUE, _BOOLEAN_VALUE, _STRING_VALUE = 11, 13, 14, 15
_KEYS, _VALUES = 1, 2  # of PropertySet
_PROPERTY_TYPE, _PROPERTY_STRING = 1, 8  # of PropertyValue


@dataclass(frozen=True, slots=True)
class Metric:
    """datatype: INT64 (int), DOUBLE (float), BOOLEAN, STRING. unit: told as engUnit, "": none."""

    name: str
    datatype: int
    value: int | float | bool | str
    time_ms: int
    unit: str = ""


def encode(time_ms: int, metrics: Sequence[Metric], seq: int | None) -> bytes:
    """One payload; seq 0 to 255, None for NDEATH, which has none."""
    out = protobuf.uint(_TIMESTAMP, time_ms)
    out += b"".join(protobuf.data(_METRICS, _metric(metric)) for metric in metrics)
    return out if seq is None else out + protobuf.uint(_SEQ, seq)


def _metric(metric: Metric) -> bytes:
    out = protobuf.data(_NAME, metric.name)
    out += protobuf.uint(_METRIC_TIME, metric.time_ms)
    out += protobuf.uint(_DATATYPE, metric.datatype)
    if metric.unit:
        out += protobuf.data(_PROPERTIES, _unit(metric.unit))
    return out + _value(metric)


def _unit(unit: str) -> bytes:
    told = protobuf.uint(_PROPERTY_TYPE, STRING) + protobuf.data(_PROPERTY_STRING, unit)
    return protobuf.data(_KEYS, "engUnit") + protobuf.data(_VALUES, told)


def _value(metric: Metric) -> bytes:
    if metric.datatype == STRING:
        return protobuf.data(_STRING_VALUE, str(metric.value))
    if metric.datatype == DOUBLE:
        return protobuf.double(_DOUBLE_VALUE, float(metric.value))
    field = _BOOLEAN_VALUE if metric.datatype == BOOLEAN else _LONG_VALUE
    return protobuf.uint(field, int(metric.value))


def true_metrics(payload: bytes) -> set[str]:
    """Names of the metrics that are true booleans: what a command asks for. Raises ValueError."""
    names = set()
    for number, _, value in protobuf.fields(payload):
        if number == _METRICS:
            if not isinstance(value, bytes):
                raise ValueError("sparkplug: a metric is a number")
            found = {n: v for n, _, v in protobuf.fields(value)}
            name = found.get(_NAME, b"")
            if found.get(_BOOLEAN_VALUE) == 1 and isinstance(name, bytes):
                names.add(name.decode())  # UnicodeDecodeError is a ValueError
    return names
