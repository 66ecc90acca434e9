"""Mutated bytes against every LoRaWAN reader, of the device and of the network server.

2,000 mutants each in the default run; `pytest -m soak` has 10^6 ($HEDGEROW_FUZZ sets another).
"""

import asyncio
import json
import os
import random
import subprocess
from pathlib import Path

import lorawan_fuzz
import pytest
from lns_device import GATEWAYS, Peer, join_request, rx, site

from hedgerow import paths
from hedgerow.errors import GatewayError
from hedgerow.lns import semtech
from hedgerow.lns.chirpstack import Event
from hedgerow.lns.database import Database
from hedgerow.lns.front import Front
from hedgerow.lns.records import Records
from hedgerow.lns.semtech import Tx
from hedgerow.lns.server import NetworkServer

_SCRIPT = Path(lorawan_fuzz.__file__)
_SOAK = int(os.environ.get("HEDGEROW_FUZZ", "1000000"))
_READERS = 10


def _micropython(program, mutants):
    env = dict(os.environ, MICROPYPATH=f"{paths.firmware_dir()}:.frozen")
    command = [str(program), str(_SCRIPT), str(mutants), "7"]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])  # before it: what the readers log


def _assert_both_ways(counts):
    assert len(counts) == _READERS
    for name in ("data", "payload", "parts", "ack"):
        assert min(counts[name]) > 0, (name, counts[name])


def test_readers_under_cpython():
    _assert_both_ways(lorawan_fuzz.run(2000, 3))


def test_readers_under_micropython(micropython):
    told = _micropython(micropython, 2000)
    _assert_both_ways(told["counts"])


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_readers_soak(micropython):
    _assert_both_ways(lorawan_fuzz.run(_SOAK, 3))
    told = _micropython(micropython, _SOAK // 4)
    _assert_both_ways(told["counts"])
    assert told["grown"] < 20000, "the readers keep what they read"


class Target:
    """A whole server behind its datagrams; the store refuses, so that nothing is kept of it."""

    def __init__(self, tmp_path):
        self.database = Database(tmp_path / "fuzz.db")
        self.server = NetworkServer(site(), self.database, Records(self.database, self._submit))
        self.front = Front(self.server)
        self.peer = Peer()
        for eui in GATEWAYS:
            self.front.take(semtech.pull_data(b"pd", eui), eui)

    async def _submit(self, device, data):
        raise GatewayError("fuzzing")

    def seeds(self):
        tx = Tx(bytes(20), 868100000, 7, 125, 14, 1000)
        packets = [rx(self.peer.up(1, bytes(20)), 0), rx(join_request(3), 1)]
        return [
            semtech.push_data(b"up", GATEWAYS[0], packets),
            semtech.push_data(b"up", GATEWAYS[1], [rx(self.peer.up(2, bytes(5), flags=0x80), 1)]),
            semtech.pull_data(b"pd", GATEWAYS[0]),
            semtech.tx_ack(b"ta", GATEWAYS[0], "TOO_LATE"),
            semtech.pull_resp(2, b"pr", tx),
        ]

    async def take(self, data):
        """As service.py does, without its pause."""
        _, begun = self.front.take(data, GATEWAYS[0])
        for packet in begun:
            await self.front.answer(packet)


def _attack_server(target, mutants):
    """Datagrams, and packets inside good datagrams: both get the mutants."""

    async def attack():
        seeds = target.seeds()
        for i in range(mutants):
            if i % 100 == 99:
                seeds = target.seeds()  # fresh counters: a mutant may have used one
            if i % 2:
                data = lorawan_fuzz.mutate(seeds[i // 2 % len(seeds)])
            else:
                packet = lorawan_fuzz.mutate(target.peer.up(1, bytes(10)))[:255] or b"\x40"
                data = semtech.push_data(b"up", GATEWAYS[0], [rx(packet)])
            await target.take(data)
        await target.take(semtech.push_data(b"up", GATEWAYS[0], [rx(target.peer.up(9, b"x"))]))

    asyncio.run(attack())


def _check_server(tmp_path, mutants):
    random.seed(11)
    target = Target(tmp_path)
    _attack_server(target, mutants)
    assert target.front.malformed > mutants // 20
    assert target.server.counts.refused > mutants // 20
    assert target.server.counts.uplinks > 0, "it is deaf after the attack"
    assert not target.front._open
    assert len(target.front._waiting) <= 64
    assert len(target.server.counts.reasons) <= 101
    target.database.close()


def test_server(tmp_path):
    _check_server(tmp_path, 2000)


def test_chirpstack_events():
    good = json.dumps({"deviceInfo": {"deviceName": "a"}, "fPort": 1, "data": "AAAA"}).encode()
    random.seed(12)
    taken = 0
    for _ in range(2000):
        try:
            Event("application/a/device/b/event/up", lorawan_fuzz.mutate(good))
            taken += 1
        except ValueError:
            pass
    assert taken > 100


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_server_soak(tmp_path):
    _check_server(tmp_path, _SOAK)
