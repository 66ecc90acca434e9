"""Mutated LoRaWAN bytes against every reader; runs under both Pythons.

    run(10000, seed)    ->  {reader: [taken, refused]}; anything but FrameError passes through

What is mutated are messages that fit, so that mutants get past the first checks.
"""

import random

try:  # noqa: SIM105  MicroPython has no contextlib
    import hedgerow.lns  # noqa: F401  brings AES to CPython
except ImportError:
    pass  # MicroPython has it built in, and no host tools on its path

from hedge.core.errors import FrameError
from hedge.net.lorawan import bulk, maccmd, parts, payload, phy, skeleton
from hedge.wire import ack, senml

NWK, APP, KEY = b"n" * 16, b"a" * 16, b"k" * 16
_T = 1760000000


def _corpus():
    """(name, reader, seeds)."""
    records = [senml.encode(_T + i, [("soil.vwc", "%", 20 + i / 8)]) for i in range(6)]
    events = [senml.encode(0, [("pump", None, True), ("rule", None, "dry")])]
    known = {skeleton.digest(s): s for s in [skeleton.split(records[0])[0]]}
    entry = payload.Entry(7, 1, 300, 290, records + events)
    texts = [payload.compose(entry, room, known)[0] for room in (20, 51, 222)]
    texts.append(payload.compose(entry, 222, (), "bed-3", KEY)[0])
    full = ack.pack(0xDEADBEEF, _T, [(7, 1, 300), (7, 0, 2)])
    data = [
        phy.pack_data(phy.Data(kind, 1, 0x80, n, b"\x02\x0d", 1, bytes(size)), NWK, APP)
        for n, (kind, size) in enumerate(((2, 0), (3, 20), (4, 60), (5, 200)))
    ]
    accept = phy.JoinAccept(1, 2, 3, 0x10, 1, bytes(16))
    joins = [phy.pack_join_accept(accept, KEY)]
    commands = [b"\x03\x50\x07\x00\x01\x05\x23\x28\x76\x84\x07\x03\x18\x4f\x84\x50\x06\x0d"]
    setup = bulk.setup_req(0, 10, 20, 0, 1234)
    fragment = bulk.data_fragment(0, 3, bytes(20))
    return (
        ("data", lambda d: phy.unpack_data(d), data),
        ("request", phy.unpack_join_request, [phy.pack_join_request(bytes(8), bytes(8), 5, KEY)]),
        ("accept", lambda d: phy.unpack_join_accept(d, KEY), joins),
        ("commands", lambda d: (maccmd.split(d, 0), maccmd.split(d, 1)), commands),
        ("payload", lambda d: payload.expand(d, "bed-3", known), texts),
        ("skeleton", skeleton.split, records + events),
        ("ack", payload.unpack_ack, [payload.pack_ack(full), payload.pack_ack(full, True)]),
        ("parts", _Parts().take, parts.cut(bytes(range(100)), 20)),
        ("bulk", _Bulk().take, [setup, fragment, bulk.status_req(0), b"\x00", b"\x03\x00"]),
        ("answers", bulk.split_answers, [b"\x02\x00\x01\x05\x00\x00\x00\x00\x03\x01"]),
    )


class _Parts:
    """Keeps its state over mutants, as a server's does: it must stay bounded."""

    def __init__(self):
        self._together = parts.Assembler()

    def take(self, data):
        self._together.add(data)
        assert len(self._together._open) <= 4


class _Bulk:
    def __init__(self):
        self.receiver = bulk.Receiver("fuzz.bin", lambda *told: None, lambda *told: None, 4096, 4)
        self.receiver._open = self._open

    def _open(self, setup, count, size):
        from hedge.net.lorawan.frag import Decoder

        self.receiver._setup = setup
        self.receiver._file = _NoFile()
        read = lambda place: bytes(size)  # noqa: E731
        self.receiver._decoder = Decoder(count, size, lambda *told: None, read, 4)

    def take(self, data):
        self.receiver.take(201, data)


class _NoFile:
    def flush(self):
        pass

    def seek(self, place):
        pass

    def read(self, size):
        return bytes(size)

    def close(self):
        pass


def mutate(data):
    """One to three changes: flipped bits, cuts, repeats, random or telling bytes."""
    out = bytearray(data)
    for _ in range(1 + random.getrandbits(2) % 3):
        at = random.getrandbits(16) % (len(out) + 1)
        how = random.getrandbits(3)
        if how < 3 and out:
            out[at % len(out)] ^= 1 << random.getrandbits(3)
        elif how == 3 and out:
            out[at % len(out)] = (0, 0xFF, 0x7F, 0x80)[random.getrandbits(2)]
        elif how == 4:
            out = out[:at]
        elif how == 5:
            out = out[:at] + bytes([random.getrandbits(8)]) + out[at:]
        elif how == 6:
            out = out[:at] + out[at : at + 4] + out[at:]
        else:
            out = bytearray([random.getrandbits(8) for _ in range(random.getrandbits(5))])
    return bytes(out)


def run(mutants, seed):
    """Each reader gets its share of `mutants`."""
    random.seed(seed)
    counts = {}
    corpus = _corpus()
    for name, reader, seeds in corpus:
        taken = refused = 0
        for i in range(mutants // len(corpus)):
            try:
                reader(mutate(seeds[i % len(seeds)]))
                taken += 1
            except FrameError:
                refused += 1
        counts[name] = [taken, refused]
    return counts


if __name__ == "__main__":
    import gc
    import json
    import sys

    run(1000, 1)
    gc.collect()
    before = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
    found = run(int(sys.argv[1]), int(sys.argv[2]))
    gc.collect()
    grown = (gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0) - before
    print(json.dumps({"counts": found, "grown": grown}))
