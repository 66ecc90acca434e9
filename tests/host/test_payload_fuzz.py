"""Mutated payloads against every reader of one: a value or its error, no hang, no growth.

2,000 mutants each in the default run; `pytest -m soak` has 10^6 ($HEDGEROW_FUZZ sets another).
"""

import json
import os
import random
import sys
from pathlib import Path

import psutil
import pytest

from hedge.core.errors import FrameError
from hedge.wire import cbor, senml, senml_json
from hedgerow.gateway import cayenne
from hedgerow.gateway.mirror import sparkplug_payload
from hedgerow.gateway.mirror.home_assistant import HomeAssistant
from hedgerow.gateway.mirror.snapshot import Device, Value

sys.path.insert(0, str(Path(__file__).parent.parent / "unit"))

import wire_mutants

_SOAK = int(os.environ.get("HEDGEROW_FUZZ", "1000000"))
_SIGNS = b'[]{}",:.\\-+eE0123456789truefalsn_ \xc3'
_GROWTH_BYTES = 4 << 20
_ENTRIES = [("soil.vwc", "%", 23.4), ("ok", None, True), ("raw", None, b"\x00\xff")]
_RECORD = senml.encode(1760000000, _ENTRIES)


def _text_mutant(data):
    """Signs of JSON put in, taken away or exchanged."""
    out = bytearray(data)
    for _ in range(random.randrange(1, 5)):
        at = random.randrange(len(out) + 1)
        put = bytes(random.choices(_SIGNS, k=random.randrange(3)))
        out[at : at + random.randrange(3)] = put * (1 + 50 * (random.random() < 0.02))
    return bytes(out)


def _discovery():
    device = Device("bed-1", "Bed", True, "1", "x", (Value("a", "%", "number", 1, 0.0),))
    return HomeAssistant("gateway-1").update([device])[0].payload


def _read_discovery(data):
    ours = HomeAssistant("gateway-1")
    ours.received("homeassistant/device/hedgerow_bed-1/config", data)
    messages = ours.update([])
    assert all(not m.payload and not set("#+") & set(m.topic) for m in messages)
    if not messages:
        raise ValueError("not ours")


def _command():
    metric = sparkplug_payload.Metric("Node Control/Rebirth", 11, True, 5, "x")
    return sparkplug_payload.encode(5, [metric, metric], 7)


# name -> (reader, what it may raise, mutation, well-formed bytes)
_READERS = {
    "cbor": (
        cbor.decode,
        FrameError,
        wire_mutants.mutate,
        (cbor.encode({"a": [1, -2, 2.5, None, b"x", cbor.Tag(1, 5)], 2: 1 << 70}), _RECORD),
    ),
    "senml": (senml.decode, FrameError, wire_mutants.mutate, (_RECORD,)),
    "senml_json": (
        senml_json.decode,
        FrameError,
        _text_mutant,
        (
            senml_json.encode(5, _ENTRIES).encode(),
            b'[{"bn":"a","bver":10,"n":"b","s":1e3,"l":[]}]',
        ),
    ),
    "cayenne": (
        cayenne.decode,
        FrameError,
        wire_mutants.mutate,
        (
            bytes.fromhex("03670110056700ff"),
            bytes.fromhex("018806765ff2960a0003e8067104d2fb2e0000"),
        ),
    ),
    "sparkplug": (sparkplug_payload.true_metrics, ValueError, wire_mutants.mutate, (_command(),)),
    "home assistant": (_read_discovery, ValueError, _text_mutant, (_discovery(),)),
}


def _run(name, count, seed):
    """(accepted, refused)"""
    reader, fault, mutant_of, seeds = _READERS[name]
    random.seed(seed)
    accepted = 0
    for data in seeds:
        reader(data)
    for n in range(count):
        try:
            reader(mutant_of(seeds[n % len(seeds)]))
            accepted += 1
        except fault:
            continue
    return accepted, count - accepted


@pytest.mark.parametrize("name", _READERS)
def test_mutants_are_read_or_refused(name):
    accepted, refused = _run(name, 2000, 1)
    assert min(accepted, refused) > 20, (accepted, refused)  # else nothing is tested


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", _READERS)
def test_a_million_mutants_do_not_grow(name):
    _run(name, _SOAK // 10, 2)
    process = psutil.Process()
    before = process.memory_info().rss
    _run(name, _SOAK, 3)
    assert process.memory_info().rss - before < _GROWTH_BYTES


def test_a_message_of_many_brackets_is_refused():
    for text in ("[" * 16000, '[{"n":' * 2000, json.dumps([{"n": "a", "v": 1}] * 700)):
        with pytest.raises(FrameError):
            senml_json.decode(text)
