"""Power cut at every flash operation of many workloads on littlefs; see tests/upy/powercut.py."""

import os
import subprocess

import pytest


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(0, 100, 4))
def test_every_cut_of_four_workloads(micropython, repo_dir, seed):
    folder = repo_dir / "tests" / "upy"
    env = dict(os.environ, MICROPYPATH=f"{folder}:{repo_dir}/firmware:.frozen")
    seeds = [str(seed + i) for i in range(4)]
    done = subprocess.run(
        [str(micropython), str(folder / "powercut.py"), *seeds],
        env=env,
        capture_output=True,
        text=True,
        timeout=3600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout.strip())
    assert int(done.stdout.split()[-1]) > 1000
