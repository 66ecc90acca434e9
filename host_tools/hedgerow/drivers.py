"""What every driver of hedge.drivers is, read from the driver files themselves.

    drivers()["sht4x"]["channels"]   # (("temp", "Cel", 100, -40, 125), ("humidity", ...))
    print(markdown_table())          # the table of firmware/hedge/drivers/README.md

A driver file holds a literal `DRIVER = {...}`; it is parsed, never run, so a driver needs no
stand-in for MicroPython's modules here. firmware/hedge/drivers/README.md says what each key means.
"""

import ast
import difflib
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hedgerow import paths
from hedgerow.errors import ConfigError, UsageError

KINDS = ("sensor", "actuator", "part")  # a part is for code, not for a node file
BUSES = (
    "adc",
    "dht",
    "echo",
    "i2c",
    "input_pin",
    "onewire",
    "output_pin",
    "pins",
    "pwm",
    "spi",
    "uart",
    "ws2812",
)

# Units of RFC 8428 section 12.1 and RFC 8798 that drivers use.
UNITS = (
    "Cel",
    "%RH",
    "%",
    "Pa",
    "lx",
    "V",
    "A",
    "W",
    "/",
    "m/s2",
    "rad/s",
    "m",
    "kg",
    "s",
    "count",
    "ug/m3",
    "pH",
    "S/m",
    "l",
    "l/s",
    "mm",
    "m/s",
    "rad",
    "lat",
    "lon",
    "T",
)

# key -> the type of its value; all are needed but those of _OPTIONAL.
_KEYS: Mapping[str, type | tuple[type, ...]] = {
    "chip": str,
    "class": str,
    "kind": str,
    "bus": str,
    "doc": str,
    "params": dict,
    "channels": tuple,
    "resolution": tuple,
    "raw_bytes": int,
    "first_ms": int,
    "convert_ms": int,
    "who_am_i": str,
    "datasheet": str,
    "checked_against": str,
}
_OPTIONAL: Mapping[str, type | tuple[type, ...]] = {
    "addrs": tuple,
    "max_hz": int,
    "alloc_bytes": int,
    "pins": tuple,
    "program_only": str,
    "switch": dict,
    "active_ua": (int, float),
    "standby_ua": (int, float),
}
_DEFAULTS = {"addrs": (), "max_hz": 0, "alloc_bytes": 0, "pins": (), "program_only": ""}
_PIN_KINDS = ("input_pin", "output_pin")


@functools.cache
def drivers() -> dict[str, dict[str, Any]]:
    """Name of the file -> its DRIVER and "module". ConfigError names file and key."""
    found = {path.stem: entry for path, entry in _entries()}
    return dict(sorted(found.items()))


def _entries() -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted((paths.firmware_dir() / "hedge" / "drivers").glob("*.py")):
        entry = read_entry(path.read_text(encoding="utf-8"), path.name)
        if entry is not None:
            yield path, {"module": path.stem} | _DEFAULTS | entry


def as_node_uses_it(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry with class and parameters of its switch (on(ms), off(), poll()), if it has one."""
    switch = entry.get("switch")
    if not switch:
        return dict(entry)
    params = {**entry["params"], **switch["params"]}
    return {**entry, "class": switch["class"], "params": params}


def read_entry(source: str, name: str) -> dict[str, Any] | None:
    """DRIVER of a driver's source, checked; None if it has none (shared parts of drivers)."""
    for node in ast.walk(ast.parse(source, name)):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DRIVER":
            try:
                entry = ast.literal_eval(node.value)
            except ValueError:
                raise ConfigError(f"{name}: DRIVER is not a literal: use no names in it") from None
            _check(name, entry)
            return dict(entry)
    return None


def _check(name: str, entry: Mapping[str, Any]) -> None:
    known = {**_KEYS, **_OPTIONAL}
    for key in entry:
        if key not in known:
            raise ConfigError(f"{name}: DRIVER has no key {key!r}; keys: {', '.join(known)}")
    for key, kind in _KEYS.items():
        if key not in entry:
            raise ConfigError(f"{name}: DRIVER lacks {key!r}")
        if not isinstance(entry[key], kind):
            raise ConfigError(f"{name}: DRIVER[{key!r}] is {entry[key]!r}, expected {kind}")
    _check_optional(name, entry)
    for key, allowed in (("kind", KINDS), ("bus", BUSES)):
        if entry[key] not in allowed:
            raise ConfigError(f"{name}: DRIVER[{key!r}] = {entry[key]!r}: {', '.join(allowed)}")
    if len(entry["resolution"]) != len(entry["channels"]):
        raise ConfigError(f"{name}: DRIVER: one resolution for each channel")
    if entry["bus"] == "i2c" and not (entry.get("addrs") and entry.get("max_hz")):
        raise ConfigError(f"{name}: DRIVER of an I2C chip needs addrs and max_hz")
    for channel in entry["channels"]:
        if channel[1] not in UNITS:
            raise ConfigError(f"{name}: unit {channel[1]!r}: {', '.join(UNITS)}")


def _check_optional(name: str, entry: Mapping[str, Any]) -> None:
    for key, kind in _OPTIONAL.items():
        if key in entry and not isinstance(entry[key], kind):
            raise ConfigError(f"{name}: DRIVER[{key!r}] is {entry[key]!r}, expected {kind}")
    if (entry["bus"] in ("echo", "pins")) != bool(entry.get("pins")):
        raise ConfigError(f"{name}: DRIVER: pins = ((name, kind, doc), ...) on bus echo or pins")
    if any(pin[1] not in _PIN_KINDS for pin in entry.get("pins", ())):
        raise ConfigError(f"{name}: DRIVER: kinds of pins: {', '.join(_PIN_KINDS)}")
    if entry["kind"] == "part" and not entry.get("program_only"):
        raise ConfigError(f"{name}: DRIVER of a part says why in program_only")


def markdown_table() -> str:
    """All drivers, one a row, for the README of hedge.drivers."""
    lines = [
        "| Driver | Chip | Bus | `out` (value = real value * scale) | Range | Step | Time, ms |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, entry in drivers().items():
        channels = entry["channels"]
        cells = [
            f"`{name}.{entry['class']}`",
            entry["chip"],
            bus_text(entry),
            "; ".join(_channel_text(channel) for channel in channels),
            "; ".join(f"{low} to {high}" for _, _, _, low, high in channels),
            "; ".join(f"{step:g}" for step in entry["resolution"]),
            time_text(entry),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def bus_text(entry: Mapping[str, Any]) -> str:
    """E.g. `i2c 0x76, 0x77`; a range of addresses in a row is drawn together."""
    addrs = entry["addrs"]
    if len(addrs) > 2 and addrs == tuple(range(addrs[0], addrs[-1] + 1)):
        return f"{entry['bus']} 0x{addrs[0]:02x} to 0x{addrs[-1]:02x}"
    return " ".join([entry["bus"], ", ".join(f"0x{addr:02x}" for addr in addrs)]).strip()


def _channel_text(channel: tuple[Any, ...]) -> str:
    name, unit, scale, _, _ = channel
    return f"{name}: {unit}" + (f" * {scale}" if scale != 1 else "")


def time_text(entry: Mapping[str, Any]) -> str:
    """Longest time of a read, and of the first one if that takes longer."""
    if entry["first_ms"] > entry["convert_ms"] + 1:
        return f"{entry['convert_ms']} (first {entry['first_ms']})"
    return str(entry["convert_ms"])


def describe(name: str) -> dict[str, Any]:
    """One driver's entry. UsageError with the nearest names if there is none."""
    if name not in drivers():
        near = difflib.get_close_matches(name, drivers(), 3) or list(drivers())
        raise UsageError(f"no driver {name!r}; there are: {', '.join(near)}")
    return drivers()[name]


def list_text() -> str:
    """One line a driver: name, bus, channels, doc."""
    rows = [
        (name, bus_text(entry), ", ".join(c[0] for c in entry["channels"]), entry["doc"])
        for name, entry in drivers().items()
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]
    return "\n".join([*lines, f"{len(rows)} drivers"])
