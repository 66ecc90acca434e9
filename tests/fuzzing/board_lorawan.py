"""LoRaWAN: every reader of the device and of the codec that both ends share, and a whole MAC."""

import io
import random

try:
    import hedgerow.lns  # noqa: F401  brings AES to CPython
except ImportError:
    pass  # MicroPython has it built in, and no host tools on its path

import fake_lorawan
from trial import Reader, taken

from hedge.net.lorawan import bulk, crypto, maccmd, parts, payload, phy, region, skeleton
from hedge.net.lorawan.frag import Decoder
from hedge.net.lorawan.mac import Mac
from hedge.net.lorawan.session import Session
from hedge.wire import ack, senml

NWK, APP, KEY = b"n" * 16, b"a" * 16, b"k" * 16
_T = 1760000000
_COMMANDS = b"\x03\x50\x07\x00\x01\x05\x23\x28\x76\x84\x07\x03\x18\x4f\x84\x50\x06\x0d"
_TOKENS = [_COMMANDS[i : i + 5] for i in range(0, 15, 5)] + [
    b"\x02\x05\x01",
    b"\x0d\x00\x00\x00\x80\x01",
]


def _data():
    kinds = ((2, 0), (3, 20), (4, 60), (5, 200))
    seeds = [
        phy.pack_data(phy.Data(kind, 1, 0x80, n, b"\x02\x0d", 1, bytes(size)), NWK, APP)
        for n, (kind, size) in enumerate(kinds)
    ]
    return Reader(taken(lambda data: phy.unpack_data(data)), seeds)


def _request():
    seeds = [phy.pack_join_request(bytes(8), bytes(8), n, KEY) for n in (0, 5, 65535)]
    return Reader(taken(lambda data: phy.unpack_join_request(data)), seeds)


def _accept():
    seeds = [
        phy.pack_join_accept(phy.JoinAccept(1, 2, 3, 0x10, 1, bytes(n)), KEY) for n in (0, 16)
    ]
    return Reader(taken(lambda data: phy.unpack_join_accept(data, KEY)), seeds)


def _commands():
    def read(data):
        up, down = maccmd.split(data, 0), maccmd.split(data, 1)
        assert sum([1 + len(body) for _, body in up]) <= len(data)
        return None if up or down else "nothing known"

    return Reader(read, [_COMMANDS, b"\x02\x03\x07\x05\x07\x06\xff\x20"], tokens=_TOKENS)


def _records():
    records = [senml.encode(_T + i, [("soil.vwc", "%", 20 + i / 8)]) for i in range(6)]
    return records, [senml.encode(0, [("pump", None, True), ("rule", None, "dry")])]


def _payload():
    records, events = _records()
    known = {skeleton.digest(s): s for s in [skeleton.split(records[0])[0]]}
    entry = payload.Entry(7, 1, 300, 290, records + events)
    seeds = [payload.compose(entry, room, known)[0] for room in (20, 51, 222)]
    seeds.append(payload.compose(entry, 222, (), "bed-3", KEY)[0])
    return Reader(taken(lambda data: payload.expand(data, "bed-3", known)), seeds)


def _skeleton():
    records, events = _records()
    read = lambda data: None if skeleton.split(data) else "unfit"  # noqa: E731
    return Reader(read, records + events)


def _ack():
    full = ack.pack(0xDEADBEEF, _T, [(7, 1, 300), (7, 0, 2)])
    seeds = [payload.pack_ack(full), payload.pack_ack(full, True)]
    return Reader(taken(lambda data: payload.unpack_ack(data)), seeds)


def _parts():
    """Keeps its state over mutants, as a server's does: it must stay bounded."""
    together = parts.Assembler()

    def read(data):
        whole = together.add(data)
        assert len(together._open) <= 4
        return "part" if whole is None else None

    return Reader(read, parts.cut(bytes(range(100)), 20) + parts.cut(bytes(30), 20))


class _InMemory(bulk.Receiver):
    """Its file is no file, or a million of them would wear a disk."""

    def _open(self, setup, count, size):
        self._setup = setup
        self._file = io.BytesIO(bytes(count * size))
        self._decoder = Decoder(count, size, self._write, self._read, self._max_lost)


def _bulk():
    receiver = _InMemory("", lambda *told: None, lambda *told: None, 4096, 4)

    def read(data):
        receiver.take(201, data)
        return None if receiver._decoder else "idle"

    seeds = [bulk.setup_req(0, 10, 20, 0, 1234), bulk.data_fragment(0, 3, bytes(20))]
    seeds += [bulk.status_req(0), b"\x00", b"\x03\x00", bulk.data_fragment(0, 13, bytes(20))]
    seeds += [bulk.setup_req(0, 1, 20, 3, 0), bulk.data_fragment(0, 1, bytes(20))]
    return Reader(read, seeds)


def _answers():
    seeds = [b"\x02\x00\x01\x05\x00\x00\x00\x00\x03\x01", b"\x00\x00\x01\x01"]
    return Reader(taken(lambda data: bulk.split_answers(data)), seeds)


class _Device:
    """A joined MAC that hears mutants; their MIC is made good half the time."""

    def __init__(self, name):
        session = self._session = Session(fake_lorawan.FakeKV(), region.load(name))
        session.start_abp(fake_lorawan.ADDR, NWK, APP)
        self._mac = Mac(fake_lorawan.FakeRadio(), session._region, session)

    def seeds(self):
        """Good downlinks with the next counter."""
        down, fcnt = fake_lorawan.downlink, self._session.fcnt_down + 1
        return [
            down(self._session, fcnt, port=1, body=b"ack"),
            down(self._session, fcnt, _COMMANDS[:13], flags=0x10),
            down(self._session, fcnt, port=0, body=_COMMANDS * 2),
            down(self._session, fcnt, confirmed=True),
        ]

    def seal(self, data):
        """For this device, with a counter to come and the MIC that belongs to it."""
        session = self._session
        if len(data) < 12:
            return data
        fcnt = session.fcnt_down + 1 + random.getrandbits(1)
        head = bytes((data[0] & 0x20 | 0x60,)) + session.dev_addr.to_bytes(4, "little")
        body = head + data[5:6] + (fcnt & 0xFFFF).to_bytes(2, "little") + data[8:-4][:243]
        return body + crypto.data_mic(NWK, crypto.DOWN, session.dev_addr, fcnt, body)

    def read(self, data):
        mac, session = self._mac, self._session
        taken = mac._take(fake_lorawan.Packet(data))
        options = mac._answers.fopts(255)
        assert len(mac._answers) < 100 and len(options) <= 15
        assert session.channels.usable(session.rate), "no channel is left"
        assert session.rate >= 0 and 1 <= session.nb_trans <= 15 and session.rx1_delay_s >= 1
        channel = session.channels.usable(session.rate)[0]
        assert mac.room() >= 0 and mac._windows(channel, session.rate, session.rx1_offset, 1)
        if len(mac._answers) > 8:
            mac._answers.sent(len(options))
        return None if taken else "refused"


def _link():
    """Downlinks of the application into the link: acks, a wish for whole records, other ports."""
    from hedge.net.lorawan_link import LorawanLink

    plan = region.load("EU868")
    link = LorawanLink(Mac(None, plan, Session(fake_lorawan.FakeKV(), plan)), "bed-3")
    records, _ = _records()
    full = ack.pack(0xDEADBEEF, _T, [(7, 1, 302), (6, 0, 2)])
    seeds = [payload.pack_ack(full), payload.pack_ack(full, True), payload.pack_ack(b"", True)]

    def read(answer):
        link._queue = [payload.Entry(7, 1, 300, 290, list(records))]
        link._acks = []
        link._take(phy.Data(phy.UNCONFIRMED_DOWN, 1, 0, 0, b"", payload.PORT_RECORDS, answer))
        left = sum([len(entry.records) for entry in link._queue])
        assert left in (0, len(records)) or link._queue[0].seq == 300 + len(records) - left
        assert len(link._acks) <= 8
        return None if link._acks or link._plain else "ignored"

    return Reader(read, seeds)


def _mac(name):
    def make():
        device = _Device(name)
        return Reader(device.read, device.seeds, tokens=_TOKENS, seal=device.seal)

    return make


READERS = {
    "lorawan data": _data,
    "lorawan join-request": _request,
    "lorawan join-accept": _accept,
    "lorawan commands": _commands,
    "lorawan payload": _payload,
    "lorawan skeleton": _skeleton,
    "lorawan ack": _ack,
    "lorawan parts": _parts,
    "lorawan bulk": _bulk,
    "lorawan bulk answers": _answers,
    "lorawan link": _link,
    "lorawan mac, EU868": _mac("EU868"),
    "lorawan mac, US915": _mac("US915"),
}
