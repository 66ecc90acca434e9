"""The demo with both brokers: what it prints, that it ends, that nothing is lost or stays."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from sim_runs import HEDGEROW, hedgerow, last_json

pytestmark = pytest.mark.e2e

KEYS = [
    "devices",
    "records_created",
    "records_stored",
    "lost",
    "duplicates",
    "raw_bytes",
    "sent_bytes",
    "inferences",
    "actuations",
    "outages",
    "water_litres",
    "water_litres_timer",
    "dry_days",
    "dry_days_timer",
    "decision_ms_p50",
    "decision_ms_p99",
]


def check(result: dict) -> None:
    assert list(result)[: len(KEYS)] == KEYS
    assert (result["devices"], result["lost"], result["duplicates"]) == (3, 0, 0)
    assert result["records_stored"] == result["records_created"] > 500
    assert result["outages"] >= 1
    assert result["inferences"] > 0
    assert result["actuations"] > 0
    assert 0 < result["water_litres"] < result["water_litres_timer"]
    # A bed had no power for a day, in summer.
    assert result["dry_days"] <= result["dry_days_timer"] + 3
    assert 0 < result["decision_ms_p50"] <= result["decision_ms_p99"]


def test_demo_with_mosquitto(mosquitto: Path) -> None:
    out = hedgerow("demo", "--seconds", 22, "--port", 0, "--broker", "mosquitto")
    assert re.fullmatch(r"Hedgerow demo: http://127\.0\.0\.1:\d+", out.splitlines()[0])
    assert "power cut" in out
    check(last_json(out))


def test_demo_with_the_python_broker(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        arguments = ("--port", port, "--broker", "python", "--dir", tmp_path / "demo")
        out = hedgerow("demo", "--seconds", 22, *arguments)
    assert f"port {port} is taken" in out
    check(last_json(out))
    assert (tmp_path / "demo" / "gateway.db").exists()


def _until(condition, limit_s: float = 90.0) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


def _start_endless(folder: Path) -> tuple[subprocess.Popen, str]:
    """A demo without end, once its page answers with three nodes; (process, URL).

    Without the power cut: all three live until it ends.
    """
    command = [HEDGEROW, "demo", "--port", "0", "--no-outage", "--dir", folder]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert demo.stdout is not None
        url = demo.stdout.readline().split()[-1]
        _until(lambda: len(_devices(url)) == 3)
    except BaseException:
        demo.kill()
        raise
    return demo, url


def _devices(url: str) -> list:
    with urllib.request.urlopen(f"{url}/api/devices", timeout=60) as answer:
        return json.load(answer)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_demo_ends_with_all_its_children(tmp_path: Path, number: signal.Signals) -> None:
    demo, _ = _start_endless(tmp_path)
    children = psutil.Process(demo.pid).children(recursive=True)
    assert sum("micropython" in child.name() for child in children) == 3
    os.kill(demo.pid, number)
    code = demo.wait(timeout=90)
    assert code == (0 if number != signal.SIGKILL else -number)
    _until(lambda: not any(child.is_running() and _alive(child) for child in children))


def _alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
