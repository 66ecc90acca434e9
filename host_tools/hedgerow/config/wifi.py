"""[wifi] -> plan["wifi"]: which networks, with passwords that stand elsewhere than in the file."""

import ipaddress
import os
import re
from typing import Any

from hedgerow.config.draft import Draft
from hedgerow.config.fault import Path
from hedgerow.config.schema import is_known

_HERE = ("wifi", "networks")
_SSID_BYTES = 32  # IEEE 802.11
_KEY_CHARS = range(8, 64)  # WPA2 passphrase
_HEX_DIGITS = 64  # of a key
_HOSTNAME = re.compile(r"[A-Za-z0-9-]{1,32}")  # RFC 952; MicroPython, docs/library/network.rst
_SERVER = re.compile(r"[^\s/@:]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:]*")  # or IPv6
_SETUP = ("wifi", "setup_password_file")


def wifi_part(draft: Draft) -> dict[str, Any]:
    """{"wifi": ...} or {} without [wifi]."""
    table = draft.table("wifi")
    if table is None:
        return {}
    _check_names(draft, table)
    if draft.board and "WiFi" not in draft.board.features:
        draft.fault(("wifi",), f"{draft.board.name} has no Wi-Fi", "another board", key=True)
    rows = table["networks"] if is_known(table["networks"]) else []
    if table["networks"] is None and not table["setup_after"] and table["setup_pin"] is None:
        draft.fault(("wifi",), "no networks in [wifi]", "networks = ..., or setup_after", key=True)
    servers = table["time_servers"]
    part = {
        "networks": [_network(draft, row) for row in rows],
        "country": table["country"],
        "hostname": table["hostname"] or (draft.table("node") or {}).get("name"),
        "static": _static(draft, table),
        "power": table["power"],
        "setup_after": table["setup_after"] or None,
        "setup_pin": _setup_pin(draft, table["setup_pin"]),
        "setup_password": _setup_password(draft, table["setup_password_file"]),
        "setup_host": _gateway(draft),
        "time_servers": [servers] if isinstance(servers, str) else servers,
    }
    return {"wifi": {key: value for key, value in part.items() if value is not None}}


def _check_names(draft: Draft, table: dict[str, Any]) -> None:
    country, hostname = table["country"], table["hostname"]
    if is_known(country) and not (len(country) == 2 and country.isalpha() and country.isupper()):
        expected = 'two capital letters of ISO 3166, e.g. "DE"'
        draft.fault(("wifi", "country"), f'country = "{country}"', expected)
    if is_known(hostname) and not _HOSTNAME.fullmatch(hostname):
        draft.fault(("wifi", "hostname"), f'hostname = "{hostname}"', "1 to 32 of a-z A-Z 0-9 -")
    servers = table["time_servers"]
    for name in [servers] if isinstance(servers, str) else servers or []:
        if is_known(name) and not _SERVER.fullmatch(name):
            expected = 'a name or an address alone, e.g. "pool.ntp.org"'
            draft.fault(("wifi", "time_servers"), f'time_servers = "{name}"', expected)


def _network(draft: Draft, row: dict[str, Any]) -> list[str | None]:
    """[ssid, key]."""
    ssid = row.get("ssid")
    unknown = sorted(set(row) - {"ssid", "password_file", "password_env"})
    if unknown:
        expected = "ssid, password_file or password_env; a password does not belong in this file"
        draft.fault(_HERE, f"unknown key {unknown[0]!r} of a network", expected)
    if not isinstance(ssid, str) or not 1 <= len(ssid.encode()) <= _SSID_BYTES:
        draft.fault(_HERE, f"ssid = {ssid!r}", f"a name of 1 to {_SSID_BYTES} bytes")
        return ["", None]
    return [ssid, _password(draft, ssid, row)]


def _password(draft: Draft, ssid: str, row: dict[str, Any]) -> str | None:
    file, variable = row.get("password_file"), row.get("password_env")
    if file is not None and variable is not None:
        draft.fault(_HERE, f"{ssid}: password_file and password_env", "one of them")
        return None
    if file is None and variable is None:
        draft.warn(_HERE, f"{ssid}: no password, anyone near can listen", "password_file")
        return None
    if variable is None:
        return _read(draft, _HERE, ssid, file)
    return _good(draft, _HERE, ssid, _from_env(draft, ssid, variable))


def _good(draft: Draft, here: Path, ssid: str, key: str | None) -> str | None:
    """key, after a look at what IEEE 802.11 takes: 8 to 63 printable characters of ASCII."""
    if key is not None and not (key.isascii() and key.isprintable()):
        expected = "one line of letters, digits and signs of ASCII"
        draft.fault(here, f"{ssid}: a character that no password has", expected)
    elif key is not None and len(key) not in _KEY_CHARS and len(key) != _HEX_DIGITS:
        draft.fault(here, f"{ssid}: its password has {len(key)} characters", "8 to 63")
    return key


def _setup_pin(draft: Draft, label: Any) -> int | str | None:
    claims = draft.tables.get("claims")
    row = {"name": "the set-up button"}
    pin: int | str | None = None
    if claims is not None:  # pins that are only inputs have no pull-up
        pin = claims.take(("wifi", "setup_pin"), label, row, "output_pin")
    return pin


def _setup_password(draft: Draft, file: str | None) -> str | None:
    return _read(draft, _SETUP, "set-up page", file) if is_known(file) else None


def _gateway(draft: Draft) -> str | None:
    """What the set-up page begins with."""
    uplink = draft.tables.get("uplink")
    rows = uplink if isinstance(uplink, list) else [uplink or {}]
    hosts = [row.get("host") for row in rows if is_known(row.get("host"))]
    return hosts[0] if hosts else None


def _read(draft: Draft, here: Path, ssid: str, file: Any) -> str | None:
    try:
        found = (draft.folder / str(file)).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        expected = "a text file with the password in one line, beside this file"
        draft.fault(here, f'{ssid}: cannot read "{file}"', expected)
        return None
    return _good(draft, here, ssid, found)


def _from_env(draft: Draft, ssid: str, variable: Any) -> str | None:
    found = os.environ.get(str(variable))
    if not found:
        expected = f"{variable}=... before the command, or password_file"
        draft.fault(_HERE, f"{ssid}: the environment has no {variable}", expected)
    return found or None


def _static(draft: Draft, table: dict[str, Any]) -> list[str] | None:
    """[address, mask, gateway, dns] as WLAN.ifconfig() takes them."""
    address = table["address"]
    if not is_known(address):
        for key in ("gateway", "dns"):
            if is_known(table[key]):
                draft.fault(("wifi", key), f"{key} without address", "address = ...", key=True)
        return None
    try:
        found = ipaddress.IPv4Interface(address)
        gateway = ipaddress.IPv4Address(table["gateway"] or "")
        dns = ipaddress.IPv4Address(table["dns"] or table["gateway"])
    except ValueError as wrong:
        expected = 'address = "192.168.1.20/24" and gateway = "192.168.1.1"'
        draft.fault(("wifi", "address"), f"a static address: {wrong}", expected)
        return None
    if gateway not in found.network:
        message = f"gateway {gateway} is not in {found.network}"
        draft.fault(("wifi", "gateway"), message, "an address of that network")
    return [str(found.ip), str(found.netmask), str(gateway), str(dns)]
