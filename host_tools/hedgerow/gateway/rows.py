"""SenML packs of records, as rows for charts.

wire/SPEC.md: a record's payload is one SenML-CBOR pack; hedge.wire.senml is the codec.
"""

import math
from dataclasses import dataclass

from hedge.core.errors import FrameError
from hedge.wire import senml

# RFC 8428 4.5.3: a time below 2**28 is relative to "now". A board whose clock was never set
# counts from 0, so the same bound tells a set clock from an unset one.
CLOCK_SET_S = 2**28
_CLOCK_LIMIT_S = 2**33  # year 2242; beyond it is damage, and charts could not show it
_MAX_NAME_CHARS = 64
_SQLITE_INT_LIMIT = 2**63


@dataclass(frozen=True, slots=True)
class Entry:
    """One SenML entry: value for numbers (booleans 0 and 1), text for strings, never both."""

    name: str
    unit: str
    time_s: float
    value: float | int | None
    text: str | None


def decode(payload: bytes) -> list[Entry] | None:
    """Entries of a record's payload, or None if it is not a readable pack."""
    try:
        return [_entry(*fields) for fields in senml.decode(payload)]
    except FrameError:
        return None


def _entry(name: object, unit: object, value: object, time_s: object) -> Entry:
    number, text = _column(value)
    label = str(name)[:_MAX_NAME_CHARS]
    seconds = float(time_s) if isinstance(time_s, int | float) else 0.0
    return Entry(
        label, str(unit or "")[:16], seconds if math.isfinite(seconds) else 0.0, number, text
    )


def _column(value: object) -> tuple[float | int | None, str | None]:
    if value is None:  # a pack may carry a sum only
        return None, None
    if isinstance(value, bool):
        return int(value), None
    if isinstance(value, int):
        return (value if abs(value) < _SQLITE_INT_LIMIT else float(value)), None
    if isinstance(value, float):
        return (value, None) if math.isfinite(value) else (None, str(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return None, bytes(value).hex()
    return None, str(value)


def pack_time(entries: list[Entry] | None) -> float | None:
    """Device time of a pack: its first entry's; None if it was not readable or empty."""
    return entries[0].time_s if entries else None


def chart_time(device_time_s: float | None, received_s: float) -> float:
    """The node's own time where its clock was set, else when the record came."""
    if device_time_s is not None and CLOCK_SET_S <= device_time_s < _CLOCK_LIMIT_S:
        return device_time_s
    return received_s
