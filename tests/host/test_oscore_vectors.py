"""All vectors of RFC 8613 Appendix C: keys, requests and responses, byte for byte, both ways.

The file is ../shared/vectors/oscore-rfc8613; the same runs under MicroPython (below).
"""

import json
import os
import subprocess
from pathlib import Path

import oscore_shim  # noqa: F401
import oscore_vectors
import pytest

from hedgerow import paths

_FILE = "vectors/oscore-rfc8613/rfc8613_appendix_c.json"


@pytest.fixture
def vectors(need_shared):
    return need_shared(_FILE)


@pytest.mark.parametrize("part", ["derivation", "requests", "responses"])
def test_appendix_c(vectors, part):
    table = json.loads(vectors.read_text())
    assert (
        oscore_vectors.check(table, part) == {"derivation": 4, "requests": 3, "responses": 2}[part]
    )


def test_appendix_c_under_micropython(vectors, micropython):
    script = Path(oscore_vectors.__file__)
    env = dict(os.environ, MICROPYPATH=f"{paths.firmware_dir()}:.frozen")
    command = [str(micropython), str(script), str(vectors)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["4", "3", "2"], done.stdout + done.stderr
