"""What may stand in a node file: one table, a row per key. A new section is a row in SECTIONS.

The same table gives the defaults, the faults with their `expected`, and the reference in
README.md (a test holds the two against each other).
"""

# ruff: noqa: E501  a row per key reads best as one line

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeGuard

from hedgerow.config.source import BROKEN

REQUIRED = object()
_DAY_S = 86400
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
    return is_real and math.isfinite(value) and abs(value) < _TOO_LARGE


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
    "channels": Kind('a channel, e.g. "soil.vwc", or a list of them', _is_texts),
    "clocks": Kind('a time of day as "HH:MM", or a list of them', _is_clocks),
    "key": Kind("32 to 128 hex digits", _matches(r"([0-9a-fA-F]{2}){16,64}")),
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
    """many: written [[name]]. values: kind of any key, where the keys are the user's own.

    more: keys that are not in the table are left to the check of this section (driver parameters).
    """

    name: str
    doc: str
    keys: tuple[Key, ...] = ()
    many: bool = False
    required: bool = False
    values: str = ""
    more: bool = False

    def key(self, name: str) -> Key | None:
        return next((key for key in self.keys if key.name == name), None)


SECTIONS = (
    Section("node", "the node itself", required=True, keys=(
        Key("name", "device", "unique among all nodes of a gateway", REQUIRED),
        Key("board", "text", "a folder of boards/", REQUIRED),
        Key("sample_s", "int", "time between samples", 900, 1, _DAY_S),
        Key("utc_offset_min", "int", "local time = UTC + this", 0, -720, 840),
        Key("lat", "number", "latitude, for the map", None, -90, 90),
        Key("lon", "number", "longitude, for the map", None, -180, 180),
        Key("watchdog_s", "int", "the board resets if the control loop hangs this long; 0 = off; RP2040 at most 8", 0, 0, 600),
        Key("unhealthy_after", "int", "failures in a row until a sensor is reported", 3, 1, 100),
    )),
    Section("sensor", "one sensor; other keys are parameters of its driver", many=True, required=True, more=True, keys=(
        Key("name", "id", "its channels are <name>.<channel>", REQUIRED),
        Key("driver", "text", "see hedge/drivers", REQUIRED),
        Key("pin", "pin", "for drivers on an ADC or 1-Wire pin"),
        Key("bus", "text", "for drivers on a bus, e.g. \"i2c0\""),
        Key("stuck_after", "int", "so many equal readings in a row are a fault; 0 = off", 0, 0, 100000),
    )),
    Section("filter", "smooths one channel; several on one channel work in file order", many=True, keys=(
        Key("channel", "text", "which channel", REQUIRED),
        Key("kind", "text", "median, mean: of `window` samples; ema: smoothing `alpha`; slew: a step of more than `most` is unknown once", REQUIRED, choices=("median", "mean", "ema", "slew")),
        Key("window", "int", "samples, for median and mean", None, 1, 99),
        Key("alpha", "number", "weight of a new sample, for ema", None, 0.004, 1),
        Key("most", "number", "largest step between samples, for slew, in the unit of the channel", None, 0),
    )),
    Section("model", "an int8 model", keys=(
        Key("file", "text", "the .hgm file, relative to this file", REQUIRED),
        Key("features", "text", "default: features.json beside the model"),
        Key("at", "clocks", "run at this local time each day, or several"),
        Key("every_s", "int", "or run every so often", None, 1, 30 * _DAY_S),
        Key("inputs", "table", "what the model calls it = a channel", REQUIRED),
        Key("site", "table", "values of this place, as the model's card asks"),
    )),
    Section("actuator", "one output; other keys are parameters of its driver", many=True, more=True, keys=(
        Key("name", "id", "its name in rules and records", REQUIRED),
        Key("driver", "text", "see hedge/drivers", REQUIRED),
        Key("pin", "pin", "the output pin"),
        Key("max_on_s", "int", "never on for longer in one go", REQUIRED, 1, _DAY_S),
        Key("min_off_s", "int", "at least this long off between two runs", 0, 0, 7 * _DAY_S),
        Key("max_on_s_per_day", "int", "never on for longer in a local day", None, 1, _DAY_S),
        Key("litres_per_min", "number", "flow, for the water balance", None, 0.001, 100000),
        Key("max_litres_per_day", "number", "needs litres_per_min", None, 0.001, 10000000),
    )),
    Section("rule", "when to act; of two rules for one actuator the first wins", many=True, keys=(
        Key("name", "id", "stands in the record of each decision", REQUIRED),
        Key("when", "when", "a list: all must hold", REQUIRED),
        Key("do", "do", "which actuator and for how long", REQUIRED),
        Key("hold_off_s", "int", "from the end of a run of this rule to its next start", 0, 0, 31 * _DAY_S),
        Key("max_per_day", "int", "most starts in a local day; 0 = no limit", 0, 0, 1440),
    )),
    Section("record", "what is kept and sent", many=True, keys=(
        Key("channel", "channels", "one channel or a list", REQUIRED),
        Key("deadband", "number", "record when it changed by this since the last record", None, 0),
        Key("max_s", "int", "record at least this often", 0, 0, 31 * _DAY_S),
        Key("summary_s", "int", "record a summary of each such window", 0, 0, 31 * _DAY_S),
        Key("summary", "text", "what a summary holds; mean alone is a third of the bytes", "min-mean-max", choices=("min-mean-max", "mean")),
        Key("stream", "text", "events are kept longest, diag is dropped first", "telemetry", choices=("events", "telemetry", "diag")),
    )),
    Section("store", "the log that survives power cuts", keys=(
        Key("dir", "text", "folder, relative to this file", "store"),
        Key("max_bytes", "int", "oldest and least important records go when it is full", 262144, 16384, 1 << 30),
        Key("segment_bytes", "int", "size of one file of the log", 8192, 1024, 1 << 20),
    )),
    Section("uplink", "where records go", keys=(
        Key("kind", "text", "mqtt: our client; umqtt: the umqtt.simple on the board", "mqtt", choices=("mqtt", "umqtt")),
        Key("host", "text", "name or address of the broker", REQUIRED),
        Key("port", "int", "default 1883, with TLS 8883", None, 1, 65535),
        Key("user", "text", "MQTT user"),
        Key("password", "text", "MQTT password"),
        Key("tls", "bool", "encrypt and check the broker's certificate", False),
        Key("ca", "text", "file with the certificate of the authority, PEM or DER"),
        Key("server_hostname", "text", "name in the broker's certificate, if it is not host"),
        Key("keepalive_s", "int", "a silent link is found dead after 1.5 times this", 60, 5, 65535),
        Key("client", "text", "for umqtt: the board's own module or ours", "simple", choices=("simple", "hedge")),
        Key("key", "key", "secret shared with the gateway: frames are authenticated"),
    )),
    Section("replay", "which column of a recording feeds which channel, for `hedgerow sim --replay`", keys=(
        Key("time", "text", "column with the date or time", "date"),
        Key("file", "text", "the recording, relative to this file; --replay names another"),
        Key("columns", "table", "channel = column", REQUIRED),
    )),
)  # fmt: skip

TABLES = {
    "model.inputs": Section("model.inputs", "role = channel", values="text"),
    "model.site": Section("model.site", "name = number", values="number"),
    "replay.columns": Section("replay.columns", "channel = column", values="text"),
}

ARRAYS = {section.name for section in SECTIONS if section.many}
PLAIN = {section.name for section in SECTIONS if not section.many}


def section(name: str) -> Section:
    return next(section for section in SECTIONS if section.name == name)


def is_known(value: Any) -> TypeGuard[Any]:
    """False for what was reported already or was never given."""
    return value is not None and value != BROKEN


def reference() -> str:
    """The table of all sections and keys, for README.md."""
    lines = []
    for part in SECTIONS:
        header = f"[[{part.name}]]" if part.many else f"[{part.name}]"
        lines += [
            f"### `{header}`: {part.doc}",
            "",
            "| Key | Value | Default | |",
            "| --- | --- | --- | --- |",
        ]
        lines += [_reference_row(key) for key in part.keys]
        lines.append("")
    return "\n".join(lines)


def _reference_row(key: Key) -> str:
    value = " or ".join(key.choices) or KINDS[key.kind].expected.replace("|", "\\|")
    if key.low is not None:
        value += (
            f", {key.low:g} to {key.high:g}" if key.high is not None else f", {key.low:g} or more"
        )
    default = "must be given" if key.default is REQUIRED else _default(key.default)
    return f"| `{key.name}` | {value} | {default} | {key.doc} |"


def _default(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    print(reference())
