"""[uplink]: can its host be reached from this board, at this port, and by nobody else's node?"""

import ipaddress
import re
from typing import Any

from hedgerow.config.draft import Draft
from hedgerow.config.fault import Path
from hedgerow.config.schema import is_known
from hedgerow.hosts import is_local

_NAME = re.compile(
    r"[A-Za-z0-9_.-]{1,253}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9_.-]+)?"
)  # or IPv6
_CURES = {"coap": "oscore_secret", "http": "tls"}
_IP_KINDS = ("mqtt", "coap", "http", "umqtt")  # the board's own TCP/IP carries them
# kind -> its protocol, port without TLS, port with
_PORTS = {"coap": ("CoAP", 5683, 5684), "http": ("HTTP", 80, 443)}
_MQTT = ("MQTT", 1883, 8883)


def check_reach(draft: Draft, path: Path, table: dict[str, Any]) -> None:
    """table: of one link."""
    good = _check_host(draft, path, table)
    _check_port(draft, path, table)
    _check_path(draft, path, table)
    if is_known(table.get("password")) and table.get("user") is None:
        draft.fault((*path, "password"), "password without user", "user = ...", key=True)
    if good and not is_local(table["host"]):
        _check_secrets(draft, path, table)
        _check_network(draft, path, table)


def _check_host(draft: Draft, path: Path, table: dict[str, Any]) -> bool:
    """True if there is one that may be right."""
    host = table.get("host")
    if not is_known(host):
        return False
    message = f'host = "{host}"'
    if "/" in host:
        scheme, found, _ = host.partition("://")
        expected = f"a name or an address, without {scheme + found if found else 'a path'}"
    elif host.count(":") == 1:
        message, expected = f"{message} contains a port", "host and port as two keys"
    elif any(c.isspace() for c in host):
        expected = "a name or an address without spaces"
    elif not _NAME.fullmatch(host) or not host.strip("."):
        expected = "up to 253 letters a-z, digits, - and ."
    elif host.replace(".", "").isdigit() and not _address(host):
        expected = "four numbers of 0 to 255, or a name"
    else:
        return True
    draft.fault((*path, "host"), message, expected)
    return False


def _check_port(draft: Draft, path: Path, table: dict[str, Any]) -> None:
    kind, port, tls = table["kind"], table.get("port"), table.get("tls")
    kind = table.get("carries") if kind == "cellular" else kind
    name, clear, sealed = _PORTS.get(str(kind), _MQTT)
    if tls is True and port == clear:
        draft.warn((*path, "port"), f"{clear} is the port for {name} without TLS", f"{sealed}")
    if tls is False and port == sealed:
        draft.warn((*path, "port"), f"{sealed} is the port for {name} with TLS", "tls = true")
    others = {p: of for of, *ports in (_MQTT, *_PORTS.values()) for p in ports if of != name}
    if port in others:
        message = f"{port} is the port for {others[port]}"
        draft.warn((*path, "port"), message, f"{sealed if tls is True else clear} for {name}")


def _check_path(draft: Draft, path: Path, table: dict[str, Any]) -> None:
    """Of kind = "http"."""
    found = table.get("path")
    if is_known(found) and not (found.startswith("/") and found.rstrip("/") == found):
        draft.fault((*path, "path"), f'path = "{found}"', 'as "/api": a / before, none behind')
    elif is_known(found) and not re.fullmatch(r"[!-~]*", found):
        draft.fault((*path, "path"), f'path = "{found}"', "as in a URL, %20 for a space")
    elif is_known(found) and set("?#") & set(found):
        draft.fault((*path, "path"), f'path = "{found}"', "a path alone, without ? and #")


def _check_secrets(draft: Draft, path: Path, table: dict[str, Any]) -> None:
    host, password, tls = table["host"], table.get("password"), table.get("tls")
    keys = [table.get(name) for name in ("key", "oscore_secret")]
    if password is None and tls is False and keys == [None, None]:
        message = f"anyone on the way to {host} can pretend to be this node"
        cure = _CURES.get(table["kind"], "user and password with tls")
        draft.warn((*path, "host"), message, f"{cure}, or key")
    elif is_known(password) and tls is False:
        draft.warn((*path, "password"), "the password travels in clear text", "tls = true")


def _check_network(draft: Draft, path: Path, table: dict[str, Any]) -> None:
    board = draft.board
    if table["kind"] not in _IP_KINDS or board is None or board.port == "unix":
        return
    if "WiFi" not in board.features:
        message = f"{board.name} has no network of its own for {table['kind']}"
        expected = "a board with Wi-Fi, or another kind, e.g. serial with `hedgerow bridge`"
        draft.warn((*path, "kind"), message, expected)
    elif draft.table("wifi") is None:
        expected = "[wifi], unless a program of yours joins one"
        draft.warn((*path, "kind"), f"{board.name} has no network without [wifi]", expected)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
