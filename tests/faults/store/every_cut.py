"""A program of tests/upy that cuts its own power at each flash operation, and counts the cuts."""

import os
import subprocess
from pathlib import Path


def count_cuts(micropython: Path, repo_dir: Path, script: str, *arguments: str) -> int:
    """Cuts that it checked; AssertionError with all it said if one went wrong."""
    tests = repo_dir / "tests"
    path = f"{tests}/upy:{tests}/unit:{repo_dir}/firmware:.frozen"
    done = subprocess.run(
        [micropython, "-X", "heapsize=32m", tests / "upy" / script, *arguments],
        env=dict(os.environ, MICROPYPATH=path),
        capture_output=True,
        text=True,
        timeout=3600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout.strip())
    return int(done.stdout.split()[-1])
