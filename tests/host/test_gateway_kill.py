"""kill -9 at random moments: what was acknowledged is in the database, and nothing is there twice.

One test kills a process that only ingests (many times, cheap); one kills the whole gateway with
its mosquitto under load from a node that keeps its records until they are acked.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hedge.wire import ack, frame, senml
from hedgerow.gateway.broker.mosquitto import _left_over_pid
from hedgerow.gateway.database import open_database, open_reader

sys.path.append(str(Path(__file__).resolve().parent.parent / "interop"))

from ports import free_port

NOW_S = 1_790_000_000
_LIMIT_S = 120  # of a machine that stands still for seconds

# Ingests frames of one boot as fast as it can and prints each acked watermark after its commit.
INGESTER = """
import sys, time
from hedge.wire import ack, frame, senml
from hedgerow.gateway.database import open_database
from hedgerow.gateway.ingest import Ingest
from hedgerow.gateway.messages import Inbound

ingest = Ingest(open_database(sys.argv[1]))
boot, seq = int(sys.argv[2]), 1
while True:
    batch = []
    for _ in range(5):
        packs = [senml.encode(1790000000 + seq + i, [("n", None, seq + i)]) for i in range(4)]
        batch.append(Inbound("hedge/n/up", frame.pack("n", boot, 1, seq, 1, packs), time.time()))
        seq += 4
    for out in ingest.commit(batch):
        print(ack.unpack(out.data)[2][0][2], flush=True)
"""


def kill_ingester(path, boot, after_s):
    """Run it, kill it, return the last watermark it had printed."""
    command = [sys.executable, "-c", INGESTER, str(path), str(boot)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        first = process.stdout.readline()
        time.sleep(after_s)
        process.kill()
        rest = process.stdout.read()
    return max(int(line) for line in (first + rest).split("\n") if line.strip())


def check_ingester_kills(tmp_path, times):
    dice, path = random.Random(5), tmp_path / "farm.db"
    acked = {n: kill_ingester(path, n, dice.uniform(0, 0.08)) for n in range(1, times + 1)}
    with contextlib.closing(open_database(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        for boot, upto in acked.items():
            sql = "SELECT count(*), max(seq) FROM record WHERE boot = ? AND seq <= ?"
            assert db.execute(sql, (boot, upto)).fetchone() == (upto, upto)
        orphans = "SELECT count(*) FROM record WHERE seq > (SELECT upto FROM watermark w "
        orphans += "WHERE w.boot = record.boot)"
        assert db.execute(orphans).fetchone() == (0,), "a record without its watermark"


def test_acked_is_stored_after_10_kills(tmp_path):
    check_ingester_kills(tmp_path, 10)


@pytest.mark.soak
def test_acked_is_stored_after_100_kills(tmp_path):
    check_ingester_kills(tmp_path, 100)


class Node:
    """Sends records and keeps each until it is acked, over many sessions (as hedge does)."""

    def __init__(self, port):
        self.created = 0
        self.upto = 0
        self._sent_s = {}  # first seq of a frame -> when it was sent
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="n")
        self._client.reconnect_delay_set(0.1, 0.5)
        self._client.on_connect = lambda client, *_: client.subscribe("hedge/n/ack", 1)
        self._client.on_message = self._on_ack
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()

    def _on_ack(self, _client, _userdata, message):
        for boot, stream, upto in ack.unpack(message.payload)[2]:
            if (boot, stream) == (1, 1):
                self.upto = max(self.upto, upto)

    def work(self, seconds, create=4):
        """Create records and send the oldest unacked ones, again and again."""
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s and (create or self.upto < self.created):
            self.created += create
            self._send_window()
            time.sleep(0.02)

    def _send_window(self):
        """Up to 20 frames under way; one that was not acked within a second goes out again."""
        oldest, now_s = self.upto + 1, time.monotonic()
        first_frame = oldest - (oldest - 1) % 4
        for first in range(first_frame, min(first_frame + 80, self.created + 1), 4):
            if now_s - self._sent_s.get(first, 0) > 1 and self._client.is_connected():
                packs = [payload(seq) for seq in range(first, first + 4)]
                data = frame.pack("n", 1, 1, first, min(oldest, first), packs)
                self._client.publish("hedge/n/up", data, qos=1)
                self._sent_s[first] = now_s

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


def payload(seq):
    return senml.encode(NOW_S + seq, [("n", None, seq)])


_started = []


@pytest.fixture(autouse=True)
def leave_nothing_behind():
    """A test that fails half-way must not leave its gateway running."""
    yield
    while _started:
        process = _started.pop()
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def start_gateway(path, port):
    command = [str(Path(sys.executable).with_name("hedgerow")), "gateway", "--db", str(path)]
    command += ["--broker", "mosquitto", "--mqtt-port", str(port), "--http-port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _started.append(process)
    assert process.stdout and process.stderr
    line = process.stdout.readline()
    assert line.startswith("page"), process.stderr.read()
    return process


def kill(process):
    process.kill()
    process.wait()


def stop(process):
    process.send_signal(signal.SIGINT)
    assert process.wait(_LIMIT_S) == 0


def wait_for(question, timeout_s=_LIMIT_S):
    deadline_s = time.monotonic() + timeout_s
    while not question():
        assert time.monotonic() < deadline_s, "waited too long"
        time.sleep(0.02)


def check_gateway_kills(tmp_path, times):
    path, dice = tmp_path / "farm.db", random.Random(3)
    port = free_port()
    gateway, node = start_gateway(path, port), Node(port)
    for _ in range(times):
        node.work(dice.uniform(0.3, 1.0))
        kill(gateway)
        node.work(0.1)
        gateway = start_gateway(path, port)
    node.work(_LIMIT_S, create=0)
    node.close()
    assert node.upto == node.created > 0, (node.upto, node.created)
    with contextlib.closing(open_reader(path)) as reader:
        found = reader.execute("SELECT seq, payload FROM record ORDER BY boot, stream, seq")
        rows = [(seq, bytes(data)) for seq, data in found]
        assert rows == [(seq, payload(seq)) for seq in range(1, node.created + 1)]
        assert reader.execute("SELECT count(*) FROM gap").fetchone()[0] == 0
        assert reader.execute("SELECT count(*) FROM conflict").fetchone()[0] == 0
    stop(gateway)


def test_gateway_survives_3_kills(mosquitto, tmp_path):
    check_gateway_kills(tmp_path, 3)


@pytest.mark.soak
def test_gateway_survives_50_kills(mosquitto, tmp_path):
    check_gateway_kills(tmp_path, 50)


def test_broker_dies_with_its_gateway(mosquitto, tmp_path):
    gateway = start_gateway(tmp_path / "farm.db", 0)
    folder = tmp_path / "farm.db.broker"
    pid = _left_over_pid(folder)
    assert pid
    kill(gateway)
    wait_for(lambda: _left_over_pid(folder) != pid)


def test_left_over_broker_is_ended_by_the_next_gateway(mosquitto, tmp_path):
    """As on systems where the kernel does not end it: start one by hand on the same config."""
    port = free_port()
    gateway = start_gateway(tmp_path / "farm.db", port)
    stop(gateway)
    folder = tmp_path / "farm.db.broker"
    command = [str(mosquitto), "-c", str(folder / "mosquitto.conf")]
    left_over = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: _left_over_pid(folder) == left_over.pid)
        gateway = start_gateway(tmp_path / "farm.db", port)
        assert left_over.wait(_LIMIT_S) is not None
    finally:
        left_over.kill()
        left_over.wait()
    stop(gateway)


def test_pid_of_another_program_is_left_alone(tmp_path):
    (tmp_path / "mosquitto.pid").write_text(str(os.getpid()))
    assert _left_over_pid(tmp_path) is None
