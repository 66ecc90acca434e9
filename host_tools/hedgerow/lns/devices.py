"""The devices file: which device is which node, and its keys.

region = "EU868"

[[device]]
name = "bed-3"
dev_eui = "0011223344556677"
join_eui = "0000000000000001"
app_key = "000102030405060708090a0b0c0d0e0f"

[[device]]                         # activated by personalisation
name = "bed-4"
dev_addr = "26011234"
nwk_s_key = "..."
app_s_key = "..."
class = "C"

[[device]]                         # not ours: it speaks Cayenne LPP, on whatever port
name = "yard"
payload = "cayenne"
dev_eui = "0011223344556688"
join_eui = "0000000000000001"
app_key = "..."
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hedge.net.lorawan import region as regions
from hedge.wire.frame import is_device_name
from hedgerow.errors import ConfigError

_OTAA = {"dev_eui": 8, "join_eui": 8, "app_key": 16}
_ABP = {"dev_addr": 4, "nwk_s_key": 16, "app_s_key": 16}
_KNOWN = {"name", "class", "payload", *_OTAA, *_ABP}


@dataclass(frozen=True)
class Device:
    """One row. Of the two kinds of activation one has its keys, the other b""."""

    name: str
    class_c: bool = False
    cayenne: bool = False
    dev_eui: bytes = b""
    join_eui: bytes = b""
    app_key: bytes = field(default=b"", repr=False)
    dev_addr: int = 0
    nwk_s_key: bytes = field(default=b"", repr=False)
    app_s_key: bytes = field(default=b"", repr=False)

    @property
    def joins(self) -> bool:
        return bool(self.app_key)


@dataclass(frozen=True)
class Site:
    """What the file says. sub_band: of US915 and AU915, 0 for all channels."""

    region: str
    devices: tuple[Device, ...]
    rx1_delay_s: int = 1
    sub_band: int = 0

    @property
    def cayenne(self) -> frozenset[str]:
        """Names of the devices that speak Cayenne LPP."""
        return frozenset(device.name for device in self.devices if device.cayenne)


def read_site(path: Path) -> Site:
    """Raises ConfigError naming file, device and key."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"devices file {path}: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"devices file {path}: brackets nest too deep") from error
    return site_of(table, str(path))


def site_of(table: Mapping[str, Any], where: str) -> Site:
    """The same from a parsed table."""
    unknown = set(table) - {"region", "rx1_delay_s", "sub_band", "device"}
    if unknown:
        raise ConfigError(
            f"{where}: unknown key {min(unknown)!r}; known are region, rx1_delay_s, sub_band and "
            "[[device]]"
        )
    name = table.get("region", "EU868")
    if name not in regions.NAMES:
        raise ConfigError(f"{where}: region {name!r}; expected {', '.join(regions.NAMES)}")
    rows = table.get("device", [])
    if not isinstance(rows, list) or not rows:
        raise ConfigError(f"{where}: no [[device]]: nothing could join")
    devices = tuple(_device(row, f"{where}: device {i}") for i, row in enumerate(rows, start=1))
    _check_unique(devices, where)
    sub_band = _number(table, "sub_band", 0, 8, where, 0)
    if sub_band and not regions.load(name).fixed:
        raise ConfigError(f"{where}: sub_band is of US915 and AU915, not of {name}")
    return Site(name, devices, _number(table, "rx1_delay_s", 1, 15, where, 1), sub_band)


def _number(
    table: Mapping[str, Any], key: str, low: int, high: int, where: str, default: int
) -> int:
    value = table.get(key, default)
    if type(value) is not int or not low <= value <= high:
        raise ConfigError(f"{where}: {key} = {value!r}; expected {low} to {high}")
    return value


def _device(row: object, where: str) -> Device:
    if not isinstance(row, dict):
        raise ConfigError(f"{where}: expected a table, written [[device]]")
    unknown = set(row) - _KNOWN
    if unknown:
        raise ConfigError(f"{where}: unknown key {min(unknown)!r}; known are {sorted(_KNOWN)}")
    name = row.get("name")
    if not is_device_name(name):
        raise ConfigError(f"{where}: name {name!r}; expected 1 to 24 of a-z 0-9 -")
    if row.get("class", "A") not in ("A", "C"):
        raise ConfigError(f"{where} ({name}): class {row['class']!r}; expected A or C")
    if row.get("payload", "hedge") not in ("hedge", "cayenne"):
        said = f"payload {row['payload']!r}; expected hedge or cayenne"
        raise ConfigError(f"{where} ({name}): {said}")
    kind = _ABP if "dev_addr" in row else _OTAA
    mixed = (set(_OTAA) | set(_ABP)) - set(kind)
    if mixed & set(row):
        raise ConfigError(f"{where} ({name}): {min(mixed & set(row))} beside {next(iter(kind))}")
    found: dict[str, Any] = {
        key: _hex(row, key, size, f"{where} ({name})") for key, size in kind.items()
    }
    if "dev_addr" in found:
        found["dev_addr"] = int.from_bytes(found["dev_addr"], "big")
    cayenne = row.get("payload") == "cayenne"
    return Device(str(name), row.get("class") == "C", cayenne, **found)


def _hex(row: Mapping[str, Any], key: str, size: int, where: str) -> bytes:
    try:
        data = bytes.fromhex(row[key])
    except (KeyError, TypeError, ValueError):
        data = b""
    if len(data) != size:
        raise ConfigError(f"{where}: {key} must be {2 * size} hex digits in quotes")
    return data


def _check_unique(devices: tuple[Device, ...], where: str) -> None:
    for key in ("name", "dev_eui"):
        seen: set[object] = set()
        for device in devices:
            value = getattr(device, key)
            if value and value in seen:
                shown = value.hex() if isinstance(value, bytes) else value
                raise ConfigError(f"{where}: {key} {shown} stands twice")
            seen.add(value)
