"""`hedgerow` as a process: what its end looks like when the world around it fails."""

import subprocess
import sys
from pathlib import Path

import pytest

_FULL = Path("/dev/full")


@pytest.mark.skipif(not _FULL.exists(), reason="no /dev/full: Linux has it")
def test_output_onto_a_full_disk_is_one_line():
    program = "from hedgerow.cli.main import main; main()"
    with _FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program, "boards"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "hedgerow: [Errno 28] No space left on device: free some, then try again"
    ]
