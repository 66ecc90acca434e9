"""Power cut at every flash operation of many workloads, in files and in raw flash, 100,000 in all.

See tests/upy/powercut.py.
"""

import os
import subprocess

import pytest

# (medium, workloads a run); each workload gives about 1,800 cuts of files, 650 of a region.
_RUNS = [("files", seed) for seed in range(0, 28, 2)] + [("region", s) for s in range(0, 100, 2)]


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("medium", "seed"), _RUNS)
def test_every_cut_of_two_workloads(micropython, repo_dir, medium, seed):
    tests = repo_dir / "tests"
    path = f"{tests}/upy:{tests}/unit:{repo_dir}/firmware:.frozen"
    command = [micropython, "-X", "heapsize=32m", tests / "upy" / "powercut.py"]
    done = subprocess.run(
        [*command, medium, "0", "1", str(seed), str(seed + 1)],
        env=dict(os.environ, MICROPYPATH=path),
        capture_output=True,
        text=True,
        timeout=3600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout.strip())
    assert int(done.stdout.split()[-1]) > 400
