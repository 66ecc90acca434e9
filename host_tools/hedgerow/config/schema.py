"""What may stand in a node file: one table, a row per key. A new section is a row in SECTIONS.

The same table gives the defaults, the faults with their `expected`, and the reference in
README.md (a test holds the two against each other).
"""

# ruff: noqa: E501  a row per key reads best as one line

from typing import Any, TypeGuard

from hedgerow.config.keys import KINDS, REQUIRED, Key, Section
from hedgerow.config.source import BROKEN
from hedgerow.config.uplink_kinds import RADIO_KEYS, UPLINK_KINDS

_DAY_S = 86400

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
        Key("pin", "pin", "for drivers on one pin; of a chip on SPI its chip select"),
        Key("pins", "pins", "for drivers on several pins"),
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
        Key("pins", "pins", "for drivers on several pins"),
        Key("max_on_s", "int", "never on for longer in one go", REQUIRED, 1, _DAY_S),
        Key("min_off_s", "int", "at least this long off between two runs", 0, 0, 7 * _DAY_S),
        Key("max_on_s_per_day", "int", "never on for longer in a local day", None, 1, _DAY_S),
        Key("litres_per_min", "number", "flow, for the water balance", None, 0.001, 100000),
        Key("max_litres_per_day", "number", "needs litres_per_min", None, 0.001, 10000000),
        Key("current_ma", "number", "what it takes from the node's battery while on, for [power]", None, 0, 100000),
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
        Key("kind", "text", "files: in the file system; flash: a region of its own, kinder to the flash", "files", choices=("files", "flash")),
        Key("dir", "text", "folder, relative to this file", "store"),
        Key("max_bytes", "int", "oldest and least important records go when it is full", 262144, 16384, 1 << 30),
        Key("segment_bytes", "int", "size of one file of the log", 8192, 1024, 1 << 20),
        Key("partition", "text", "for flash, on an ESP32: label of the data partition", "log"),
    )),
    Section("uplink", "where records go; several [[uplink]], the preferred one first, stand in for each other", keys=(
        Key("kind", "text", "which link; each has keys of its own", next(iter(UPLINK_KINDS)), choices=tuple(UPLINK_KINDS)),
        Key("key", "key", "secret shared with the gateway: frames are authenticated"),
        Key("after_failures", "int", "first of several: the next one after so many failures in a row; default 3", None, 1, 100),
        Key("after_s", "int", "first of several: or after failing for so long; default 60", None, 1, _DAY_S),
        Key("return_s", "int", "first of several: it is tried again after this, then ever more seldom; default 60", None, 1, _DAY_S),
    ), by_kind=UPLINK_KINDS, either=True),
    Section("wifi", "the network of a board with a radio; without it something else brings one up", keys=(
        Key("networks", "networks", "the preferred one first; password_file (beside this file) or password_env (a variable at deploy); may be left out with setup_after"),
        Key("country", "text", "two letters of ISO 3166: which channels are allowed"),
        Key("hostname", "text", "default: the node's name"),
        Key("address", "text", "with the length of the prefix, \"192.168.1.20/24\", instead of DHCP"),
        Key("gateway", "text", "with address"),
        Key("dns", "text", "with address; default: the gateway"),
        Key("power", "text", "how the radio saves power", "performance", choices=("none", "performance", "powersave")),
        Key("setup_after", "int", "after so many vain rounds over all networks an access point with a set-up page; 0 = never", 0, 0, 1000),
        Key("setup_pin", "pin", "a button to ground; held for 3 s it opens that page while the node is awake"),
        Key("setup_password_file", "text", "file with the password of that access point; without it it is open"),
        Key("time_servers", "names", "SNTP; without it the gateway's acks set the clock"),
    )),
    Section("radio", "a LoRa radio and its pins, where [uplink] does not name them: they stay when the uplink changes", keys=RADIO_KEYS),
    Section("power", "sleep between ticks, and what a battery lasts; without it the node is always awake", keys=(
        Key("sleep", "text", "deep: starts anew each time, ESP32 only; light: stands still, RAM stays; none: only the ledger of charge", "none", choices=("none", "light", "deep")),
        Key("uplink_every_s", "int", "a sleeping node connects this often", 3600, 60, 7 * _DAY_S),
        Key("uplink_when", "text", "events: besides, at once after an event; schedule: events wait too", "events", choices=("events", "schedule")),
        Key("awake_max_s", "int", "longest wait for the link in one go", 30, 5, 3600),
        Key("battery_mah", "number", "for the prediction of `hedgerow check`", None, 1, 10000000),
        Key("self_discharge_pct", "number", "of the battery, a month", None, 0, 100),
        Key("link_s", "number", "how long a link session takes, network included: measure it", None, 0.1, 3600),
        Key("wake_ms", "int", "from the end of a deep sleep to the program, if the board's data has none", None, 1, 60000),
        Key("active_ma", "number", "the board at work, if its data has none or you measured it", None, 0.1, 10000),
        Key("radio_ma", "number", "the board with its radio on, the same", None, 0.1, 10000),
        Key("sleep_ua", "number", "the board asleep, the same", None, 0.1, 1000000),
        Key("extra_ua", "number", "drawn all the time beside chip and sensors: regulator, LED", 0, 0, 10000000),
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
PLAIN = {section.name for section in SECTIONS if not section.many and not section.either}


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
        lines += [_reference_row(key, f"{of}: ") for key, of in _by_kind(part).items()]
        lines.append("")
    return "\n".join(lines)


def _by_kind(part: Section) -> dict[Key, str]:
    """Each key that some kinds take, and which."""
    kinds: dict[Key, list[str]] = {}
    for kind, keys in part.by_kind.items():
        for key in keys:
            kinds.setdefault(key, []).append(kind)
    return {key: ", ".join(names) for key, names in kinds.items()}


def _reference_row(key: Key, of: str = "") -> str:
    value = " or ".join(key.choices) or KINDS[key.kind].expected.replace("|", "\\|")
    if key.low is not None:
        value += (
            f", {key.low:g} to {key.high:g}" if key.high is not None else f", {key.low:g} or more"
        )
    default = "must be given" if key.default is REQUIRED else _default(key.default)
    return f"| {of}`{key.name}` | {value} | {default} | {key.doc} |"


def _default(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    print(reference())
