"""Devices (real code, Unix port), gateways, network server and store on a simulated air.

Virtual time: hours pass in seconds.
"""

import asyncio
import os
import random
import zlib

import pytest
from lorawan_site import FarmSite

from hedge.net.lorawan.region import load
from hedgerow.emulate.lora.channel import Place

pytestmark = pytest.mark.e2e

_GATEWAYS = (Place(0, 0), Place(300, 0))


def _play(folder, count, script, **how):
    """Run script(site) with two gateways; returns the site, closed, for its counters."""

    async def play():
        site = FarmSite(folder, count, **how)
        for i, place in enumerate(_GATEWAYS):
            site.world.add_gateway(bytes(7) + bytes((i + 1,)), place)
        try:
            await script(site)
            return site, {name: site.stored(name) for name in site.keys}
        finally:
            await site.close()

    return asyncio.run(play())


def _all_done(site):
    return lambda: len(site.results()) == len(site.world.devices)


async def _until_done(site, hours=12):
    await site.world.run(site.world.now_us / 1e6 + hours * 3600, _all_done(site))
    left = set(site.world.devices) - set(site.results())
    logs = [(site.folder / name / "node.log").read_text()[-500:] for name in left]
    assert not left, f"{left} have records left: {site.server.counts} {logs}"


def _assert_once(stored, records, boots=1):
    """Every number of every stream from 1 on, without a gap; the table's key forbids a second."""
    for name, streams in stored.items():
        assert len({boot for boot, _ in streams}) == boots, (name, streams)
        for numbers in streams.values():
            assert numbers == list(range(1, len(numbers) + 1)), (name, streams)
        assert sum(len(n) for (_, s), n in streams.items() if s == 1) == records, name


def test_twenty_devices_two_gateways(tmp_path):
    """Collisions, capture, fading, 10 % random loss, duty cycles: each record arrives once."""

    async def script(site):
        for i in range(20):
            slow = {"rate": 0, "adr": False} if i == 3 else {}  # its events take several messages
            place = Place(30 + 6 * i, 5 * i)
            await site.start(i, place, wait_s=15 * i, records=9, uplink=slow)
        await _until_done(site)

    site, stored = _play(tmp_path, 20, script, channel={"loss": 0.1})
    _assert_once(stored, 9)
    told = site.results().values()
    assert site.channel.collided > 3
    assert site.channel.vanished > 20
    assert sum(row["repeats"] for row in told) > 20, "nothing had to be sent again"
    assert site.results()["bed-3"]["parts"] >= 3, "no record travelled in parts"
    assert all(row["bad_acks"] == 0 for row in told)
    _assert_duty_cycle(site)


def _assert_duty_cycle(site, strictly=False):
    """No device was on the air for more than its share of any hour, band by band.

    A message more may begin and end the hour, unless strictly.
    """
    region = load("EU868")
    sent = {}
    for burst in site.world.sent_log:
        sent.setdefault((burst.sender.name, region.band_of(burst.hz)), []).append(burst)
    for (_, _), bursts in sent.items():
        share = region.duty_permille(bursts[0].hz) / 1000
        for i, first in enumerate(bursts):
            hour = [b for b in bursts[i:] if b.end_us - first.begin_us <= 3600e6]
            on_us = sum(b.end_us - b.begin_us for b in hour)
            longest_us = 0 if strictly else max(b.end_us - b.begin_us for b in hour)
            assert on_us <= share * 3600e6 + longest_us


@pytest.mark.parametrize("region", ["US915", "AU915", "AS923", "IN865"])
def test_other_regions(tmp_path, region):
    async def script(site):
        for i in (0, 3):
            await site.start(i, Place(40 + i, 5), records=6, wait_s=5 * i)
        await _until_done(site)

    _, stored = _play(tmp_path, 4, script, region=region, sub_band=2 if "915" in region else 0)
    _assert_once({name: stored[name] for name in ("bed-0", "bed-3")}, 6)


def test_power_cuts_of_devices_and_crashes_of_the_server(tmp_path):
    """Killed at awkward moments: no counter is used twice, no record is lost or doubled."""

    async def script(site):
        for i in range(4):
            await site.start(i, Place(40, 10 * i), records=15, every_s=30)
        for cut in range(4):
            await site.world.run(site.world.now_us / 1e6 + 97 + 61 * cut)
            name = f"bed-{cut}"
            site.world.kill(name)
            site.world.devices[name].told.clear()
            site.restart_server()
            await site.start(cut, Place(40, 10 * cut), records=15, every_s=30)
        await _until_done(site)

    site, stored = _play(tmp_path, 4, script)
    for name, streams in stored.items():
        boots = sorted({boot for boot, _ in streams})
        assert len(boots) <= 2
        last = {s: numbers for (boot, s), numbers in streams.items() if boot == boots[-1]}
        assert last[1] == list(range(1, 16)), (name, streams)
        for numbers in streams.values():
            assert numbers == list(range(1, len(numbers) + 1))
    assert site.server.counts.refused == 0, site.server.counts.reasons


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_a_day_of_many_devices_and_power_cuts(tmp_path):
    """60 devices ($HEDGEROW_LORAWAN_DEVICES), a record each 15 min, 20 % loss. Each 10 min one of
    them loses power, each hour the server does. Every record of every start arrives once."""
    count = int(os.environ.get("HEDGEROW_LORAWAN_DEVICES", "60"))
    chance = random.Random(1)
    place = [Place(chance.uniform(20, 250), chance.uniform(0, 120)) for _ in range(count)]

    async def script(site):
        for i in range(count):
            await site.start(i, place[i], wait_s=7 * i, records=96, every_s=900)
        for cut in range(6 * 24):
            await site.world.run(site.world.now_us / 1e6 + 600)
            i = chance.randrange(count)
            site.world.kill(f"bed-{i}")
            site.world.devices[f"bed-{i}"].told.clear()
            await site.start(i, place[i], records=10, every_s=900)
            if cut % 6 == 5:
                site.restart_server()
        await _until_done(site, hours=72)

    _, stored = _play(tmp_path, count, script, channel={"loss": 0.2})
    for name, streams in stored.items():
        for numbers in streams.values():
            assert numbers == list(range(1, len(numbers) + 1)), (name, streams)
        assert any(stream == 1 for _, stream in streams), name


def test_a_store_that_takes_nothing_and_a_server_that_forgot_everything(tmp_path):
    """No ack before the commit; after a lost database devices join and spell their names again."""

    async def script(site):
        site.refuse = True
        await site.start(0, Place(40, 0), records=8, every_s=30)
        await site.world.run(900)
        assert site.stored("bed-0") == {}
        site.refuse = False
        await site.world.run(1500)
        site.restart_server(forget=True)
        await _until_done(site, hours=48)

    _, stored = _play(tmp_path, 1, script)
    _assert_once(stored, 8)


def test_signed_frames(tmp_path):
    async def script(site):
        await site.start(0, Place(40, 0), records=8, every_s=30)
        await _until_done(site)

    _, stored = _play(tmp_path, 1, script, key="a secret of 16 b")
    _assert_once(stored, 8)


def test_adr_makes_a_near_device_fast_and_quiet(tmp_path):
    async def script(site):
        await site.start(3, Place(20, 0), records=45, every_s=400, uplink={"rate": 0})
        await _until_done(site, hours=24)

    site, stored = _play(tmp_path, 4, script)
    assert site.results()["bed-3"]["rate"] == 5
    assert site.world.sent_log[0].sf == 12
    assert site.world.sent_log[-1].sf == 7
    assert site.world.sent_log[-1].dbm <= site.world.sent_log[0].dbm
    assert site.database.session("bed-3").mask == 0xFF, "no command settled its channels"
    assert len({burst.hz for burst in site.world.sent_log}) > 3
    _assert_once({"bed-3": stored["bed-3"]}, 45)


@pytest.mark.parametrize("device_class", ["A", "C"])
def test_a_model_arrives_in_fragments(tmp_path, device_class):
    """A fifth of the fragments is lost; parity repairs it, byte for byte."""
    data = bytes(os.urandom(1900))

    async def script(site):
        site.table["device"][0]["class"] = device_class
        site.restart_server()
        uplink = {"class": device_class}
        await site.start(0, Place(40, 0), records=12, every_s=20, bulk=True, uplink=uplink)
        transfer = site.server.send_bulk("bed-0", data, 100)
        if device_class == "C":
            _pace(site)
        await _until_done(site, hours=24)
        assert transfer.state in ("done", "sending", "asking")

    site, stored = _play(tmp_path, 1, script, channel={"loss": 0.2})
    path, size = site.results()["bed-0"]["bulk"][0]
    with open(path, "rb") as file:
        got = file.read()[:size]
    assert zlib.crc32(got) == zlib.crc32(data)
    assert size == len(data)
    assert site.channel.vanished > 0
    _assert_once(stored, 12)


def _pace(site):
    """What the service does each few seconds for class C."""
    world = site.world

    def offer():
        out = world.front.class_c("bed-0")
        if out:
            world._to_gateway(*out)
        world.at(world.now_us + 5_000_000, offer)

    world.at(5_000_000, offer)


def test_resets_in_a_loop_do_not_break_the_duty_cycle(tmp_path):
    """At the slowest data rate each message may be the last before a reset: 1 % of every hour."""
    chance = random.Random(4)

    async def script(site):
        for _ in range(30):
            uplink = {"rate": 0, "adr": False}
            await site.start(3, Place(40, 0), records=500, every_s=5, uplink=uplink)
            wait_s = chance.choice((5, 30, 400, 700, 900))
            await site.world.run(site.world.now_us / 1e6 + wait_s)
            site.world.kill("bed-3")

    site, _ = _play(tmp_path, 4, script)
    _assert_duty_cycle(site, strictly=True)
    bursts = site.world.sent_log
    assert len(bursts) > 10
    assert bursts[-1].end_us - bursts[0].begin_us > 2 * 3600e6
