"""The network server's readers: datagrams of gateways, whole servers behind them, ChirpStack."""

import json

import lns_device
from board_wire import SIGNS
from trial import Reader, taken

from hedge.net.lorawan import payload
from hedge.wire import senml
from hedgerow.errors import GatewayError
from hedgerow.lns import semtech
from hedgerow.lns.chirpstack import Event
from hedgerow.lns.database import Database
from hedgerow.lns.front import Front
from hedgerow.lns.records import Records
from hedgerow.lns.semtech import Tx
from hedgerow.lns.server import NetworkServer

_GATEWAYS = lns_device.GATEWAYS
_T = 1_760_000_000
_KEYS = [b"9" * 400, b'"data":', b'"tmst":', b'"rxpk":', b"1e999", b"-0", b"NaN", b"null"]


def _tx():
    return semtech.pull_resp(2, b"pr", Tx(bytes(20), 868100000, 7, 125, 14, 1000))


def _semtech():
    packets = [lns_device.rx(bytes(20), 0), lns_device.rx(b"\x40" + bytes(30), 1)]
    seeds = [
        semtech.push_data(b"up", _GATEWAYS[0], packets),
        semtech.pull_data(b"pd", _GATEWAYS[0]),
    ]
    seeds += [semtech.tx_ack(b"ta", _GATEWAYS[0], "TOO_LATE"), _tx()]
    return Reader(taken(semtech.unpack), seeds, tokens=SIGNS + _KEYS)


class _Server:
    """A whole server behind its datagrams; the store refuses, so that nothing is kept of it."""

    def __init__(self, region="EU868", hz=868_100_000):
        database = Database(":memory:")
        site = lns_device.site(region)
        self.server = NetworkServer(site, database, Records(database, self._submit))
        self._hz = hz
        self.front = Front(self.server)
        self.peer = lns_device.Peer()
        self.nonce = 0
        for eui in _GATEWAYS:
            self.front.take(semtech.pull_data(b"pd", eui), eui)

    async def _submit(self, device, data):
        raise GatewayError("fuzzing")

    def seeds(self):
        """With counters to come: a mutant may have used one."""
        self.nonce = (self.nonce + 1) % 65536
        up, join = self.peer.up(1, bytes(20)), lns_device.join_request(self.nonce)
        marked = self.peer.up(2, bytes(5), flags=0x80, options=b"\x02\x0d")
        return [
            semtech.push_data(b"up", _GATEWAYS[0], [lns_device.rx(up, 0), lns_device.rx(join, 1)]),
            semtech.push_data(b"up", _GATEWAYS[1], [lns_device.rx(marked, 1)]),
            semtech.pull_data(b"pd", _GATEWAYS[0]),
            semtech.tx_ack(b"ta", _GATEWAYS[0], "TOO_LATE"),
            _tx(),
        ]

    def packets(self):
        self.nonce = (self.nonce + 1) % 65536
        up = self.peer.up
        data = [
            up(1, bytes(10)),
            up(0, b"\x02\x0d"),
            up(options=b"\x03\x07\x02"),
            up(201, b"\x01"),
        ]
        return [*data, lns_device.join_request(self.nonce)]

    async def read(self, data):
        """As service.py does, without its pause."""
        malformed, refused = self.front.malformed, self.server.counts.refused
        _, begun = self.front.take(data, _GATEWAYS[0])
        for packet in begun:
            await self.front.answer(packet)
        assert not self.front._open and len(self.front._waiting) <= 64
        assert len(self.server.counts.reasons) <= 101 and len(self.server.gateways) <= 256
        if self.front.malformed > malformed:
            return "malformed"
        return "refused" if self.server.counts.refused > refused else None

    async def read_packet(self, data):
        rx = lns_device.rx(data[:255] or b"\x40", hz=self._hz)
        return await self.read(semtech.push_data(b"up", _GATEWAYS[0], [rx]))


def _server():
    server = _Server()
    return Reader(server.read, server.seeds, tokens=_KEYS, every=10)


def _packet(*where):
    def make():
        server = _Server(*where)
        return Reader(server.read_packet, server.packets, every=4)

    return make


def _chirpstack():
    table = {"deviceInfo": {"deviceName": "a"}, "fPort": 1, "data": "AAAA", "deduplicationId": "x"}
    seeds = [json.dumps(table).encode(), b'{"fPort": 2, "data": ""}']

    def read(data):
        event = Event("application/a/device/b/event/up", data)
        assert isinstance(event.name, str) and isinstance(event.data, bytes)

    return Reader(read, seeds, (ValueError,), [*SIGNS, b'"data":', b'"fPort":', b"[" * 2000])


def _records():
    """Verified payloads of one device, on every port of the codec, and Cayenne's."""
    database = Database(":memory:")

    async def stored(device, data):
        return b"\x21\x00\x01\x00\x00\x00"

    records = Records(database, stored, frozenset({"other"}))
    packs = [senml.encode(_T + i, [("soil.vwc", "%", 20 + i / 8)]) for i in range(6)]
    entry = payload.Entry(7, 1, 300, 290, packs)
    seeds = [payload.compose(entry, room, None)[0] for room in (20, 51, 222)]
    seeds.append(bytes.fromhex("03670110056700ff"))

    async def read(data):
        stored = records.stored
        for name, port in (
            ("bed-1", payload.PORT_RECORDS),
            ("bed-1", payload.PORT_PARTS),
            ("other", 5),
        ):
            await records.take(name, port, data)
        return None if records.stored > stored else "refused"

    return Reader(read, seeds)


READERS = {
    "lns datagram": _semtech,
    "lns server, datagrams": _server,
    "lns server, packets": _packet(),
    "lns server, US915": _packet("US915", 902_300_000),
    "lns records": _records,
    "chirpstack event": _chirpstack,
}
