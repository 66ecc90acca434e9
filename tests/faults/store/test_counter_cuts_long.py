"""Power cut at every flash operation of many lives of counters: tests/upy/counter_cuts.py.

HEDGEROW_COUNTER_CUTS sets another number of workloads for each medium.
"""

import os

import pytest
from every_cut import count_cuts

_WORKLOADS = int(os.environ.get("HEDGEROW_COUNTER_CUTS", "20"))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("medium", ["files", "region"])
def test_every_cut(micropython, repo_dir, medium):
    seeds = [str(seed) for seed in range(_WORKLOADS)]
    cuts = count_cuts(micropython, repo_dir, "counter_cuts.py", medium, "1", *seeds)
    assert cuts > 100 * _WORKLOADS
