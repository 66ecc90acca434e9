"""The Semtech UDP protocol between gateway and network server: datagrams to values and back.

Source: PROTOCOL.TXT of Semtech's packet forwarder, version 2 (version 1 is read too). No sockets.
Whatever is wrong in a datagram raises FrameError, and nothing else does.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

from hedge.core.errors import FrameError

PUSH_DATA, PUSH_ACK, PULL_DATA, PULL_RESP, PULL_ACK, TX_ACK = range(6)
_VERSIONS = (1, 2)
_MAX_DATAGRAM_BYTES = 65507
_MAX_PACKETS = 64
_WITH_EUI = (PUSH_DATA, PULL_DATA, TX_ACK)


@dataclass(frozen=True)
class Rx:
    """A packet that a gateway heard. tmst_us: its counter at the end of the packet."""

    gateway: bytes
    data: bytes
    hz: int
    sf: int
    bw_khz: int
    rssi_dbm: float
    snr_db: float
    tmst_us: int


@dataclass(frozen=True)
class Tx:
    """A packet that a gateway is to send, at its counter's tmst_us, or at once (None)."""

    data: bytes
    hz: int
    sf: int
    bw_khz: int
    power_dbm: int
    tmst_us: int | None


@dataclass(frozen=True)
class Datagram:
    """kind: PUSH_DATA ...; packets: of PUSH_DATA; error: of TX_ACK, "" when it will be sent.

    malformed: packets that could not be read; those beside them count.
    """

    version: int
    token: bytes
    kind: int
    gateway: bytes = b""
    packets: tuple[Rx, ...] = ()
    error: str = ""
    tx: Tx | None = None
    bad_crc: int = 0
    malformed: int = 0


def unpack(data: bytes) -> Datagram:
    """Raises FrameError. Packets with a wrong CRC, or not of LoRa, are left out."""
    if not 4 <= len(data) <= _MAX_DATAGRAM_BYTES:
        raise FrameError(f"udp: {len(data)} bytes")
    version, token, kind = data[0], data[1:3], data[3]
    if version not in _VERSIONS or kind > TX_ACK:
        raise FrameError(f"udp: version {version}, kind {kind}")
    if kind not in _WITH_EUI:
        tx = _tx(_json(data[4:])) if kind == PULL_RESP else None
        return Datagram(version, token, kind, tx=tx)
    if len(data) < 12:
        raise FrameError("udp: no gateway EUI")
    gateway = data[4:12]
    if kind == PUSH_DATA:
        packets, bad, malformed = _packets(gateway, _json(data[12:]))
        return Datagram(version, token, kind, gateway, packets, bad_crc=bad, malformed=malformed)
    error = _tx_error(data[12:]) if kind == TX_ACK else ""
    return Datagram(version, token, kind, gateway, error=error)


def _json(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"udp: {type(error).__name__} in JSON") from error
    if not isinstance(found, dict):
        raise FrameError("udp: no JSON object")
    return found


def _packets(gateway: bytes, table: dict[str, Any]) -> tuple[tuple[Rx, ...], int, int]:
    """(packets, how many had a wrong CRC, how many could not be read)."""
    rows = table.get("rxpk", [])
    if not isinstance(rows, list) or len(rows) > _MAX_PACKETS:
        raise FrameError("udp: rxpk is no list, or too long")
    found = []
    bad = malformed = 0
    for row in rows:
        if isinstance(row, dict) and row.get("stat", 1) != 1:
            bad += 1
        elif not isinstance(row, dict) or row.get("modu", "LORA") == "LORA":
            try:
                found.append(_rx(gateway, row))
            except FrameError:
                malformed += 1
    return tuple(found), bad, malformed


def _rx(gateway: bytes, row: Any) -> Rx:
    if not isinstance(row, dict):
        raise FrameError("udp: rxpk holds no object")
    sf, bw_khz = _rate(row)
    return Rx(
        gateway,
        _payload(row),
        _hz(row),
        sf,
        bw_khz,
        _number(row, "rssi", -300, 100),
        _number(row, "lsnr", -100, 100),
        int(_number(row, "tmst", 0, 0xFFFFFFFF)),
    )


def _tx(table: dict[str, Any]) -> Tx:
    row = table.get("txpk")
    if not isinstance(row, dict):
        raise FrameError("udp: no txpk")
    sf, bw_khz = _rate(row)
    tmst_us = None if row.get("imme") is True else int(_number(row, "tmst", 0, 0xFFFFFFFF))
    power_dbm = int(_number(row, "powe", -50, 50))
    return Tx(_payload(row), _hz(row), sf, bw_khz, power_dbm, tmst_us)


def _number(row: dict[str, Any], key: str, low: float, high: float) -> float:
    value = row.get(key)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise FrameError(f"udp: {key} is no number")
    if not low <= value <= high:  # not for NaN; an int may be too large for a float
        raise FrameError(f"udp: {key} is out of range")
    return value


def _hz(row: dict[str, Any]) -> int:
    return round(_number(row, "freq", 1, 10000) * 1e6)


def _rate(row: dict[str, Any]) -> tuple[int, int]:
    """(spreading factor, bandwidth kHz) of "SF7BW125"."""
    text = row.get("datr")
    if not isinstance(text, str) or not text.startswith("SF") or len(text) > 16:
        raise FrameError("udp: datr is no LoRa rate")
    sf, _, bw = text[2:].partition("BW")
    if not (sf.isascii() and sf.isdigit() and bw.isascii() and bw.isdigit()):
        raise FrameError(f"udp: datr {text!r}")
    return int(sf), int(bw)


def _payload(row: dict[str, Any]) -> bytes:
    text = row.get("data")
    if not isinstance(text, str) or len(text) > 400:
        raise FrameError("udp: no data")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)  # some cut the "="
    except ValueError as error:
        raise FrameError("udp: data is no base64") from error
    if not 1 <= len(data) <= 255:
        raise FrameError(f"udp: packet of {len(data)} bytes")
    return data


def _tx_error(data: bytes) -> str:
    if not data.strip(b"\x00 \r\n"):
        return ""
    table = _json(data).get("txpk_ack", {})
    error = table.get("error", "") if isinstance(table, dict) else ""
    return "" if error in ("", "NONE") else str(error)[:40]


def ack(datagram: Datagram) -> bytes:
    """PUSH_ACK or PULL_ACK."""
    kind = PUSH_ACK if datagram.kind == PUSH_DATA else PULL_ACK
    return bytes((datagram.version,)) + datagram.token + bytes((kind,))


def pull_resp(version: int, token: bytes, tx: Tx) -> bytes:
    """PULL_RESP: send this."""
    row: dict[str, Any] = {"imme": True} if tx.tmst_us is None else {"tmst": tx.tmst_us}
    row |= {
        "freq": tx.hz / 1e6,
        "rfch": 0,
        "powe": tx.power_dbm,
        "modu": "LORA",
        "datr": f"SF{tx.sf}BW{tx.bw_khz}",
        "codr": "4/5",
        "ipol": True,
        "ncrc": True,
        "size": len(tx.data),
        "data": base64.b64encode(tx.data).decode(),
    }
    return bytes((version,)) + token + bytes((PULL_RESP,)) + json.dumps({"txpk": row}).encode()


# The gateway's side, for the simulated gateways and the tests.


def push_data(token: bytes, gateway: bytes, packets: list[Rx]) -> bytes:
    """PUSH_DATA of version 2."""
    rows = [
        {
            "tmst": rx.tmst_us,
            "chan": 0,
            "rfch": 0,
            "freq": rx.hz / 1e6,
            "stat": 1,
            "modu": "LORA",
            "datr": f"SF{rx.sf}BW{rx.bw_khz}",
            "codr": "4/5",
            "lsnr": rx.snr_db,
            "rssi": rx.rssi_dbm,
            "size": len(rx.data),
            "data": base64.b64encode(rx.data).decode(),
        }
        for rx in packets
    ]
    body = json.dumps({"rxpk": rows}).encode()
    return b"\x02" + token + bytes((PUSH_DATA,)) + gateway + body


def pull_data(token: bytes, gateway: bytes) -> bytes:
    """PULL_DATA: keeps the way back open."""
    return b"\x02" + token + bytes((PULL_DATA,)) + gateway


def tx_ack(token: bytes, gateway: bytes, error: str = "") -> bytes:
    """TX_ACK, with an error such as COLLISION_PACKET or TOO_LATE."""
    body = json.dumps({"txpk_ack": {"error": error}}).encode() if error else b""
    return b"\x02" + token + bytes((TX_ACK,)) + gateway + body
