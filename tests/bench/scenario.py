"""A MicroPython program of upy/, told by $SCENARIO what to do, as a measurement."""

import json
import os
import subprocess
from pathlib import Path


def run_scenario(program: Path, script: Path, scenario: dict, path: str) -> dict:
    """The JSON of the last line that it prints. path: MICROPYPATH. RuntimeError if it failed."""
    env = dict(os.environ, MICROPYPATH=path, SCENARIO=json.dumps(scenario))
    command = [str(program), "-X", "heapsize=1m", str(script)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"{scenario['client']}: {done.stdout[-300:]}{done.stderr[-300:]}")
    return json.loads(done.stdout.splitlines()[-1])
