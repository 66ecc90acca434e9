"""Mutated MQTT packets into the parser: only LinkError, no hang, no growth."""

import random

import pytest

from hedge.core.errors import LinkError
from hedge.net import mqtt_codec as codec

_LIMIT = 128
_SEEDS = (
    b"\x20\x02\x01\x00",
    b"\x20\x02\x00\x05",
    b"\x32\x08\x00\x03a/b\x00\x07!",
    b"\x3b\x06\x00\x01c\x00\x08x",
    bytes(codec.publish("hedge/bed-3/ack", bytes(100), 1, False, 513)),
    bytes(codec.publish("hedge/bed-3/ack", bytes(300), 1, False, 513)),
    b"\x40\x02\x00\x09",
    b"\x90\x04\x00\x0a\x01\x80",
    b"\xb0\x02\x00\x0b",
    b"\xd0\x00",
)


def _mutated(dice: random.Random) -> bytes:
    """One to four packets, glued together, with a few bytes changed, cut, doubled or added."""
    data = bytearray(b"".join(dice.choices(_SEEDS, k=dice.randint(1, 4))))
    for _ in range(dice.randint(0, 4)):
        at = dice.randrange(len(data) + 1)
        kind = dice.randrange(4)
        if kind == 0 and at < len(data):
            data[at] = dice.choice((0, 0x7F, 0x80, 0xFF, dice.randrange(256)))
        elif kind == 1:
            del data[at : at + dice.randint(1, 8)]
        elif kind == 2:
            data[at:at] = data[at : at + dice.randint(1, 8)]
        else:
            data[at:at] = dice.randbytes(dice.randint(1, 4))
    return bytes(data)


def _run(data: bytes, sizes) -> tuple[list, bool]:
    """Packets decoded before the end or the error, and whether there was an error."""
    parser = codec.Parser(_LIMIT)
    found: list = []
    try:
        while data:
            space = parser.space()
            assert 0 < len(space) <= _LIMIT
            n = min(len(space), len(data), next(sizes))
            space[:n] = data[:n]
            data = data[n:]
            parser.feed(n)
            while (packet := parser.next()) is not None:
                found.append(packet)
            assert 1 <= parser.wanted() <= _LIMIT
    except LinkError:
        return found, True
    return found, False


def _sizes(dice: random.Random, largest: int):
    while True:
        yield dice.randint(1, largest)


def _fuzz(count: int, seed: int) -> int:
    dice = random.Random(seed)
    broken = 0
    for _ in range(count):
        data = _mutated(dice)
        whole = _run(data, _sizes(dice, 1 << 20))
        pieces = _run(data, _sizes(dice, 20))
        assert whole == pieces, data.hex()
        assert len(whole[0]) <= len(data) // 2
        broken += whole[1]
    return broken


def test_mutated_packets_raise_only_linkerror():
    """Cut in small pieces or fed at once, the outcome is the same."""
    assert _fuzz(15000, seed=1) > 5000


@pytest.mark.soak
def test_a_million_mutated_packets():
    assert _fuzz(1_000_000, seed=2) > 300_000


def test_noise():
    dice = random.Random(3)
    for _ in range(5000):
        _run(dice.randbytes(dice.randint(1, 400)), _sizes(dice, 50))
