"""Power cut at every flash operation of many workloads, in files and in raw flash, 100,000 in all.

See tests/upy/powercut.py.
"""

import pytest
from every_cut import count_cuts

# (medium, workloads a run); each workload gives about 1,800 cuts of files, 650 of a region.
_RUNS = [("files", seed) for seed in range(0, 28, 2)] + [("region", s) for s in range(0, 100, 2)]


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("medium", "seed"), _RUNS)
def test_every_cut_of_two_workloads(micropython, repo_dir, medium, seed):
    seeds = str(seed), str(seed + 1)
    assert count_cuts(micropython, repo_dir, "powercut.py", medium, "0", "1", *seeds) > 400
