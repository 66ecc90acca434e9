"""Mutated answers of modems into the AT parser and engine: no crash, no hang, no growth."""

import os
import random

import pytest

from hedge.net.modem import sim800, sim7080
from hedge.net.modem.at import At
from hedge.net.modem.at_lines import MAX_DATA_BYTES, MAX_LINE_BYTES, AtLines
from hedge.net.modem.modem import _first_number

_ANSWERS = (
    b"AT+CSQ\r\r\n+CSQ: 18,99\r\n\r\nOK\r\n",
    b"\r\n+CPIN: READY\r\n\r\nOK\r\n\r\n+CEREG: 0,5\r\n\r\nOK\r\n",
    b'\r\n+CNACT: 0,1,"10.0.0.2"\r\n+CNACT: 1,0,"0.0.0.0"\r\n\r\nOK\r\n+APP PDP: 0,ACTIVE\r\n',
    b"\r\n+CAOPEN: 0,0\r\n\r\nOK\r\n\r\n> \r\nOK\r\n\r\n+CADATAIND: 0\r\n\r\n+CASTATE: 0,0\r\n",
    b"\r\n+CARECV: 20,\x00\xff\r\nOK\r\n> 12345678901\r\n\r\nOK\r\n\r\n+CARECV: 0\r\n\r\nOK\r\n",
    b"\r\nOK\r\n\r\nCONNECT OK\r\n\r\n> \r\nSEND OK\r\n\r\n+CIPRXGET: 1\r\n\r\nCLOSED\r\n",
    b"\r\n+CIPRXGET: 2,9,0\r\n\x10\x00\r\nhello\r\n\r\nOK\r\n\r\nCLOSE OK\r\n\r\nSHUT OK\r\n",
    b"\r\n+CME ERROR: SIM not inserted\r\n\r\nNO CARRIER\r\n\r\nERROR\r\nSTATE: TCP CLOSED\r\n",
)
_PREFIXES = (b"+CSQ:", b"+CPIN:", b"+CNACT:", b"+CARECV:", b"+CIPRXGET: 2,", b"")


def _mutated(rng):
    """Some answers in a row, with bytes changed, cut, doubled and thrown in."""
    data = bytearray(b"".join(rng.choice(_ANSWERS) for _ in range(rng.randint(1, 3))))
    for _ in range(rng.randint(0, 8)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(5)
        if kind == 0:
            data[at:at] = bytes([rng.randrange(256)])
        elif kind == 1:
            del data[at : at + rng.randint(1, 9)]
        elif kind == 2:
            data[at:at] = data[at : at + rng.randint(1, 30)]
        elif kind == 3:
            data[at : at + 1] = bytes([rng.randrange(256)])
        else:
            data[at:at] = rng.choice((b">", b"\r\n", b"99999", b",", b"-", b"\x00" * 300))
    return bytes(data)


def _fuzz(count, seed=1):
    rng = random.Random(seed)
    urcs = []
    for kind in (sim7080, sim800):
        at = At(None, AtLines(*kind.COUNTED), urcs.append, urcs.append)
        for _ in range(count // 2):
            _one(rng, kind, at)
            del urcs[:]


def _one(rng, kind, at):
    lines = at._lines
    if rng.random() < 0.1:
        lines.reset()
    lines.wants_prompt = rng.random() < 0.3
    at._prefix, at._answer, at._sent = rng.choice(_PREFIXES), [], b"AT+CSQ"
    data, begin = _mutated(rng), 0
    while begin < len(data):
        step = rng.randint(1, 64)
        for what, value in lines.feed(data[begin : begin + step]):
            assert what in ("line", "prompt", "data")
            assert len(value) <= (MAX_DATA_BYTES if what == "data" else MAX_LINE_BYTES + 64)
            at._take(what, value)
            kind.meaning(value)
        assert len(lines._held) <= max(MAX_LINE_BYTES, lines._missing) + 64
        begin += step
    assert len(at._answer) <= 8
    _first_number(at._answer, 99)


def test_mutated_answers():
    _fuzz(2000)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_many_mutated_answers():
    """10^6, or $HEDGEROW_AT_FUZZ."""
    _fuzz(int(os.environ.get("HEDGEROW_AT_FUZZ", "1000000")), seed=2)


def test_after_any_garbage_a_good_answer_is_found():
    """Within 1.5 KB: what the garbage announced, at most."""
    rng = random.Random(3)
    for kind in (sim7080, sim800):
        for _ in range(300):
            parser = AtLines(*kind.COUNTED)
            parser.feed(_mutated(rng))
            parser.feed(b"\r" * MAX_DATA_BYTES + b"\r\n")
            assert parser.feed(b"\r\n+CSQ: 18,99\r\n") == [("line", b"+CSQ: 18,99")]


def test_errors_of_a_modem_are_shown_printable():
    from hedge.net.modem.at import _shown

    assert _shown(b'AT+CPIN="1234"') == "AT+CPIN"
    assert _shown(b"+CME \x00\xff") == "+CME ??"
