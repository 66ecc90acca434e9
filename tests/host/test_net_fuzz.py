"""Mutated DNS answers, SNTP answers, set-up requests and forms: named errors, bounded results."""

import os
import random
import struct

import pytest
from mutants import mutated

from hedge.core.errors import FrameError, LinkError
from hedge.net import dns_message, setup_dns, setup_http, sntp_packet

_COUNT = 2000
_SOAK_COUNT = int(os.environ.get("HEDGEROW_FUZZ_COUNT", "1000000"))
_NAME = "gateway.farm"
_QUESTION = dns_message.query(7, _NAME)
_RECORD = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04\xc0\xa8\x01\x02"
_CNAME = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x1e\x00\x08\x05other\xc0\x14"
_COOKIE = bytes(range(8))


def _answer(flags: int, count: int, records: bytes) -> bytes:
    return struct.pack(">HHHHHH", 7, flags, 1, count, 0, 0) + _QUESTION[12:] + records


def _dns(data: bytes) -> None:
    address, ttl_s = dns_message.answer(data, 7, _NAME)
    assert address.count(".") == 3
    assert 0 <= ttl_s < 1 << 30


def _sntp(data: bytes) -> None:
    received, sent = sntp_packet.reply(data, _COOKIE)
    assert 0 <= sent - received < 1 << 43


def _own_dns(data: bytes) -> None:
    answer = setup_dns.reply(data, b"\x0a\x00\x00\x01")
    if answer is None:
        raise FrameError("no question")
    assert len(answer) <= len(data) + 16
    assert answer[:2] == data[:2]


def _head(data: bytes) -> None:
    _, _, length = setup_http.head(data)
    assert 0 <= length <= setup_http.MAX_BODY_BYTES


def _form(data: bytes) -> None:
    found = setup_http.form(data)
    assert len(found) <= setup_http.MAX_FIELDS
    assert not set("<>\"'") & set(setup_http.escape("".join(found.values())))


_STAMP = struct.pack(">II", 3998988800, 1 << 31)
_PARSERS = {
    "dns": (_dns, (_answer(0x8180, 1, _RECORD), _answer(0x8180, 2, _CNAME + _RECORD),
                   _answer(0x8183, 0, b""))),
    "sntp": (_sntp, (b"\x24\x02\x06\xec" + bytes(20) + _COOKIE + _STAMP * 2,
                     b"\x24\x00\x06\xec" + bytes(8) + b"RATE" + bytes(8) + _COOKIE + _STAMP * 2)),
    "own dns": (_own_dns, (_QUESTION, _QUESTION[:-4] + b"\x00\x1c\x00\x01")),
    "head": (_head, (b"GET / HTTP/1.1\r\nHost: 192.168.4.1\r\nUser-Agent: phone",
                     b"POST /save HTTP/1.1\r\nContent-Length: 44\r\nHost: a")),
    "form": (_form, (b"ssid=farm&key=secret+password&name=bed-3&host=gateway.farm",
                     b"ssid=Hof+%26+Garten%2b%C3%A4&key=")),
}  # fmt: skip


def _fuzz(kind: str, count: int, seed: int) -> int:
    """How many of count were refused."""
    parser, seeds = _PARSERS[kind]
    dice = random.Random(seed)
    refused = 0
    for _ in range(count):
        data = mutated(dice, dice.choice(seeds), dice.randint(1, 4), (0, 0x3F, 0xC0, 0xFF))
        try:
            parser(data)
        except (FrameError, LinkError):
            refused += 1
    return refused


@pytest.mark.parametrize("kind", _PARSERS)
def test_mutated(kind):
    assert 0 < _fuzz(kind, _COUNT, seed=1) < _COUNT


@pytest.mark.soak
@pytest.mark.parametrize("kind", _PARSERS)
def test_a_million_mutated(kind):
    assert 0 < _fuzz(kind, _SOAK_COUNT, seed=2) < _SOAK_COUNT


@pytest.mark.parametrize("kind", _PARSERS)
def test_noise(kind):
    dice = random.Random(3)
    parser, _ = _PARSERS[kind]
    for _ in range(1000):
        try:
            parser(dice.randbytes(dice.randint(0, 600)))
        except (FrameError, LinkError):
            continue
