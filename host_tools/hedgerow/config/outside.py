"""[store] and [uplink] -> plan: what leaves the control loop."""

from pathlib import Path as FilePath
from typing import Any

from hedge.net.tls_context import der_blocks
from hedgerow.boards import Board
from hedgerow.config.draft import Draft
from hedgerow.config.failover import failover_part, only_part
from hedgerow.config.fault import Path
from hedgerow.config.modem import cellular_part
from hedgerow.config.radio import lorawan_part
from hedgerow.config.reach import check_reach
from hedgerow.config.schema import is_known
from hedgerow.config.uplink_kinds import UPLINK_FILES

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
    elif is_known(most) and draft.board:
        _check_firmware(draft, draft.board, most, table["partition"])
    return {"kind": "flash", "partition": table["partition"]}


def _check_firmware(draft: Draft, board: Board, most: int, partition: object) -> None:
    """What the board's own firmware lacks: nobody knows here which one is on it."""
    parts = {part.name: part.size_bytes for part in board.flash_layout}
    kind = ("store", "kind")
    if board.port == "rp2" and most >= parts["filesystem"]:
        expected = f"less than the {parts['filesystem']} bytes that files and log share"
        draft.fault(("store", "max_bytes"), f"max_bytes = {most} of flash", expected)
    elif board.port == "rp2":
        cure = f"a firmware of `hedgerow toolchain pico --region-kb {most // 1024}`"
        if board.name != "RPI_PICO":
            cure = "a firmware with firmware/boot/rp2 frozen in (its README.md)"
        draft.warn(kind, "MicroPython's own firmware leaves no room behind the files", cure)
    elif board.port == "esp32" and partition not in parts:
        lacking = f'MicroPython\'s own firmware has no data partition "{partition}"'
        draft.warn(kind, lacking, "a partition table with one")


def _given(draft: Draft, section: str, key: str) -> bool:
    return key in (draft.source.data.get(section) or {})


def uplink_part(draft: Draft) -> dict[str, Any] | None:
    table = draft.tables.get("uplink")
    if not table:
        draft.warn((), "no [uplink]: records stay in the store of this node", "[uplink]")
        return None
    if not isinstance(table, list):
        return only_part(draft, ("uplink",), _link_part(draft, ("uplink",), table))
    parts = [_link_part(draft, ("uplink", i), row) for i, row in enumerate(table)]
    if len(parts) == 1:
        return only_part(draft, ("uplink", 0), parts[0])
    return failover_part(draft, parts)


def _link_part(draft: Draft, path: Path, table: dict[str, Any]) -> dict[str, Any]:
    _check_tls(draft, path, table)
    check_reach(draft, path, table)
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
        if is_known(table.get(name)):
            _check_file(draft, (*path, name), table[name], name == "cert_key")
    for name, other in (("cert", "cert_key"), ("cert_key", "cert")):
        if is_known(table.get(name)) and table.get(other) is None:
            draft.fault((*path, name), f"{name} without {other}", f"{other} = ...", key=True)
    for name in (*UPLINK_FILES, "server_hostname"):
        if is_known(table.get(name)) and tls is False:
            draft.fault((*path, name), f"{name} without tls", "tls = true", key=True)


def _check_file(draft: Draft, path: Path, file: str, is_key: bool) -> None:
    """A certificate or a private key; more is known when mbedTLS reads it on the board."""
    what, ending = ("a private key", "PRIVATE KEY") if is_key else ("a certificate", "CERTIFICATE")
    try:
        content = (draft.folder / file).read_bytes()
    except OSError:
        draft.fault(path, f'no file "{file}" here', f"{what}, PEM or DER")
        return
    if is_key and b"ENCRYPTED" in content:
        draft.fault(path, f'"{file}" is encrypted', "a key without a passphrase")
        return
    try:
        der_blocks(content, ending)
    except ValueError as error:
        draft.fault(path, f'"{file}" is not {what}: {error}', f"{what}, PEM or DER")
