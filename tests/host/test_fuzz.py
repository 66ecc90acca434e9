"""Some spoilt packets for every reader, under each Python; `python tests/fuzz.py` has 10^6."""

import asyncio
import logging
import random
import sys
from pathlib import Path

import pytest

from hedge.core import log
from hedge.net.modem import sim800, sim7080
from hedge.net.modem.at_lines import MAX_DATA_BYTES, AtLines

sys.path.insert(0, str(Path(__file__).parent.parent / "fuzzing"))

import attacks
import board_net
import mutate
import trial

_COUNT = 200
_ROWS = attacks.rows([], "cpython")
_BOARD_ROWS = attacks.rows([], "micropython")


@pytest.fixture
def quiet(monkeypatch):
    monkeypatch.setattr(log, "level", log.WARN + 1)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row.name)
def test_under_cpython(row, quiet):
    reader = __import__(row.module).READERS[row.name]()
    count = max(int(_COUNT * attacks.SHARES.get(row.name, 1)), 3)
    told = asyncio.run(trial.run(reader, count, 7, lambda number: None))
    assert not told["findings"], told["findings"][0]["trace"]


@pytest.mark.parametrize("row", _BOARD_ROWS, ids=lambda row: row.name)
def test_under_micropython(row, micropython):
    result = attacks.attack(row, _COUNT, 8)
    assert not result.findings, result.findings[0]
    assert not result.told["one_sided"], result.told["counts"]  # or nothing is tested


def test_a_crash_and_growth_are_findings():
    def broken(data):
        raise KeyError(data[:1])

    told = asyncio.run(trial.run(trial.Reader(broken, [b"abc"]), 50, 1, lambda number: None))
    assert told["crashes"] == 50
    row = attacks.Row("x", "y", "micropython")
    told["growth_bytes"] = 1 << 20
    texts = attacks.judged(attacks.Result(row, 5000, told))
    assert [text.split()[0] for text in texts] == ["crash"] * 3 + ["grew", "all"]


def test_a_reader_that_hangs_is_a_finding(tmp_path, monkeypatch):
    script = tmp_path / "hangs.py"
    script.write_text("import time\nprint(500, flush=True)\ntime.sleep(600)\n")
    monkeypatch.setattr(attacks, "SILENT_S", 5.0)  # also of a slow start
    monkeypatch.setattr(attacks, "_command", lambda *_: ([sys.executable, str(script)], {}))
    (text,) = attacks.attack(_ROWS[0], 1000, 1).findings
    assert text.startswith("no progress for 5 s after packet 500 of seed 1")


def test_a_modem_is_understood_after_any_garbage():
    """Within 1.5 KB: what the garbage announced, at most."""
    random.seed(3)
    for kind in (sim7080, sim800):
        for _ in range(300):
            parser = AtLines(*kind.COUNTED)
            parser.feed(mutate.mutated(board_net.MODEM_SAID))
            parser.feed(b"\r" * MAX_DATA_BYTES + b"\r\n")
            assert parser.feed(b"\r\n+CSQ: 18,99\r\n") == [("line", b"+CSQ: 18,99")]
