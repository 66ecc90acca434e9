"""bench/loop_gap.py: what counts as a gap; its probe, which tells computing from blocking."""

import json
import os
import subprocess
import sys

import pytest

_PROBE = """
import asyncio, json, time
from gaps import Gaps, cpu_us

def compute(us):
    end_us = cpu_us() + us
    while cpu_us() < end_us:
        pass

async def main():
    gaps = Gaps()
    task = asyncio.create_task(gaps.run())
    found = {}
    for name, work in (("asleep", time.sleep_ms), ("computing", lambda ms: compute(ms * 1000))):
        await asyncio.sleep_ms(50)
        gaps.take()
        work(200)
        await asyncio.sleep_ms(50)
        found[name] = gaps.take()
    print(json.dumps(found))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def loop_gap(repo_dir):
    sys.path.insert(0, str(repo_dir / "tests" / "bench"))
    return pytest.importorskip("loop_gap")


def _gap(late=1.0, ours=1.0, computed=1.0):
    return {"late": late, "ours": ours, "computed": computed}


def test_a_call_that_blocks_each_time_counts_and_a_computer_that_stood_still_once_does_not(
    loop_gap,
):
    blocked = [_gap(), _gap(70, 60), _gap(90, 65), _gap(70, 61)]
    assert loop_gap._row("x", blocked)["value"] == 60
    stalled = [_gap(), _gap(400, 300), _gap(), _gap()]
    assert loop_gap._row("x", stalled)["value"] == 1


def test_computing_counts_once_and_at_the_start_too(loop_gap):
    assert loop_gap._row("x", [_gap(), _gap(), _gap(60, 55, 55), _gap()])["value"] == 55
    assert loop_gap._row("x", [_gap(60, 55, 55), _gap(), _gap(), _gap()])["value"] == 55


def test_the_probe_tells_a_call_that_blocks_from_computing(micropython, repo_dir):
    """Lower bounds alone: a busy machine only makes gaps longer."""
    folder = repo_dir / "tests" / "faults" / "net" / "upy"
    done = subprocess.run(
        [micropython, "-c", _PROBE],
        env=dict(os.environ, MICROPYPATH=f"{folder}:.frozen"),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found = json.loads(done.stdout)
    assert found["asleep"]["late"] >= 190
    assert found["asleep"]["ours"] >= 100
    assert found["asleep"]["computed"] < found["asleep"]["ours"]
    assert found["computing"]["computed"] >= 195
