"""Mutated MQTT packets into parser and client: only LinkError, no hang, no growth."""

import json
import os
import random
import subprocess
from pathlib import Path

import pytest
from mutants import mutated

from hedge.core.errors import LinkError
from hedge.net import mqtt5_codec
from hedge.net import mqtt_codec as codec
from hedge.net.mqtt5 import Wire
from hedgerow import paths

_LIMIT = 128
_COUNT = 2000
_SOAK_COUNT = int(os.environ.get("HEDGEROW_FUZZ_COUNT", "1000000"))
_MESSAGE = {"message_expiry_s": 9, "user": [("unit", "mV")], "content_type": "x", "topic_alias": 1}
_SEEDS_5 = (
    b"\x20\x0c\x01\x00\x09\x21\x00\x05\x27\x00\x00\x10\x00\x24",
    b"\x20\x0f\x00\x00\x0c\x12\x00\x03abc\x13\x00\x3c\x22\x00\x05",
    b"\x20\x0a\x00\x87\x07\x1f\x00\x04no!!",
    bytes(Wire(_LIMIT).publish("a/b", b"!", 1, False, 7, _MESSAGE)),
    bytes(Wire(_LIMIT).publish("a/b", b"!", 2, False, 7, {"correlation_data": b"1234"})),
    bytes(Wire(_LIMIT).publish("", b"", 0, False, 0, {"topic_alias": 1})),
    bytes(Wire(_LIMIT).publish("hedge/bed-3/ack", bytes(300), 1, False, 513)),
    b"\x40\x02\x00\x09",
    b"\x50\x0b\x00\x09\x97\x07\x1f\x00\x04full",
    b"\x62\x03\x00\x0a\x92",
    b"\x70\x04\x00\x0a\x92\x00",
    b"\x90\x0a\x00\x0a\x05\x1f\x00\x02no\x01\x87",
    b"\xb0\x04\x00\x0b\x00\x11",
    b"\xd0\x00",
    b"\xe0\x09\x8e\x07\x1f\x00\x04bye!",
)
_SEEDS_4 = (
    b"\x20\x02\x01\x00",
    b"\x20\x02\x00\x05",
    b"\x32\x08\x00\x03a/b\x00\x07!",
    b"\x3b\x06\x00\x01c\x00\x08x",
    bytes(codec.publish("hedge/bed-3/ack", bytes(100), 1, False, 513)),
    bytes(codec.publish("hedge/bed-3/ack", bytes(300), 1, False, 513)),
    b"\x34\x07\x00\x01c\x00\x08xy",
    b"\x40\x02\x00\x09",
    b"\x50\x02\x00\x09",
    b"\x62\x02\x00\x08",
    b"\x70\x02\x00\x09",
    b"\x90\x04\x00\x0a\x01\x80",
    b"\xb0\x02\x00\x0b",
    b"\xd0\x00",
)


_SEEDS = {4: _SEEDS_4, 5: _SEEDS_5}


def _parser(version: int):
    if version == 4:
        return codec.Parser(_LIMIT)
    parser = mqtt5_codec.Parser(_LIMIT)
    parser.alias_max = 2
    return parser


def _mutated(dice: random.Random, version: int) -> bytes:
    """One to four packets, glued together, with a few bytes changed, cut, doubled or added."""
    whole = b"".join(dice.choices(_SEEDS[version], k=dice.randint(1, 4)))
    return mutated(dice, whole, dice.randint(0, 4), (0, 0x7F, 0x80, 0xFF))


def _run(version: int, data: bytes, sizes) -> tuple[list, bool]:
    """Packets decoded before the end or the error, and whether there was an error."""
    parser = _parser(version)
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


def _fuzz(version: int, count: int, seed: int) -> int:
    """How many of count mutated streams were refused."""
    dice = random.Random(seed)
    broken = 0
    for _ in range(count):
        data = _mutated(dice, version)
        whole = _run(version, data, _sizes(dice, 1 << 20))
        pieces = _run(version, data, _sizes(dice, 20))
        assert whole == pieces, data.hex()
        assert len(whole[0]) <= len(data) // 2
        broken += whole[1]
    return broken


@pytest.mark.parametrize("version", [4, 5])
def test_mutated_packets_raise_only_linkerror(version):
    """Cut in small pieces or fed at once, the outcome is the same."""
    assert _fuzz(version, _COUNT, seed=1) > _COUNT // 3


@pytest.mark.soak
@pytest.mark.parametrize("version", [4, 5])
def test_a_million_mutated_packets(version):
    assert _fuzz(version, _SOAK_COUNT, seed=2) > _SOAK_COUNT // 4


@pytest.mark.parametrize("version", [4, 5])
def test_noise(version):
    dice = random.Random(3)
    for _ in range(1000):
        _run(version, dice.randbytes(dice.randint(1, 400)), _sizes(dice, 50))


def _client_fuzz(micropython, version: int, count: int) -> dict:
    """What upy/mqtt_fuzz.py tells: a client in MicroPython that lives through count packets."""
    script = Path(__file__).parent.parent / "interop" / "upy" / "mqtt_fuzz.py"
    here = Path(__file__).parent.parent
    path = f"{paths.firmware_dir()}:{here}/unit:.frozen"
    command = [str(micropython), "-X", "heapsize=512k", str(script), str(version), str(count)]
    env = dict(os.environ, MICROPYPATH=path)
    # in the environment: an argument of over 255 letters kills the port
    env["SEEDS"] = b"".join(len(s).to_bytes(2, "big") + s for s in _SEEDS[version]).hex()
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]
    return json.loads(done.stdout.splitlines()[-1])


def _check_told(told: dict, count: int) -> None:
    assert told["packets"] >= count
    assert told["ended"] > told["sessions"] // 4  # most sessions end by what came
    assert told["messages"] > 0
    assert told["growth_bytes"] < 1000
    print(told)


@pytest.mark.parametrize("version", [4, 5])
def test_a_client_lives_through_mutated_packets(micropython, version):
    _check_told(_client_fuzz(micropython, version, _COUNT), _COUNT)


@pytest.mark.soak
@pytest.mark.parametrize("version", [4, 5])
def test_a_client_lives_through_a_million(micropython, version):
    _check_told(_client_fuzz(micropython, version, _SOAK_COUNT), _SOAK_COUNT)
