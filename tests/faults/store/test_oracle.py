"""The reader written from SPEC.md alone and the store agree on every log, whole or cut."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import oracle
import pytest

_TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_TESTS / "unit"), str(_TESTS / "upy")]

import powercut  # noqa: E402

from hedge.core import log as hedge_log  # noqa: E402
from hedge.store import Store  # noqa: E402

_DEFAULT_SEEDS = [(0, 3), (1, 3), (2, 5)]  # workload, every n-th operation
_SOAK_SEEDS = [(seed, 1) for seed in range(100, 160)]


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setattr(hedge_log, "level", hedge_log.WARN + 1)


def _agree(log: oracle.Log, found: dict) -> None:
    waiting = {key: payload for key, payload in log.records.items() if not log.is_acked(key)}
    assert waiting == found["got"]
    known = max([log.boot, *(key[0] for key in log.records)])
    assert found["boot"] in (known + 1, known + 257)  # the latter if the claim was cut
    assert log.state.get(2, {}) == found["dropped"]


def _check_cuts(seed: int, step: int) -> int:
    medium = powercut.RegionMedium
    before, journal, history = powercut.record(medium, seed)
    count = 0
    for cut, _, flash in powercut.cuts(before, journal, step=step):
        blocks = flash.blocks[: medium.poor_blocks] if seed & 1 else flash.blocks
        log = oracle.read_region(b"".join(blocks), flash.block_bytes)
        found = powercut.check(medium, seed, flash, history, cut)
        _agree(log, found)
        kv = oracle.cbor(log.values["kv.kv"]) if "kv.kv" in log.values else {}
        assert kv == found["values"]
        count += 1
    return count


@pytest.mark.parametrize(("seed", "step"), _DEFAULT_SEEDS)
def test_region_after_cuts(seed, step):
    assert _check_cuts(seed, step) > 50


@pytest.mark.soak
@pytest.mark.parametrize(("seed", "step"), _SOAK_SEEDS)
def test_region_after_every_cut(seed, step):
    assert _check_cuts(seed, step) > 150


_EXPORT = """
import json, os, sys
import powercut
from hedge.core import log
log.level = log.WARN + 1
target, seed, step = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
medium = powercut.FilesMedium
before, journal, history = powercut.record(medium, seed)
for cut, tear, flash in powercut.cuts(before, journal, step=step):
    medium.start(flash, seed & 1)
    folder = "%s/%d-%d" % (target, cut, tear)
    os.mkdir(folder)
    for name in os.listdir(powercut.MOUNT + "/log") if "log" in os.listdir(powercut.MOUNT) else ():
        with open(powercut.MOUNT + "/log/" + name, "rb") as source:
            with open(folder + "/" + name, "wb") as sink:
                sink.write(source.read())
    medium.stop()
    found = powercut.check(medium, seed, flash, history, cut)
    found["got"] = [list(key) + [payload.hex()] for key, payload in found["got"].items()]
    found["dropped"] = list(found["dropped"].items())
    found["values"] = None
    print(json.dumps([folder, found]))
"""


@pytest.mark.parametrize("seed", [0, 1])
def test_files_after_cuts(micropython, repo_dir, tmp_path, seed):
    script = tmp_path / "export.py"
    script.write_text(_EXPORT)
    folders = [repo_dir / "tests" / "upy", repo_dir / "tests" / "unit", repo_dir / "firmware"]
    path = ":".join([*map(str, folders), ".frozen"])
    done = subprocess.run(
        [micropython, "-X", "heapsize=32m", script, tmp_path, str(seed), "23"],
        env=dict(os.environ, MICROPYPATH=path),
        capture_output=True,
        text=True,
        timeout=270,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) > 20
    for line in lines:
        folder, found = json.loads(line)
        got = {tuple(row[:3]): bytes.fromhex(row[3]) for row in found["got"]}
        _agree(
            oracle.read_folder(Path(folder)),
            {"got": got, "boot": found["boot"], "dropped": dict(found["dropped"])},
        )


def test_damage_is_read_over_alike():
    """Flipped bytes anywhere in the segments: both find the same records."""
    random.seed(5)
    flash = powercut.RegionMedium.blank()
    flash.journal = []
    powercut.Workload(powercut.RegionMedium, 2).run(flash, powercut.History(), 120)
    for trial in range(150):
        hurt = flash.copy()
        for _ in range(trial % 5 + 1):
            block, at = random.randrange(24), random.randrange(40, 512)
            data = bytearray(hurt.blocks[block])
            if _is_journal(data):
                continue  # its damage brings back older marks: what is waiting then differs
            data[at] ^= 1 << random.randrange(8)
            hurt.blocks[block] = bytes(data)
        log = oracle.read_region(b"".join(hurt.blocks), 512)
        store, _ = powercut.RegionMedium.start(hurt, 0)
        store.open()
        store.forget_acks()
        assert powercut.look(store, _)["got"] == log.records


def _is_journal(sector: bytes) -> bool:
    return sector[5] == 15


def test_segments_over_starts_and_streams(tmp_path):
    for start in range(30):
        store = Store(str(tmp_path), 65536, 1024)
        store.open()
        for i in range(start % 4 + 1):
            store.append(i % 3, b"%d of %d" % (i, start))
    log = oracle.read_folder(tmp_path)
    assert len(log.records) == sum(start % 4 + 1 for start in range(30))
    assert log.records[8, 2, 1] == b"2 of 7"
