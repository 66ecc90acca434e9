"""The parts that the table of node files is made of: kinds of values, keys, sections."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

REQUIRED = object()
_TOO_LARGE = 1e12  # no quantity of a node is larger


@dataclass(frozen=True)
class Kind:
    """What a value may be: in words, and as a test."""

    expected: str
    accepts: Callable[[Any], bool]


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and is_number(value)


def is_number(value: Any) -> bool:
    is_real = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_real and abs(value) < _TOO_LARGE  # not for NaN; an int may be too large for a float


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return _is_text(value) or (
        isinstance(value, list) and bool(value) and all(_is_text(item) for item in value)
    )


def _matches(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and bool(compiled.fullmatch(value))


_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"


def _is_clocks(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(_matches(_CLOCK)(item) for item in values)


KINDS = {
    "device": Kind("1 to 24 of a-z 0-9 -", _matches(r"[a-z0-9-]{1,24}")),
    "id": Kind("a letter, then up to 23 of a-z 0-9 _ -", _matches(r"[a-z][a-z0-9_-]{0,23}")),
    "text": Kind('text in quotes, e.g. "abc"', lambda v: _is_text(v) and v != ""),
    "int": Kind("a whole number", _is_int),
    "number": Kind("a number", is_number),
    "bool": Kind("true or false", lambda v: isinstance(v, bool)),
    "pin": Kind('a pin as printed on the board, e.g. "GP26"', lambda v: _is_text(v) or _is_int(v)),
    "pins": Kind(
        'pins by their use, e.g. { trigger = "GP2", echo = "GP3" }',
        lambda v: isinstance(v, dict) and all(_is_text(pin) or _is_int(pin) for pin in v.values()),
    ),
    "names": Kind(
        'a name or an address, e.g. "pool.ntp.org", or a list of them',
        lambda v: _is_texts(v) and v != "",
    ),
    "networks": Kind(
        'a list of networks, e.g. [ { ssid = "farm", password_file = "farm.key" } ]',
        lambda v: isinstance(v, list) and bool(v) and all(isinstance(row, dict) for row in v),
    ),
    "channels": Kind('a channel, e.g. "soil.vwc", or a list of them', _is_texts),
    "clocks": Kind('a time of day as "HH:MM", or a list of them', _is_clocks),
    "key": Kind("32 to 128 hex digits", _matches(r"([0-9a-fA-F]{2}){16,64}")),
    "addr": Kind("8 hex digits", _matches(r"[0-9a-fA-F]{8}")),
    "eui": Kind("16 hex digits", _matches(r"[0-9a-fA-F]{16}")),
    "aes": Kind("32 hex digits", _matches(r"[0-9a-fA-F]{32}")),
    "table": Kind("a table", lambda v: isinstance(v, dict)),
    "do": Kind('{ actuator = "pump", on_s = 600 }', lambda v: isinstance(v, dict)),
    "when": Kind(
        'a list of conditions, e.g. [ { channel = "soil.vwc", below = 14 } ]',
        lambda v: isinstance(v, (dict, list)),
    ),
}


@dataclass(frozen=True)
class Key:
    name: str
    kind: str
    doc: str
    default: Any = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """many: written [[name]]. either: [name], or [[name]] several times.

    values: kind of any key, where the keys are the user's own.

    more: keys that are not in the table are left to the check of this section (driver parameters).
    by_kind: more keys, by the value of the key `kind`; the first is the default.
    """

    name: str
    doc: str
    keys: tuple[Key, ...] = ()
    many: bool = False
    required: bool = False
    values: str = ""
    more: bool = False
    by_kind: dict[str, tuple[Key, ...]] = field(default_factory=dict)
    either: bool = False

    def of_kind(self, kind: Any) -> "Section":
        """This section as it is for one kind; an unknown one may have any keys."""
        if not isinstance(kind, str) or kind not in self.by_kind:
            return replace(self, more=True)
        return replace(self, keys=self.keys + self.by_kind[kind])

    def key(self, name: str) -> Key | None:
        return next((key for key in self.keys if key.name == name), None)
