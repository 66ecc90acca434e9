"""Cayenne LPP: the examples of its README, an independent decoder, what is no Cayenne LPP."""

import asyncio
import csv
import json
import math
import random

import pytest
from lns_device import Peer, rx, site
from test_lns import Bench

from hedge.core.errors import FrameError
from hedge.wire import frame, senml
from hedgerow.errors import ConfigError
from hedgerow.gateway import cayenne
from hedgerow.gateway.mqtt import BrokerAddress
from hedgerow.lns.chirpstack import ChirpStack
from hedgerow.lns.database import Database

# "Examples" of myDevices' Cayenne LPP README.
_EXAMPLES = (
    ("03670110056700FF", [("ch3.temperature", 27.2), ("ch5.temperature", 25.5)]),
    ("0167FFD7", [("ch1.temperature", -4.1)]),
    (
        "067104D2FB2E0000",
        [
            ("ch6.acceleration_x", 12.1014),
            ("ch6.acceleration_y", -12.1014),
            ("ch6.acceleration_z", 0),
        ],
    ),
    (
        "018806765FF2960A0003E8",
        [("ch1.lat", 42.3519), ("ch1.lon", -87.9094), ("ch1.altitude", 10)],
    ),
)


@pytest.mark.parametrize(("text", "expected"), _EXAMPLES)
def test_examples_of_its_readme(text, expected):
    got = [(name, value) for name, _, value in cayenne.decode(bytes.fromhex(text))]
    assert got == expected


# Type -> how our unit is made of the other decoder's.
_TO_OURS = {113: 9.80665, 115: 100, 131: 3.6e6, 132: math.pi / 180, 134: math.pi / 180}


def _random_message(types, rng):
    """Items of known types with random bytes, at most 242 in all."""
    data = b""
    while len(data) < 200:
        kind = rng.choice(types)
        size = sum(part.size for part in cayenne._TYPES[kind])
        data += bytes([rng.randrange(256), kind]) + rng.randbytes(size)
    return data


def test_an_independent_decoder_reads_the_same():
    lpp = pytest.importorskip("cayennelpp", reason="the package pycayennelpp is not installed")
    rng = random.Random(1)
    seen = set()
    for _ in range(300):
        data = _random_message(sorted(cayenne._TYPES), rng)
        theirs = []
        for item in lpp.LppFrame.from_bytes(bytearray(data)).data:
            seen.add(int(item.type))
            factor = _TO_OURS.get(int(item.type), 1)
            theirs += [(f"ch{item.channel}", float(v) * factor) for v in item.value]
        ours = [(name.split(".")[0], value) for name, _, value in cayenne.decode(data)]
        assert [name for name, _ in ours] == [name for name, _ in theirs]
        assert [v for _, v in ours] == pytest.approx([v for _, v in theirs], rel=1e-6, abs=6e-5)
    assert seen == set(cayenne._TYPES)


def test_every_message_fits_records_and_comes_back():
    rng = random.Random(2)
    for _ in range(50):
        data = _random_message([0, 103, 104, 136], rng)
        frames, after = cayenne.to_frames("probe", 7, 5, 1_790_000_000, data)
        parsed = [frame.unpack(one) for one in frames]
        assert [p.seq for p in parsed] == list(range(5, after))
        entries = [e for p in parsed for r in p.records for e in senml.decode(r)]
        decoded = cayenne.decode(data)
        assert [e[:2] for e in entries] == [d[:2] for d in decoded]
        assert [e[2] for e in entries] == pytest.approx([d[2] for d in decoded], rel=1e-6)


@pytest.mark.parametrize("text", ["", "03", "0367", "036701", "03C80110", "00" * 243])
def test_what_is_none_is_refused(text):
    with pytest.raises(FrameError, match=r"^cayenne: "):
        cayenne.decode(bytes.fromhex(text))


def _payloads(need_shared):
    folder = need_shared("data/lorawan")
    for name in ("decentlab", "ttn_device_repository"):
        for row in json.loads((folder / "payload_vectors" / f"{name}.json").read_text()):
            yield row["payload_hex"]
    with (folder / "saint_eynard_uplinks" / "uplinks.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield row["payload_hex"]


def test_payloads_of_other_formats_are_almost_never_taken_for_it(need_shared):
    """The recordings hold none in Cayenne LPP: a device set to it by mistake must show."""
    taken = refused = 0
    for text in _payloads(need_shared):
        try:
            cayenne.decode(bytes.fromhex(text))
            taken += 1
        except FrameError:
            refused += 1
    assert refused > 1000
    assert taken < refused / 100, (taken, refused)


_TEMPERATURE = bytes.fromhex("03670110")


def test_a_personalised_device_that_speaks_it_is_stored(tmp_path):
    b = Bench(tmp_path, row={"payload": "cayenne"})
    peer = Peer()
    for port in (2, 85):
        b.receive(rx(peer.up(port, _TEMPERATURE)))
    b.restart()
    b.receive(rx(peer.up(2, _TEMPERATURE)))
    b.receive(rx(peer.up(2, b"\x03\xff\x01")))  # no Cayenne LPP
    assert (b.records.stored, b.records.refused) == (1, 1)
    assert [(f.device, f.seq, f.oldest) for f in b.frames] == [("bed-2", n, n) for n in (1, 2, 3)]
    assert len({f.boot for f in b.frames}) == 1
    entries = [senml.decode(f.records[0])[0][:3] for f in b.frames]
    assert [e[:2] for e in entries] == [("ch3.temperature", "Cel")] * 3
    assert [e[2] for e in entries] == pytest.approx([27.2] * 3)


def test_a_database_of_an_earlier_release_is_taken_over(tmp_path):
    database = Database(tmp_path / "lns.db")
    database._connection.executescript("DROP TABLE counted; PRAGMA user_version = 1")
    database.close()
    database = Database(tmp_path / "lns.db")
    database.put_counted("yard", 5, 6)
    assert database.counted("yard") == (5, 6)
    assert database.counted("bed-3") is None


def test_the_devices_file_knows_both_payloads():
    assert site(payload="cayenne").cayenne == {"bed-2"}
    assert site(payload="hedge").cayenne == set()
    with pytest.raises(ConfigError, match=r"bed-2.*payload 'lpp'; expected hedge or cayenne"):
        site(payload="lpp")


class _Taken:
    """In place of Records."""

    cayenne = frozenset({"yard"})

    def __init__(self):
        self.data = []

    def wants(self, device, port):
        return device in self.cayenne

    async def take(self, device, port, data):
        self.data.append((device, port, data))


def test_a_chirpstack_event_that_comes_twice_is_taken_once():
    taken = _Taken()

    async def scenario():
        chirpstack = ChirpStack(BrokerAddress("localhost", 1), taken, {"00" * 8: "yard"})
        for id_, data in (("a", "A2cBEA=="), ("a", "A2cBEA=="), ("b", "A2cBEA==")):
            event = {"deduplicationId": id_, "fPort": 2, "data": data}
            topic = f"application/1/device/{'00' * 8}/event/up"
            chirpstack._event(topic, json.dumps(event).encode())
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert taken.data == [("yard", 2, _TEMPERATURE)] * 2
