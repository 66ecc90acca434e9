"""Start of the demo: from the command to the page that shows its three nodes."""

import json
import signal
import statistics
import subprocess
import tempfile
import time
import urllib.request

from sim_runs import HEDGEROW

_RUNS = 3
_LIMIT_S = 10.0
_WAIT_S = 60.0


def measure() -> list[dict]:
    """One row: the median of several starts; what a first start sets up is there."""
    value = round(statistics.median(_one_start() for _ in range(_RUNS)), 2)
    how = f"`hedgerow demo` to three nodes in its API, nothing to set up, median of {_RUNS}"
    return [{"name": "demo_start", "value": value, "unit": "s", "limit": _LIMIT_S, "how": how}]


def _one_start() -> float:
    with tempfile.TemporaryDirectory() as folder:
        begin_s = time.monotonic()
        command = [str(HEDGEROW), "demo", "--port", "0", "--dir", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
            try:
                assert demo.stdout is not None
                url = demo.stdout.readline().split()[-1]
                while _nodes(url) < 3:
                    assert time.monotonic() - begin_s < _WAIT_S, "the nodes do not come"
                    time.sleep(0.02)
                return time.monotonic() - begin_s
            finally:
                demo.send_signal(signal.SIGINT)


def _nodes(url: str) -> int:
    with urllib.request.urlopen(f"{url}/api/devices", timeout=_WAIT_S) as answer:
        return len(json.load(answer))
