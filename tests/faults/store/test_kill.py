"""kill -9 of a MicroPython process that appends and acknowledges; CPython audits what is left."""

import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from hedge.store import audit

_WRITER = Path(__file__).with_name("writer.py")


def _payload(boot: int, stream: int, seq: int) -> bytes:
    return b"%d/%d/%d" % (boot, stream, seq) + bytes(seq * 7 % 40)


class _Told:
    """What the writers said before they died."""

    def __init__(self) -> None:
        self.appended: set[tuple[int, int, int]] = set()
        self.acked: dict[tuple[int, int], int] = {}

    def read(self, text: str) -> None:
        """Take over one writer's output; a line cut short by the kill was never printed."""
        for line in text.split("\n")[:-1]:
            kind, boot, stream, seq = line.split()
            if kind == "a":
                self.appended.add((int(boot), int(stream), int(seq)))
            else:
                mark = (int(boot), int(stream))
                self.acked[mark] = max(self.acked.get(mark, 0), int(seq))


def _run_and_kill(micropython: Path, repo: Path, folder: Path, mode: str, seed: int) -> str:
    env = dict(os.environ, MICROPYPATH=f"{repo}/firmware:.frozen")
    command = [str(micropython), str(_WRITER), str(folder), mode, str(seed)]
    output = folder.with_suffix(".out")
    with output.open("wb") as sink:
        process = subprocess.Popen(command, env=env, stdout=sink, stderr=subprocess.PIPE)
        _wait_for_output(output, process)
        time.sleep(random.Random(seed).uniform(0.0, 0.2))
        process.kill()
        _, trouble = process.communicate(timeout=120)
    assert not trouble, trouble.decode()
    return output.read_text()


def _wait_for_output(path: Path, process: subprocess.Popen) -> None:
    """Until the first record is told, whole; a busy machine takes seconds to start the writer."""
    end = time.monotonic() + 120
    while b"\n" not in path.read_bytes() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)


def _check(folder: Path, mode: str, told: _Told) -> None:
    seen = audit(str(folder))
    got: dict[tuple[int, int, int], bytes] = {}
    for boot, stream, seq, payload in seen:
        assert (boot, stream, seq) not in got, "one number for two records"
        assert payload == _payload(boot, stream, seq)
        got[boot, stream, seq] = payload
    missing = {key for key in told.appended if key not in got}
    if mode != "keep":
        missing = {key for key in missing if key[2] > told.acked.get(key[:2], 0)}
    if mode == "drop":
        for stream in range(3):
            lost = sum(key[1] == stream for key in missing)
            assert lost <= seen.dropped.get(stream, 0)
    else:
        assert not missing and not seen.dropped
    assert seen.damaged == 0


def _kill_many(micropython: Path, repo: Path, folder: Path, mode: str, kills: int) -> None:
    told = _Told()
    for seed in range(kills):
        before = len(told.appended)
        told.read(_run_and_kill(micropython, repo, folder, mode, seed))
        assert len(told.appended) > before or seed, "the writer did not even start"
        if kills < 20 or seed % 10 == 9:  # an audit reads all that was ever appended
            _check(folder, mode, told)
    print(f"{mode}: {kills} kills, {len(told.appended)} records appended, none lost")


@pytest.mark.parametrize("mode", ["keep", "forget", "drop"])
def test_killed_at_random_moments(micropython, repo_dir, tmp_path, mode):
    _kill_many(micropython, repo_dir, tmp_path / "log", mode, 8)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", ["keep", "forget", "drop"])
def test_killed_at_many_random_moments(micropython, repo_dir, tmp_path, mode):
    _kill_many(micropython, repo_dir, tmp_path / "log", mode, 200)
