"""The LoRaWAN network server: joins, counters, answers, windows; what is refused, and why."""

import asyncio
import json

import pytest
from click.testing import CliRunner
from lns_device import ADDR, APP, EUI, GATEWAYS, KEY, NWK, Peer, join_request, rx, site

from hedge.core.errors import FrameError
from hedge.net.lorawan import maccmd, payload, phy
from hedge.wire import ack, frame, senml
from hedgerow.cli.lns import command
from hedgerow.errors import ConfigError, GatewayError
from hedgerow.gateway.messages import Refused
from hedgerow.lns import semtech
from hedgerow.lns.database import Database
from hedgerow.lns.devices import read_site, site_of
from hedgerow.lns.front import Front
from hedgerow.lns.gateways import rest_s
from hedgerow.lns.listing import device_lines, forget_device
from hedgerow.lns.records import Records
from hedgerow.lns.semtech import Rx, Tx
from hedgerow.lns.server import NetworkServer

NOW_S = 1_790_000_000.0
_ROW = {"name": "a", "dev_eui": "00" * 8, "join_eui": "00" * 8, "app_key": "00" * 16}
RECORD = senml.encode(1760000000, [("soil.vwc", "%", 23.4)])


class Bench:
    """A server whose store is a list; now_s moves when the test says so."""

    def __init__(self, path, region="EU868", **how):
        self.now_s = NOW_S
        self.frames = []
        self.fault = None
        self.path = path / "lns.db"
        self.site = site(region, **how.pop("row", {}))
        self.how = how
        self.database = None
        self.restart()

    def restart(self):
        if self.database:
            self.database.close()
        self.database = Database(self.path)
        self.records = Records(self.database, self.submit, self.site.cayenne)
        self.server = NetworkServer(
            self.site, self.database, self.records, now_s=lambda: self.now_s, **self.how
        )
        for eui in GATEWAYS:
            self.server.gateway(eui).address = eui

    async def submit(self, device, data):
        if self.fault:
            raise self.fault
        found = frame.unpack(data)
        self.frames.append(found)
        last = found.seq + len(found.records) - 1
        return ack.pack(7, int(self.now_s), [(found.boot, found.stream, last)])

    def receive(self, *heard: Rx):
        return asyncio.run(self.server.receive(list(heard), self.now_s))

    def joined(self, nonce=0):
        plan = self.receive(rx(join_request(nonce)))
        return Peer.joined(plan.options[0][1].data, nonce)

    @property
    def reasons(self):
        return " ".join(self.server.counts.reasons)


@pytest.fixture
def bench(tmp_path):
    made = []

    def make(**how):
        made.append(Bench(tmp_path, **how))
        return made[-1]

    yield make
    for one in made:
        one.database.close()


def _uplink_payload(records=(RECORD,), known=None, seq=1):
    entry = payload.Entry(3, 1, seq, seq, list(records))
    return payload.compose(entry, 222, known if known is not None else ())[0]


# Joins


def test_a_join_is_answered_in_both_windows(bench):
    b = bench()
    plan = b.receive(rx(join_request(0)))
    (_, first), (_, second) = plan.options
    assert (first.tmst_us, first.hz, first.sf) == (6_000_000, 868100000, 7)
    assert (second.tmst_us, second.hz, second.sf) == (7_000_000, 869525000, 12)
    assert first.data == second.data
    accept = phy.unpack_join_accept(first.data, KEY)
    assert accept.join_nonce == 1
    assert len(accept.cf_list) == 16


def test_a_dev_nonce_that_was_used_is_a_replay(bench):
    b = bench()
    b.joined(5)
    for nonce in (5, 4, 0):
        assert b.receive(rx(join_request(nonce))) is None
    b.restart()
    assert b.receive(rx(join_request(5))) is None
    assert "replayed" in b.reasons
    assert b.receive(rx(join_request(6))) is not None


def test_wrong_key_and_unknown_device(bench):
    b = bench()
    assert b.receive(rx(join_request(0, key=b"x" * 16))) is None
    assert b.receive(rx(join_request(0, eui=b"12345678"))) is None
    assert "wrong key" in b.reasons
    assert "no device 3132333435363738" in b.reasons
    assert b.receive(rx(join_request(0))) is not None  # the nonce was not spent by the forgery


def test_the_old_session_lives_until_the_new_one_speaks(bench):
    b = bench()
    old = b.joined(0)
    assert b.receive(rx(old.up(1, _uplink_payload())))
    new = b.joined(1)
    assert b.receive(rx(old.up(1, _uplink_payload(seq=2))))  # it did not hear the join-accept
    b.restart()
    assert b.receive(rx(new.up(1, _uplink_payload(seq=3))))
    assert b.receive(rx(old.up(1, _uplink_payload(seq=4)))) is None
    assert [f.seq for f in b.frames] == [1, 2, 3]


# Counters


def test_replays_and_forgeries_are_refused(bench):
    b = bench()
    peer = Peer()
    data = peer.up(1, _uplink_payload())
    assert b.receive(rx(data))
    assert b.receive(rx(data)) is None  # the same counter: a repeat
    assert b.server.counts.repeats == 1
    assert b.receive(rx(peer.up(1, _uplink_payload(seq=2))))
    assert b.receive(rx(data)) is None
    assert "wrong MIC or replayed" in b.reasons
    assert b.receive(rx(data[:-1] + bytes((data[-1] ^ 1,)))) is None
    assert b.receive(rx(Peer(0x11).up())) is None
    assert "unknown address" in b.reasons
    assert b.receive(rx(Peer(keys=(NWK[::-1], APP)).up(fcnt=9))) is None
    assert len(b.frames) == 2


def test_counters_survive_a_restart_wrap_and_jump(bench):
    b = bench()
    peer = Peer()
    for n, fcnt in enumerate((0, 60000, 0xFFFF, 0x10000, 0x10001, 0x1FFFE)):
        assert b.receive(rx(peer.up(1, _uplink_payload(seq=n + 1), fcnt=fcnt)))
        b.restart()
    assert b.receive(rx(peer.up(1, _uplink_payload(), fcnt=0x10001))) is None
    assert b.receive(rx(peer.up(1, _uplink_payload(), fcnt=0x3FFFF))) is None  # a gap of 2**16
    assert [f.seq for f in b.frames] == [1, 2, 3, 4, 5, 6]


def _set_counters(b, **counters):
    (_, session), *_ = b.database.sessions(ADDR)
    for name, value in counters.items():
        setattr(session, name, value)
    with b.database.transaction():
        b.database.put(session)
    b.restart()


def test_the_last_uplink_counter(bench):
    b = bench()
    peer = Peer()
    _set_counters(b, fcnt_up=0xFFFFFFFE)
    last = peer.up(1, _uplink_payload(), fcnt=0xFFFFFFFF)
    assert b.receive(rx(last))
    assert b.receive(rx(last)) is None
    assert (
        b.receive(rx(peer.up(1, _uplink_payload(seq=2), fcnt=0))) is None
    )  # it does not begin anew
    assert [f.seq for f in b.frames] == [1]


def test_the_last_downlink_counter(bench):
    """Records are still taken; nothing goes down any more, for a counter would come twice."""
    b = bench()
    peer = Peer()
    _set_counters(b, fcnt_down=0xFFFFFFFF)
    plan = b.receive(rx(peer.up(1, _uplink_payload())))
    assert peer.open(plan.options[0][1].data, 0xFFFFFFFF).fcnt == 0xFFFFFFFF
    assert b.receive(rx(peer.up(1, _uplink_payload(seq=2)))) is None
    assert [f.seq for f in b.frames] == [1, 2]
    assert "downlink counter" in b.reasons


def test_a_downlink_counter_is_never_used_twice(bench):
    b = bench()
    peer = Peer()
    for n in range(4):
        plan = b.receive(rx(peer.up(1, _uplink_payload(seq=n + 1))))
        assert peer.open(plan.options[0][1].data, n).fcnt == n
        b.restart()


def test_malformed_packets(bench):
    b = bench()
    for data in (b"\xe0" * 12, b"\x40", b"\x40" + bytes(11), b"\x00" * 22, b"\x20" + bytes(16)):
        assert b.receive(rx(data)) is None
    downlink = phy.pack_data(phy.Data(3, ADDR, 0, 0), NWK, APP)
    assert b.receive(rx(downlink)) is None
    assert b.receive(rx(Peer().up(), sf=6)) is None
    assert b.receive(rx(join_request(3), sf=6)) is None
    assert b.receive(rx(join_request(3))) is not None  # that nonce was not taken
    assert b.server.counts.uplinks == 0


def test_datagrams_of_any_number_of_gateways_do_not_grow_the_server(bench):
    b = bench()
    peer = Peer()
    assert b.receive(rx(peer.up(1, _uplink_payload())))
    front = Front(b.server)
    for n in range(2000):
        eui = (n + 1000).to_bytes(8, "big")
        front.take(semtech.pull_data(b"pd", eui), eui)
    assert len(b.server.gateways) == 256
    plan = b.receive(rx(peer.up(1, _uplink_payload(seq=2))))
    assert plan.options[0][0].eui == GATEWAYS[0]  # the one that hears is still known
    for n in range(100):
        front._waiting[b"to"] = []
        front.take(semtech.tx_ack(b"to", GATEWAYS[0], f"NONSENSE_{n}"), GATEWAYS[0])
    assert len(front.errors) == 21
    assert front.errors["other"] == 80


def test_a_clock_that_is_set_back_silences_nobody_for_long(bench):
    b = bench()
    peer = Peer()
    plan = b.receive(rx(peer.up(1, _uplink_payload())))
    gateway, tx = plan.options[0]
    b.server.reserve(gateway, tx)
    region = b.server.region
    assert not gateway.is_free(tx, region, NOW_S + 0.1)
    later = Tx(tx.data, tx.hz, tx.sf, tx.bw_khz, tx.power_dbm, tx.tmst_us + 30_000_000)
    assert not gateway.is_free(later, region, NOW_S - 3600)
    assert gateway.is_free(later, region, NOW_S - 3600 + rest_s(tx, region))
    b.now_s = NOW_S - 1800  # and the next uplink is answered
    assert b.receive(rx(peer.up(1, _uplink_payload(seq=2)), tmst_us=61_000_000))


def test_a_device_that_was_taken_out_of_the_file_is_unknown(bench):
    b = bench()
    peer = b.joined()
    assert b.receive(rx(peer.up(confirmed=True)))
    b.site = site_of({"device": [_ROW]}, "f")
    b.restart()
    assert b.receive(rx(peer.up(confirmed=True))) is None
    assert b.receive(rx(Peer().up(confirmed=True))) is None
    assert b.reasons.count("unknown address") == 2


def test_another_address_in_the_file_is_the_devices(bench):
    b = bench()
    b.receive(rx(Peer().up(confirmed=True)))
    b.site = site(dev_addr="26010002")
    b.restart()
    assert b.receive(rx(Peer().up(confirmed=True, fcnt=1))) is None
    assert b.receive(rx(Peer(ADDR + 1).up(confirmed=True)))


def test_a_site_that_moves_to_another_region(bench):
    """Joined devices join anew; personalised ones keep their counters, for the keys stay."""
    b = bench()
    joined, peer = b.joined(), Peer()
    for one in (joined, peer):
        assert b.receive(rx(one.up(confirmed=True)))
    b.site = site("US915")
    b.restart()
    assert [line.split()[1] for line in device_lines(b.database, b.site)[1:]] == [
        "never",
        "26010001",
    ]
    where = {"hz": 903900000}
    assert b.receive(rx(joined.up(confirmed=True), **where)) is None
    assert b.receive(rx(peer.up(fcnt=0), **where)) is None
    plan = b.receive(rx(peer.up(confirmed=True, fcnt=1), **where))
    assert [tx.hz for _, tx in plan.options] == [923300000, 923300000]
    assert peer.open(plan.options[0][1].data, 1).fctrl & phy.ACK


# Records


def test_records_are_acknowledged_after_the_store_has_them(bench):
    b = bench()
    peer = Peer()
    plan = b.receive(rx(peer.up(1, _uplink_payload())))
    down = peer.open(plan.options[0][1].data, 0)
    full, resync = payload.unpack_ack(down.payload)
    assert ack.unpack(full)[2] == [(3, 1, 1)]
    assert not resync
    assert b.frames[0].device == "bed-2"
    assert b.frames[0].records == [RECORD]


@pytest.mark.parametrize("fault", [GatewayError("disk full"), Refused("mac")])
def test_what_was_not_stored_is_not_acknowledged(bench, fault):
    b = bench()
    b.fault = fault
    assert b.receive(rx(Peer().up(1, _uplink_payload()))) is None


def test_skeletons_are_learned_kept_and_asked_for(bench):
    from hedge.net.lorawan import skeleton

    b = bench()
    peer = Peer()
    known = {skeleton.digest(skeleton.split(RECORD)[0]): True}
    short = _uplink_payload(known=known, seq=2)
    assert len(short) < 20

    def answer():
        plan = b.receive(rx(peer.up(1, short)))
        fcnt = b.database.session("bed-2").fcnt_down - 1
        return payload.unpack_ack(peer.open(plan.options[0][1].data, fcnt).payload)

    assert answer() == (b"", True)  # never heard of it
    b.receive(rx(peer.up(1, _uplink_payload())))
    b.restart()
    assert answer()[0]
    assert b.frames[-1].records == [RECORD]


def test_a_payload_that_is_none_is_refused_without_an_answer(bench):
    b = bench()
    peer = Peer()
    for data in (b"\x18", b"", bytes(50)):
        assert b.receive(rx(peer.up(1, data))) is None
    assert b.receive(rx(peer.up(99, b"for another application"))) is None
    assert b.records.refused == 3


# Gateways and windows


def test_the_clearest_gateway_answers_and_the_other_is_in_reserve(bench):
    b = bench()
    data = Peer().up(1, _uplink_payload())
    plan = b.receive(rx(data, 0, snr_db=-3), rx(data, 1, snr_db=6), rx(data, 0, snr_db=-9))
    assert [gateway.eui for gateway, _ in plan.options[:2]] == [GATEWAYS[1], GATEWAYS[0]]
    assert len(plan.options) == 4
    assert len(b.frames) == 1


def test_a_late_answer_takes_the_second_window_and_a_later_one_none(bench):
    b = bench()
    peer = Peer()
    arrived = b.now_s
    for late_s, wanted in ((0.0, [2_000_000, 3_000_000]), (1.2, [3_000_000]), (2.5, [])):
        b.now_s = arrived + late_s
        plan = asyncio.run(b.server.receive([rx(peer.up(confirmed=True))], arrived))
        assert [tx.tmst_us for _, tx in (plan.options if plan else [])] == wanted
    assert b.server.counts.unplanned == 1


def test_a_forged_first_uplink_with_the_last_counter_of_16_bits(bench):
    made = bench()
    forged = Peer(keys=(b"x" * 16, APP)).up(fcnt=0xFFFF)
    assert made.receive(rx(forged)) is None
    assert "wrong MIC" in made.reasons
    made.receive(rx(Peer().up(fcnt=0xFFFF)))
    made.receive(rx(Peer().up(fcnt=0x10000 + 20000)))
    assert (made.server.counts.uplinks, made.server.counts.refused) == (2, 1)


def test_duty_cycle_and_collisions_of_a_gateway(bench):
    b = bench()
    peer = Peer()

    def times():
        tmst_us = 1_000_000 + 30_000_000 * peer.fcnt
        plan = b.receive(rx(peer.up(confirmed=True), sf=12, tmst_us=tmst_us))
        if not plan:
            return []
        b.server.reserve(*plan.options[0])
        return [(tx.hz, tx.tmst_us) for _, tx in plan.options]

    first, second = times(), times()
    assert [hz for hz, _ in first] == [869525000, 868100000]  # at SF12 the 10 % band first
    assert [hz for hz, _ in second] == [868100000]
    assert times() == []
    b.now_s += 200
    assert len(times()) >= 1
    other = b.server.gateway(GATEWAYS[0])
    taken = Tx(bytes(20), 869525000, 7, 125, 14, 0xFFFFFF00)
    b.now_s += 10000
    other.reserve(taken, b.server.region, b.now_s)
    overlap = Tx(bytes(20), 868100000, 7, 125, 14, 1000)  # past the wrap of the counter
    assert not other.is_free(overlap, b.server.region, b.now_s)
    later = Tx(bytes(20), 868100000, 7, 125, 14, 200_000)
    assert other.is_free(later, b.server.region, b.now_s)


def test_us915_answers_on_its_own_channels(bench):
    b = bench(region="US915")
    plan = b.receive(rx(Peer().up(confirmed=True), hz=904300000, sf=10))
    assert [(tx.hz, tx.sf, tx.bw_khz) for _, tx in plan.options] == [
        (924500000, 10, 500),
        (923300000, 12, 500),
    ]


# MAC commands and ADR


def test_link_check_and_device_time(bench):
    b = bench()
    peer = Peer()
    data = peer.up(options=b"\x02\x0d")
    plan = b.receive(rx(data, 0, snr_db=2.5), rx(data, 1, snr_db=-1))
    fopts = peer.open(plan.options[0][1].data, 0).fopts
    assert fopts[:3] == b"\x02\x0a\x02"
    assert maccmd.epoch_s(fopts[4:9]) == int(NOW_S)
    b.now_s = 12.0  # a computer without a battery for its clock, just started
    plan = b.receive(rx(peer.up(options=b"\x02\x0d")))
    assert peer.open(plan.options[0][1].data, 1).fopts[3] == maccmd.RX_PARAM_SETUP


def test_adr_asks_once_margin_is_known_and_takes_the_answer(bench):
    b = bench(adr_history=5)
    peer = Peer()
    for n in range(5):
        plan = b.receive(rx(peer.up(flags=phy.ADR), sf=12, snr_db=6.0))
        assert (plan is not None) == (n == 4)
    asked = peer.open(plan.options[0][1].data, 0).fopts
    # 6 + 20 - 10 = 16 dB: five steps of 3 dB, SF12 to SF7
    assert asked[:5] == b"\x03\x50\x07\x00\x01"
    b.receive(rx(peer.up(flags=phy.ADR, options=b"\x03\x07"), sf=12, snr_db=6.0))
    assert b.database.session("bed-2").asked is None
    assert b.receive(rx(peer.up(flags=phy.ADR), snr_db=6.0)) is None


def test_a_device_that_stepped_down_by_itself_has_full_power_again(bench):
    """Else the next LinkADRReq would take as much from it as before, at once."""
    b = bench(adr_history=3)
    peer = Peer()
    for _ in range(3):
        plan = b.receive(rx(peer.up(flags=phy.ADR), snr_db=14.0))
    assert peer.open(plan.options[0][1].data, 0).fopts[:2] == b"\x03\x53"
    b.receive(rx(peer.up(flags=phy.ADR, options=b"\x03\x07"), snr_db=14.0))
    for _ in range(3):
        plan = b.receive(rx(peer.up(flags=phy.ADR), sf=8, snr_db=6.5))
    # 6.5 + 10 - 10 dB: two steps of 3 dB, SF8 to SF7 and one of power
    assert peer.open(plan.options[0][1].data, 1).fopts[:2] == b"\x03\x51"


def test_adr_does_not_insist_when_refused_and_not_without_the_flag(bench):
    b = bench(adr_history=3)
    peer = Peer()
    for _ in range(10):
        assert b.receive(rx(peer.up(), sf=12, snr_db=10.0)) is None
    plan = b.receive(rx(peer.up(flags=phy.ADR), sf=12, snr_db=10.0))
    assert peer.open(plan.options[0][1].data, 0).fopts[0] == maccmd.LINK_ADR
    plan = b.receive(rx(peer.up(flags=phy.ADR, options=b"\x03\x05"), sf=12, snr_db=10.0))
    assert plan is None
    assert b.database.session("bed-2").refused == [5, 1]


def test_a_personalised_device_is_settled_by_commands_that_ride_along(bench):
    b = bench()
    peer = Peer()
    data, seen = peer.up(confirmed=True), []
    for n in range(8):
        plan = b.receive(rx(data))
        asked = maccmd.split(peer.open(plan.options[0][1].data, n).fopts, 1)
        seen += [command for command, _ in asked]
        answers = {maccmd.RX_PARAM_SETUP: b"\x05\x07", maccmd.NEW_CHANNEL: b"\x07\x03"}
        options = b"".join(answers[command] for command, _ in asked)
        data = peer.up(confirmed=True, options=options)
    assert seen == [maccmd.RX_PARAM_SETUP] + [maccmd.NEW_CHANNEL] * 5
    session = b.database.session("bed-2")
    assert (session.rx2_rate, session.mask) == (3, 0xFF)
    assert plan.options[-1][1].sf == 9


def test_what_a_device_refuses_is_not_asked_again(bench):
    b = bench()
    peer = Peer()
    b.receive(rx(peer.up(confirmed=True)))
    plan = b.receive(rx(peer.up(confirmed=True, options=b"\x05\x06\x07\x00")))
    assert peer.open(plan.options[0][1].data, 1).fopts == b""
    assert plan.options[-1][1].sf == 12


def test_an_answer_that_was_lost_is_asked_for_again(bench):
    b = bench()
    peer = Peer()
    first = b.receive(rx(peer.up(confirmed=True)))
    again = b.receive(rx(peer.up(confirmed=True)))
    assert peer.open(first.options[0][1].data, 0).fopts[0] == maccmd.RX_PARAM_SETUP
    assert peer.open(again.options[0][1].data, 1).fopts[0] == maccmd.RX_PARAM_SETUP


def test_adr_ack_req_is_answered(bench):
    b = bench()
    assert b.receive(rx(Peer().up(flags=phy.ADR | phy.ADR_ACK_REQ)))


def test_a_confirmed_uplink_is_acknowledged(bench):
    b = bench()
    peer = Peer()
    plan = b.receive(rx(peer.up(99, b"x", confirmed=True)))
    assert peer.open(plan.options[0][1].data, 0).fctrl & phy.ACK


def test_a_confirmed_uplink_whose_ack_was_lost_is_acknowledged_again(bench):
    """A device sends it up to NbTrans times, with the same counter; a late copy is none of it."""
    b = bench(row={"payload": "cayenne"})
    peer = Peer()
    data = peer.up(
        5, bytes.fromhex("03670110"), confirmed=True, options=bytes((maccmd.LINK_CHECK,))
    )
    first = b.receive(rx(data))
    b.now_s += 1.5
    assert b.receive(rx(data, 1)) is None
    b.restart()
    for n in range(1, 15):
        b.now_s += 30
        again = b.receive(rx(data, tmst_us=30_000_000 * n)).options[0][1]
        message = peer.open(again.data, n)
        assert message.fctrl & phy.ACK
        assert message.fopts[0] == maccmd.LINK_CHECK
    b.now_s += 30
    assert b.receive(rx(data)) is None  # somebody replays it
    assert peer.open(first.options[0][1].data, 0).fctrl & phy.ACK
    assert len(b.frames) == 1
    assert b.receive(rx(peer.up(5, bytes.fromhex("03670111"), confirmed=True)))


def test_an_unconfirmed_uplink_that_came_again_is_not_answered(bench):
    b = bench()
    data = Peer().up(1, _uplink_payload())
    assert b.receive(rx(data))
    b.now_s += 30
    assert b.receive(rx(data)) is None
    assert b.server.counts.repeats == 1


# Datagrams


def test_datagrams_of_the_protocol():
    # PROTOCOL.TXT: version, token, kind, EUI; the JSON object of its example of PUSH_DATA
    row = {
        "time": "2013-03-31T16:21:17.528002Z",
        "tmst": 3512348611,
        "chan": 2,
        "rfch": 0,
        "freq": 866.349812,
        "stat": 1,
        "modu": "LORA",
        "datr": "SF7BW125",
        "codr": "4/6",
        "rssi": -35,
        "lsnr": 5.1,
        "size": 32,
        "data": "-DS4CGaDCdG+48eJNM3Vai-zDpsR71Pn9CPA9uCON84",
    }
    row["data"] = row["data"].replace("-", "+")  # the example is URL-safe, forwarders are not
    body = json.dumps({"rxpk": [row, {"modu": "FSK"}, {"stat": -1}]}).encode()
    found = semtech.unpack(b"\x02\x12\x34\x00" + GATEWAYS[0] + body)
    (packet,) = found.packets
    assert (packet.hz, packet.sf, packet.bw_khz) == (866349812, 7, 125)
    assert (packet.tmst_us, packet.snr_db, len(packet.data)) == (3512348611, 5.1, 32)
    assert found.bad_crc == 1
    assert semtech.ack(found) == b"\x02\x12\x34\x01"
    pull = semtech.unpack(b"\x01\x7b\x00\x02" + GATEWAYS[1])
    assert semtech.ack(pull) == b"\x01\x7b\x00\x04"


def test_pull_resp_is_read_back():
    tx = Tx(b"hello", 868100000, 9, 125, 14, 4294967295)
    assert semtech.unpack(semtech.pull_resp(2, b"ab", tx)).tx == tx
    at_once = Tx(b"hello", 868100000, 9, 125, 14, None)
    assert semtech.unpack(semtech.pull_resp(2, b"ab", at_once)).tx == at_once


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02\x00\x00",
        b"\x03\x00\x00\x00" + bytes(8) + b"{}",
        b"\x02\x00\x00\x09",
        b"\x02\x00\x00\x00" + bytes(7),
        b"\x02\x00\x00\x00" + bytes(8) + b"[]",
        b"\x02\x00\x00\x00" + bytes(8) + b"{",
        b"\x02\x00\x00\x00" + bytes(8) + b'{"rxpk":7}',
        b"\x02\x00\x00\x00" + bytes(8) + b"[" * 5000,
    ],
)
def test_datagrams_that_are_none(data):
    with pytest.raises(FrameError):
        semtech.unpack(data)


@pytest.mark.parametrize(
    "change",
    [
        None,
        {"lsnr": None},
        {"datr": "SF7"},
        {"data": ""},
        {"freq": float("nan")},
        {"tmst": 10**400},  # no float holds it
        {"rssi": -(10**400)},
    ],
)
def test_a_packet_that_cannot_be_read_does_not_cost_its_neighbour(bench, change):
    b = bench()
    front = Front(b.server, lambda: b.now_s)
    datagram = semtech.push_data(b"up", GATEWAYS[0], [rx(b"\x40spoilt"), rx(Peer().up(1, b"x"))])
    rows = json.loads(datagram[12:])["rxpk"]
    rows[0] = 7 if change is None else rows[0] | change
    replies, begun = front.take(datagram[:12] + json.dumps({"rxpk": rows}).encode(), "gw")
    assert replies == [("gw", b"\x02up\x01")]
    assert len(begun) == front.malformed == 1


def test_copies_are_joined_and_a_busy_gateway_is_replaced(bench):
    b = bench()
    front = Front(b.server, lambda: b.now_s)
    data = Peer().up(1, _uplink_payload())
    begun = []
    for n, eui in enumerate(GATEWAYS):
        front.take(semtech.pull_data(b"p1", eui), ("gw", n))
        replies, new = front.take(semtech.push_data(b"t1", eui, [rx(data, n)]), ("gw", n))
        assert replies == [(("gw", n), b"\x02t1\x01")]
        begun += new
    assert begun == [data]
    address, first = asyncio.run(front.answer(data))
    assert address == ("gw", 0)
    token = first[1:3]
    for n in (1, 0, 1):
        refusal = semtech.tx_ack(token, GATEWAYS[1 - n], "COLLISION_PACKET")
        ((address, again),), _ = front.take(refusal, ("gw", 1 - n))
        assert address == ("gw", n)
        assert semtech.unpack(again).tx.data == semtech.unpack(first).tx.data
        token = again[1:3]
    assert front.take(semtech.tx_ack(token, GATEWAYS[0], "TOO_LATE"), 0) == ([], [])
    assert front.failed == 1
    assert front.errors == {"COLLISION_PACKET": 3, "TOO_LATE": 1}
    front.take(b"junk", 0)
    assert front.malformed == 1


# Files


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"region": "MARS"}, "region 'MARS'"),
        ({"device": []}, "nothing could join"),
        ({"colour": 1}, "unknown key 'colour'"),
        ({"rx1_delay_s": 0}, "rx1_delay_s = 0"),
        ({"sub_band": 2}, "sub_band is of US915 and AU915, not of EU868"),
        ({"device": [{"name": "Bed 1"}]}, "name 'Bed 1'"),
        ({"device": [{"name": "a", "dev_eui": "00"}]}, "dev_eui must be 16 hex digits"),
        ({"device": [{"name": "a", "dev_addr": "26000001"}]}, "nwk_s_key must be 32 hex"),
        ({"device": [{"name": "a", "x": 1}]}, "unknown key 'x'"),
        ({"device": [7]}, "expected a table"),
    ],
)
def test_a_devices_file_with_a_fault(change, says):
    with pytest.raises(ConfigError, match=says):
        site_of({"region": "EU868", "device": [_ROW], **change}, "devices.toml")


def test_two_devices_of_one_name_or_eui():
    with pytest.raises(ConfigError, match="name a stands twice"):
        site_of({"device": [_ROW, _ROW]}, "f")
    with pytest.raises(ConfigError, match="dev_eui 0000000000000000 stands twice"):
        site_of({"device": [_ROW, _ROW | {"name": "b"}]}, "f")


def test_unreadable_files(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        read_site(tmp_path / "none.toml")
    (tmp_path / "deep.toml").write_text("x = " + "[" * 3000 + "]" * 3000)
    with pytest.raises(ConfigError, match="nest too deep"):
        read_site(tmp_path / "deep.toml")
    (tmp_path / "bad.toml").write_text("[")
    with pytest.raises(ConfigError, match=r"bad\.toml"):
        read_site(tmp_path / "bad.toml")
    (tmp_path / "bad.db").write_bytes(b"no database at all, but long enough to be looked at" * 20)
    with pytest.raises(GatewayError, match="choose another with --db"):
        Database(tmp_path / "bad.db")


def test_devices_are_listed_and_forgotten(tmp_path, bench):
    b = bench()
    b.receive(rx(Peer().up(confirmed=True), sf=9, snr_db=2.5))
    head, first, second = device_lines(b.database, b.site, b.now_s + 7200)
    assert first.split() == ["bed-1", "never"]
    wanted = ["bed-2", "26010001", "2", "h", "ago", "SF9BW125", "16", "dBm", "15", "dB", "1", "1"]
    assert second.split() == wanted
    assert head.index("rate") == second.index("SF9")
    b.joined(9)
    assert forget_device(b.database, b.site, "bed-1") == "bed-1: forgotten, it may join again"
    assert "nothing was known" in forget_device(b.database, b.site, "bed-1")
    b.restart()
    b.joined(0)
    with pytest.raises(ConfigError, match="no device 'bed-9'"):
        forget_device(b.database, b.site, "bed-9")


def test_the_command_lists_and_says_what_is_missing(tmp_path):
    devices = tmp_path / "devices.toml"
    devices.write_text(
        f'[[device]]\nname = "bed-1"\ndev_eui = "{EUI.hex()}"\n'
        f'join_eui = "{EUI.hex()}"\napp_key = "{KEY.hex()}"\n'
    )
    db = tmp_path / "lns.db"
    options = ["--devices", str(devices), "--db", str(db), "--list"]
    failed = CliRunner().invoke(command, options)
    assert "name the server's --db" in str(failed.exception)
    Database(db).close()
    listed = CliRunner().invoke(command, options)
    assert listed.output.splitlines()[1] == "bed-1            never"
    told = CliRunner().invoke(command, ["--devices", str(devices), "--send", "bed-1"])
    assert "expected DEVICE=FILE" in str(told.exception)


def test_keys_do_not_show_in_messages():
    assert KEY.hex() not in repr(site())
    assert EUI in [device.dev_eui for device in site().devices]
