"""Power cuts at random events of QoS 2 exchanges, in numbers; few are in tests/unit."""

import os
import subprocess
from pathlib import Path

import pytest

from hedgerow import paths

_TESTS = Path(__file__).resolve().parents[2]
_COUNT = int(os.environ.get("HEDGEROW_MQTT_CUTS", "20000"))


@pytest.mark.soak
def test_every_message_exactly_once(micropython, tmp_path):
    folders = (_TESTS / "shim" / "upy", _TESTS / "unit", paths.firmware_dir())
    env = dict(os.environ, MICROPYPATH=":".join([*map(str, folders), ".frozen"]))
    env["TMPDIR"] = str(tmp_path)
    script = Path(__file__).with_name("power_cuts.py")
    command = [str(micropython), "-X", "heapsize=2m", str(script), str(_COUNT), "7"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]
    print(done.stdout.splitlines()[-1])
