"""[store] and [uplink] -> plan: what leaves the control loop."""

import ipaddress
from pathlib import Path as FilePath
from typing import Any

from hedgerow.config.draft import Draft
from hedgerow.config.failover import failover_part
from hedgerow.config.fault import Path
from hedgerow.config.modem import cellular_part
from hedgerow.config.radio import lorawan_part
from hedgerow.config.schema import is_known
from hedgerow.config.uplink_kinds import UPLINK_FILES

_CURES = {"coap": "oscore_secret", "http": "tls"}
_PORTS = {"coap": ("CoAP", 5683, 5684), "http": ("HTTP", 80, 443)}
_MIN_SEGMENTS = 4
_ERASE_BYTES = 4096  # of the flash chips of ESP32 and RP2 boards
_MIN_SECTORS = 8


def store_part(draft: Draft) -> dict[str, Any]:
    table = draft.table("store") or {}
    most, segment = table["max_bytes"], table["segment_bytes"]
    if is_known(most) and is_known(segment) and most < _MIN_SEGMENTS * segment:
        message = f"the store is too small: max_bytes = {most} with segment_bytes = {segment}"
        named = [key for key in ("max_bytes", "segment_bytes") if _given(draft, "store", key)]
        here = ("store", named[0]) if named else ("store",)
        draft.fault(here, message, f"max_bytes of {_MIN_SEGMENTS * segment} or more")
    directory = table["dir"]
    if is_known(directory) and (
        FilePath(directory).is_absolute() or ".." in FilePath(directory).parts
    ):
        draft.fault(("store", "dir"), f'dir = "{directory}"', "a folder below that of this file")
    part = {"dir": directory, "max_bytes": most, "segment_bytes": segment}
    return part | _flash_part(draft, table) if table["kind"] == "flash" else part


def _flash_part(draft: Draft, table: dict[str, Any]) -> dict[str, Any]:
    most = table["max_bytes"]
    if is_known(most) and (most % _ERASE_BYTES or most < _MIN_SECTORS * _ERASE_BYTES):
        expected = f"a multiple of {_ERASE_BYTES}, {_MIN_SECTORS * _ERASE_BYTES} or more"
        draft.fault(("store", "max_bytes"), f"max_bytes = {most} of flash", expected)
    return {"kind": "flash", "partition": table["partition"]}


def _given(draft: Draft, section: str, key: str) -> bool:
    return key in (draft.source.data.get(section) or {})


def uplink_part(draft: Draft) -> dict[str, Any] | None:
    table = draft.tables.get("uplink")
    if not table:
        draft.warn((), "no [uplink]: records stay in the store of this node", "[uplink]")
        return None
    if not isinstance(table, list):
        return _link_part(draft, ("uplink",), table)
    parts = [_link_part(draft, ("uplink", i), row) for i, row in enumerate(table)]
    return parts[0] if len(parts) == 1 else failover_part(draft, parts)


def _link_part(draft: Draft, path: Path, table: dict[str, Any]) -> dict[str, Any]:
    _check_tls(draft, path, table)
    _check_secrets(draft, path, table)
    _check_host(draft, path, table)
    _claim_uart(draft, path, table)
    lorawan_part(draft, path, table)
    cellular_part(draft, path, table)
    if table["kind"] == "espnow" and draft.board and draft.board.port not in ("esp32", "unix"):
        message = f"ESP-NOW on {draft.board.name}: the radio is Espressif's"
        draft.fault((*path, "kind"), message, "a board with an ESP32")
    return {name: value for name, value in table.items() if value is not None}


def _claim_uart(draft: Draft, path: Path, table: dict[str, Any]) -> None:
    """The bus of kind = "serial", if it is not the console."""
    if table.get("uart") is not None:
        row = {"bus": table["uart"], "name": "the uplink"}
        draft.tables["claims"].uart(path, row, key="uart")


def _check_tls(draft: Draft, path: Path, table: dict[str, Any]) -> None:
    tls, ca, kind = table.get("tls"), table.get("ca"), table["kind"]
    if tls is True and kind == "umqtt":
        draft.fault((*path, "tls"), "umqtt cannot do TLS here", 'kind = "mqtt"')
    if tls is True and ca is None and kind != "umqtt":
        expected = "ca = a file with the certificate of the authority"
        draft.fault((*path, "tls"), "tls without ca: the broker cannot be verified", expected)
    for name in UPLINK_FILES:
        file = table.get(name)
        if is_known(file) and not (draft.folder / file).is_file():
            what = "a private key" if name == "cert_key" else "a certificate"
            draft.fault((*path, name), f'no file "{file}" here', f"{what}, PEM or DER")
    for name, other in (("cert", "cert_key"), ("cert_key", "cert")):
        if is_known(table.get(name)) and table.get(other) is None:
            draft.fault((*path, name), f"{name} without {other}", f"{other} = ...", key=True)
    for name in (*UPLINK_FILES, "server_hostname"):
        if is_known(table.get(name)) and tls is False:
            draft.fault((*path, name), f"{name} without tls", "tls = true", key=True)
    name, clear, sealed = _PORTS.get(kind, ("MQTT", 1883, 8883))
    if tls is True and table.get("port") == clear:
        draft.warn((*path, "port"), f"{clear} is the port for {name} without TLS", f"{sealed}")
    if tls is False and table.get("port") == sealed:
        draft.warn((*path, "port"), f"{sealed} is the port for {name} with TLS", "tls = true")


def _check_secrets(draft: Draft, path: Path, table: dict[str, Any]) -> None:
    user, password, host = table.get("user"), table.get("password"), table.get("host")
    if is_known(password) and user is None:
        draft.fault((*path, "password"), "password without user", "user = ...", key=True)
    if not is_known(host) or _is_loopback(host):
        return
    keys = [table.get(name) for name in ("key", "oscore_secret")]
    if user is None and table.get("tls") is False and keys == [None, None]:
        message = f"anyone on the way to {host} can pretend to be this node"
        cure = _CURES.get(table["kind"], "user and password with tls")
        draft.warn((*path, "host"), message, f"{cure}, or key")
    elif is_known(password) and table.get("tls") is False:
        draft.warn((*path, "password"), "the password travels in clear text", "tls = true")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_host(draft: Draft, path: Path, table: dict[str, Any]) -> None:
    host = table.get("host")
    if not is_known(host):
        return
    if "://" in host or "/" in host:
        draft.fault((*path, "host"), f'host = "{host}"', "a name or an address, without mqtt://")
    elif host.count(":") == 1:
        expected = "host and port as two keys"
        draft.fault((*path, "host"), f'host = "{host}" contains a port', expected)
    elif any(c.isspace() for c in host):
        draft.fault((*path, "host"), f'host = "{host}"', "a name or an address without spaces")
