"""LoRaWAN: bytes, airtime and energy per record; the network server's uplinks per second.

Airtime is the formula of the SX1276 datasheet (section 4.1.1.7), energy that of its radio alone
(table 10, rev. 7: 29 mA at +13 dBm, 11.5 mA receiving, 3.3 V) for one uplink, the empty part of
its receive windows and the ack in RX1. The codec, the frames and the ack are the real ones.
"""

import asyncio
import random
import tempfile
import time
from pathlib import Path

import hedgerow.lns  # noqa: F401  brings AES
from hedge.net.lorawan import frag, payload, phy, skeleton
from hedge.net.lorawan.airtime import airtime_us, symbol_us
from hedge.net.lorawan.region import load
from hedge.wire import ack, frame, senml
from hedgerow.lns.database import Database
from hedgerow.lns.devices import site_of
from hedgerow.lns.records import Records
from hedgerow.lns.semtech import Rx
from hedgerow.lns.server import NetworkServer

_T = 1760000000
_VOLTS = 3.3
_TX_MA, _RX_MA = 29.0, 11.5
_EARLY_MS = 20
RATES = {"DR5": 5, "DR3": 3, "DR0": 0}
_RECORDS = 24
_UPLINKS = 300


def _record(i: int) -> bytes:
    """A moisture reading each 15 minutes, as the soil node writes it."""
    return senml.encode(_T + 900 * i, [("soil.vwc", "%", (2340 - 3 * i) / 100)])


def _messages(room: int, known: dict[int, bytes] | None) -> list[tuple[int, int]]:
    """(payload bytes, records) of the uplinks that _RECORDS records take."""
    left = [_record(i) for i in range(_RECORDS)]
    found = []
    seq = 300
    while left:
        entry = payload.Entry(7, 1, seq, seq, left)
        data, count, _ = payload.compose(entry, room, known)
        found.append((len(data), count))
        seq += count
        del left[:count]
    return found


def known() -> dict[int, bytes]:
    inner = skeleton.split(_record(0))[0]
    return {skeleton.digest(inner): inner}


def per_record(rate: int, known: dict[int, bytes] | None) -> tuple[float, float, float]:
    """(bytes up, their airtime ms, energy mJ) of one record at this EU868 data rate."""
    region = load("EU868")
    sf, bw_khz = region.lora(rate)
    full = ack.pack(0xDEADBEEF, _T, [(7, 1, 300)])
    down_ms = airtime_us(len(payload.pack_ack(full)) + phy.OVERHEAD_BYTES, sf, bw_khz, False) / 1e3
    sent = on_ms = energy_mj = 0.0
    for size, _ in _messages(region.max_payload(rate), known):
        up_ms = airtime_us(size + phy.OVERHEAD_BYTES, sf, bw_khz) / 1e3
        listen_ms = down_ms + _EARLY_MS + symbol_us(sf, bw_khz) * 2 / 1e3
        sent += size + phy.OVERHEAD_BYTES
        on_ms += up_ms
        energy_mj += _VOLTS * (_TX_MA * up_ms + _RX_MA * listen_ms) / 1e3
    return sent / _RECORDS, on_ms / _RECORDS, energy_mj / _RECORDS


def _rows_of_air() -> list[dict]:
    rows = []
    for name, rate in RATES.items():
        packed, plain = per_record(rate, known()), per_record(rate, None)
        how = f"EU868 {name}, moisture records, full messages, acknowledged; peer: records whole"
        for i, (what, unit) in enumerate((("airtime", "ms"), ("energy", "mJ")), 1):
            rows.append(
                {
                    "name": f"lorawan.{what}_per_record.{name}",
                    "value": round(packed[i], 2),
                    "unit": unit,
                    "peer": "the same without the payload codec",
                    "peer_value": round(plain[i], 2),
                    "ratio": round(packed[i] / plain[i], 2),
                    "limit": 0.5,
                    "limit_of": "ratio",
                    "how": how,
                }
            )
    return rows


def _row_of_bytes() -> dict:
    sizes = _messages(51, known())
    packed = sum(size for size, _ in sizes) / _RECORDS
    whole = frame.frame_len("bed-3", 7, 1, 300, 300, [_record(0)])
    return {
        "name": "lorawan.bytes_per_record",
        "value": round(packed, 1),
        "unit": "bytes",
        "peer": "one record in a frame of its own",
        "peer_value": whole,
        "ratio": round(packed / whole, 2),
        "limit": 8.0,
        "how": "payload of 51 bytes (SF12), header of the payload shared by its records",
    }


def _row_of_server() -> dict:
    """One device, each uplink verified, stored (by a function), committed and answered."""
    keys = b"n" * 16, b"a" * 16
    row = {"name": "bed-3", "dev_addr": "26010001"}
    row |= {"nwk_s_key": keys[0].hex(), "app_s_key": keys[1].hex()}
    packets = []
    for n in range(_UPLINKS):
        entry = payload.Entry(7, 1, n + 1, n + 1, [_record(n)])
        body = payload.compose(entry, 222, ())[0]
        message = phy.Data(phy.UNCONFIRMED_UP, 0x26010001, 0, n, b"", 1, body)
        packets.append(phy.pack_data(message, *keys))

    async def submit(device: str, data: bytes) -> bytes:
        found = frame.unpack(data)
        return ack.pack(1, _T, [(found.boot, found.stream, found.seq)])

    async def play(server: NetworkServer) -> None:
        for data in packets:
            rx = Rx(b"gatewayA", data, 868100000, 7, 125, -90.0, 5.0, 0)
            await server.receive([rx], server._now_s())

    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder, "lns.db"))
        site = site_of({"device": [row]}, "bench")
        server = NetworkServer(site, database, Records(database, submit))
        begin_s = time.perf_counter()
        asyncio.run(play(server))
        took_s = time.perf_counter() - begin_s
        assert server.counts.uplinks == _UPLINKS
        database.close()
    return {
        "name": "lorawan.lns_uplinks_per_s",
        "value": round(_UPLINKS / took_s),
        "unit": "uplinks/s",
        "how": "verify, decrypt, unpack, commit (SQLite, synchronous=FULL), answer; one process",
    }


def _row_of_fragments() -> dict:
    """Fragments that a 20 KB model takes at 20 % loss."""
    random.seed(1)
    data = random.randbytes(20000)
    count = len(data) // 100
    sent = []
    for _ in range(5):
        places: dict[int, bytes] = {}
        decoder = frag.Decoder(count, 100, places.__setitem__, places.__getitem__, 80)
        n = 0
        while not decoder.done:
            n += 1
            if random.random() >= 0.2:
                decoder.add(n, frag.fragment(data, 100, n))
        assert b"".join(places[i] for i in range(count)) == data
        sent.append(n)
    return {
        "name": "lorawan.fragments_at_20pct_loss",
        "value": round(sum(sent) / len(sent) / count, 3),
        "unit": "sent per needed",
        "peer": "no code could do with less than",
        "peer_value": 1.25,
        "limit": 1.35,
        "how": f"TS004 parity, {count} fragments of 100 bytes, at most 80 lost at a time, 5 runs",
    }


def measure() -> list[dict]:
    return [*_rows_of_air(), _row_of_bytes(), _row_of_fragments(), _row_of_server()]
