"""Every link beside the others: bytes, airtime and energy of one record, each acknowledged.

    python tests/bench/links.py        the table

The same moisture readings from a store to a gateway that commits them. MQTT, CoAP and HTTP run
against a real gateway over a line that counts packets; LoRaWAN is lorawan.py's; ESP-NOW and serial
frames are packed by their links. All send a backlog, in full frames; a reading that goes alone
costs about a frame. What a session costs at its begin is not in it: the difference of a long and a
short run.

Energy is the radio's on the air, sending and receiving, and so a least: no association, no
beacons, no waiting, no tail of the cellular network. Currents and rates, as their makers state
them: ESP32 datasheet, "RF power consumption": 240 mA sending 802.11b 1 Mbit/s at +19.5 dBm, 100 mA
receiving, 3.3 V. SX1276: see lorawan.py. LTE Cat-M1: SIM7000 Hardware Design 1.05, band 12: 167 mA
at +23 dBm, 3.8 V (SIM7080's own was not at hand), at the 375 kbit/s of a half-duplex Cat-M1
uplink (3GPP release 13); its receiving is not stated, and not counted.
"""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(_TESTS / folder) for folder in ("bench", "interop", "unit")]

import lorawan  # noqa: E402  found through the line above
from node import Node  # noqa: E402
from wire_count import TcpCount, Traffic, UdpCount  # noqa: E402

from hedge.net import espnow_parts, serial_lines  # noqa: E402
from hedge.wire import ack, cbor, frame, senml  # noqa: E402
from hedgerow.gateway import GatewayConfig  # noqa: E402
from hedgerow.gateway.service import gateway_in_thread  # noqa: E402
from hedgerow.toolchain.unix import find_micropython  # noqa: E402

_T = 1760000000
_SECRET = bytes(range(16))
_SHORT, _LONG = 40, 440
_DEVICE = "bed-3"
_WIFI = {"tx_ma": 240.0, "rx_ma": 100.0, "volts": 3.3}
_WIFI_HEADER = 24 + 8 + 8 + 8 + 4  # MAC, LLC/SNAP, CCMP with its MIC, FCS: IEEE 802.11-2016
_ESPNOW_HEADER = 24 + 8 + 7 + 4  # MAC, category to random value, vendor element, FCS: ESP-IDF
_PREAMBLE_US, _US_A_BYTE = 192, 8  # DSSS, long preamble, 1 Mbit/s
_ACK_US = _PREAMBLE_US + 14 * _US_A_BYTE  # of 802.11 itself, for each packet, the other way
_LTE_MA, _LTE_VOLTS, _LTE_KBIT_S = 167.0, 3.8, 375.0
_BAUD = 115200


@dataclass(frozen=True)
class Cost:
    """Of one record. bytes: both ways. air_ms, mj: None where the link has no radio."""

    link: str
    bytes: float
    air_ms: float | None
    mj: float | None
    how: str


def _record(i: int) -> bytes:
    return senml.encode(_T + 900 * i, [("soil.vwc", "%", (2340 - 3 * i % 2000) / 100)])


def costs() -> Iterator[Cost]:
    """One link after the other."""
    for kind in ("mqtt", "mqtt 5", "coap", "coap with OSCORE", "http"):
        up, down = _measured(kind)
        size = up.bytes + down.bytes
        yield Cost(kind, size, *_wifi(up, down), "Wi-Fi at 1 Mbit/s, IP headers included")
        if kind == "mqtt":
            yield _lte(up.bytes, size)
    yield _espnow()
    yield from _lorawan()
    yield _serial()


def _measured(kind: str) -> tuple[Traffic, Traffic]:
    """Traffic of a record each way: (long run - short run) / records between, as floats."""
    runs = [_run(kind, records) for records in (_SHORT, _LONG)]
    many = _LONG - _SHORT
    ways = []
    for short, long in zip(*runs, strict=True):
        packets, size = long.packets - short.packets, long.bytes - short.bytes
        ways.append(Traffic(packets / many, size / many))
    return ways[0], ways[1]


def _run(kind: str, records: int) -> tuple[Traffic, Traffic]:
    keys = {_DEVICE: _SECRET} if "OSCORE" in kind else {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = GatewayConfig(
            folder / "farm.db", http_port=0, mqtt_port=0, broker="mosquitto", coap_port=0
        )
        config.coap_keys.update(keys)
        with gateway_in_thread(config) as gateway:
            ports = {"mqtt": gateway.mqtt_port, "coap": gateway.coap_port}
            port = ports.get(kind.split()[0]) or int(gateway.http_url.rsplit(":", 1)[1])
            count = UdpCount if "coap" in kind else TcpCount
            with count(port) as line:
                sent = _send(folder, kind, line.port, keys, records)
        counted = line.up.bytes - line.up.packets * line.header_bytes
        # What the node counts itself; its last words may come after its last count.
        assert 0 <= counted - sent <= 64, f"{kind}: {counted} bytes came, {sent} were sent"
        return line.up, line.down


def _send(folder: Path, kind: str, port: int, keys: dict, records: int) -> int:
    cfg = {"kind": kind.split()[0], "host": "127.0.0.1", "port": port}
    cfg |= {"version": 5} if kind == "mqtt 5" else {}
    if keys:
        cfg |= {"oscore_secret": _SECRET.hex(), "oscore_numbers": str(folder / "numbers.kv")}
    args = {
        "script": _TESTS / "interop" / "upy" / "coap_scenarios.py",
        "cfg": cfg,
        "store": str(folder / "store"),
        "device": _DEVICE,
        "info": cbor.encode({"name": "Bed"}).hex(),
        "record": _record(0).hex(),
        "records": records,
        "limit_ms": 60000,
    }
    with Node(find_micropython(), "uplink", **args) as node:
        result = node.result(90)
    assert result["pending"] == 0, result
    return result["stats"]["bytes_sent"]


def _wifi(up: Traffic, down: Traffic, header: int = _WIFI_HEADER) -> tuple[float, float]:
    """(ms on the air, mJ); each packet has an acknowledgement of 802.11 the other way."""

    def air_us(way: Traffic) -> float:
        return way.packets * (_PREAMBLE_US + header * _US_A_BYTE) + way.bytes * _US_A_BYTE

    tx_us = air_us(up) + down.packets * _ACK_US
    rx_us = air_us(down) + up.packets * _ACK_US
    mj = _WIFI["volts"] * (_WIFI["tx_ma"] * tx_us + _WIFI["rx_ma"] * rx_us) / 1e6
    return (tx_us + rx_us) / 1e3, mj


def _lte(up_bytes: float, size: float) -> Cost:
    ms = up_bytes * 8 / _LTE_KBIT_S
    how = "the packets of mqtt; sending alone, at the peak rate of LTE Cat-M1"
    return Cost("mqtt over LTE-M", size, ms, _LTE_VOLTS * _LTE_MA * ms / 1e3, how)


def _a_frame() -> tuple[bytes, bytes, int]:
    """A full frame, its ack, and the records in it."""
    records: list[bytes] = []
    room = frame.room(frame.MAX_FRAME_BYTES, _DEVICE, None)
    while sum(map(len, records)) + len(records) < room:
        records.append(_record(len(records)))
    while frame.frame_len(_DEVICE, 7, 1, 300, 300, records) > frame.MAX_FRAME_BYTES:
        records.pop()
    made = frame.pack(_DEVICE, 7, 1, 300, 300, records)
    return made, ack.pack(0xDEADBEEF, _T, [(7, 1, 300)]), len(records)


def _espnow() -> Cost:
    data, answer, count = _a_frame()
    ways = []
    for kind, body, way in (("U", data, espnow_parts.UP), ("a", answer, espnow_parts.DOWN)):
        parts = espnow_parts.pack(bytes(6), way, 1, kind, b"s1" + body)
        ways.append(Traffic(len(parts) / count, sum(map(len, parts)) / count))
    size = sum(way.bytes + way.packets * _ESPNOW_HEADER for way in ways)
    how = "full frames to a relay at 1 Mbit/s, headers included"
    return Cost("espnow", size, *_wifi(*ways, _ESPNOW_HEADER), how)


def _lorawan() -> Iterator[Cost]:
    for name, rate in lorawan.RATES.items():
        size, on_ms, mj = lorawan.per_record(rate, lorawan.known())
        how = "EU868, uplinks only in bytes and airtime; energy with the ack in RX1"
        yield Cost(f"lorawan {name}", size, on_ms, mj, how)


def _serial() -> Cost:
    data, answer, count = _a_frame()
    both = len(serial_lines.pack("U", b"s1" + data)) + len(serial_lines.pack("a", b"s1" + answer))
    how = f"full frames, {both * 10e3 / _BAUD / count:.2f} ms of a line of {_BAUD} baud"
    return Cost("serial", both / count, None, None, how)


def measure() -> list[dict]:
    """Three rows a link."""
    rows = []
    for cost in costs():
        for what, unit, value in (
            ("bytes", "B", cost.bytes),
            ("airtime", "ms", cost.air_ms),
            ("energy, at least", "mJ", cost.mj),
        ):
            if value is not None:
                name = f"link {cost.link}, {what} a record"
                rows.append({"name": name, "value": value, "unit": unit, "how": cost.how})
    return rows


def main() -> None:
    """The table as Markdown."""
    print("| Link | bytes | ms on the air | mJ, at least | |\n| --- | --- | --- | --- | --- |")
    for cost in costs():
        air, energy = ("-" if v is None else f"{v:.2f}" for v in (cost.air_ms, cost.mj))
        print(f"| {cost.link} | {cost.bytes:.0f} | {air} | {energy} | {cost.how} |", flush=True)


if __name__ == "__main__":
    main()
