"""Brokers of other families, and the client's shim as a process: for test_mqtt_brokers.py."""

import json
import os
import queue
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from peers import BrokerProcess
from ports import free_port

from hedgerow import paths
from hedgerow.errors import ToolchainError
from hedgerow.toolchain.npm import ensure_package
from hedgerow.toolchain.unix import find_micropython

_HERE = Path(__file__).parent
SHIM = _HERE / "mqtt_client_shim.py"
AEDES = ("aedes", "1.2.0")  # npm's most used MQTT broker; MIT
MQTT_PACKET = ("mqtt-packet", "9.0.2")  # codec of MQTT.js; MIT


def npm_package(name: str, version: str) -> Path:
    """Folder of the package in the build cache; skips if it cannot be had."""
    try:
        return ensure_package(paths.build_dir() / "npm", name, version, purpose=f"run {name}")
    except ToolchainError as missing:
        pytest.skip(str(missing))


def nats_server(folder: Path, ack_wait_s: int = 600) -> BrokerProcess:
    """NATS with its MQTT gateway: 3.1.1 without QoS 2 (2.9). Skips if it is not installed.

    ack_wait_s: then it sends again what was not acknowledged, in the same session too.
    """
    program = shutil.which("nats-server", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if not program:
        pytest.skip("nats-server is not installed (Debian package nats-server)")
    port = free_port()
    (folder / "nats.conf").write_text(
        f"server_name: test\nlisten: 127.0.0.1:{free_port()}\n"
        f'jetstream {{ store_dir: "{folder}/nats" }}\n'
        f"mqtt {{ listen: 127.0.0.1:{port}, ack_wait: {ack_wait_s}s }}\n"
    )
    return BrokerProcess([program, "-c", str(folder / "nats.conf")], folder / "nats.log", port)


def aedes_broker(folder: Path) -> BrokerProcess:
    """aedes: 3.1.1 with QoS 2, sessions in memory. Skips if npm cannot give it."""
    package = npm_package(*AEDES)
    port = free_port()
    command = ["node", str(_HERE / "aedes_broker.mjs"), str(package / "aedes.js"), str(port)]
    return BrokerProcess(command, folder / "aedes.log", port)


class Shim:
    """mqtt_client_shim.py as a process: do() one command, take events; killed at the end."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._command = [str(find_micropython()), str(SHIM), host, str(port)]
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.seen: list[dict] = []

    def __enter__(self) -> "Shim":
        self.process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(os.environ, MICROPYPATH=f"{paths.firmware_dir()}:.frozen"),
        )
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line.decode())
        self._lines.put(None)

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """SIGKILL, as a power cut."""
        self.process.kill()
        self.process.wait(120)

    def tell(self, do: str, **command: Any) -> None:
        """Give a command and do not wait for it."""
        assert self.process.stdin
        line = json.dumps({"do": do, **command}) + "\n"
        self.process.stdin.write(line.encode())
        self.process.stdin.flush()

    def do(self, do: str, **command: Any) -> dict:
        """Give a command; its event, which must not be an error."""
        self.tell(do, **command)
        event = self.expect(do)
        assert "error" not in event, f"{do}: {event}; said {self.seen}"
        return event

    def expect(self, event: str, limit_s: float = 120.0) -> dict:
        """The next event of that name; others are kept in `seen`."""
        end = time.monotonic() + limit_s
        while True:
            try:
                line = self._lines.get(timeout=max(end - time.monotonic(), 0.01))
            except queue.Empty:
                raise AssertionError(f"no {event!r} in {limit_s} s; said {self.seen}") from None
            assert line is not None, f"ended without {event!r}; said {self.seen}"
            assert line.startswith("{"), line + "".join(filter(None, list(self._lines.queue)))
            self.seen.append(json.loads(line))
            if self.seen[-1]["event"] == event:
                return self.seen[-1]

    def messages(self) -> list[str]:
        """Payloads seen so far, as text."""
        found = [e for e in self.seen if e["event"] == "message"]
        return [bytes.fromhex(e["payload_hex"]).decode() for e in found]
