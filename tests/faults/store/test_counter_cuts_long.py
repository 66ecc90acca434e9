"""Power cut at every flash operation of many lives of counters: tests/upy/counter_cuts.py.

HEDGEROW_COUNTER_CUTS sets another number of workloads for each medium.
"""

import os
import subprocess

import pytest

_WORKLOADS = int(os.environ.get("HEDGEROW_COUNTER_CUTS", "20"))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("medium", ["files", "region"])
def test_every_cut(micropython, repo_dir, medium):
    tests = repo_dir / "tests"
    path = f"{tests}/upy:{tests}/unit:{repo_dir}/firmware:.frozen"
    script = tests / "upy" / "counter_cuts.py"
    seeds = [str(seed) for seed in range(_WORKLOADS)]
    done = subprocess.run(
        [micropython, "-X", "heapsize=32m", script, medium, "1", *seeds],
        env=dict(os.environ, MICROPYPATH=path),
        capture_output=True,
        text=True,
        timeout=3600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout.strip())
    assert int(done.stdout.split()[-1]) > 100 * _WORKLOADS
