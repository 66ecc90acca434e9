"""The LoRaWAN device against a network that plays its part, well and badly."""

import asyncio
import unittest

import fake_lorawan as fake

from hedge.core.errors import LinkError, StoreError
from hedge.net.lorawan import commands, crypto, phy, region
from hedge.net.lorawan import maccmd as cmd
from hedge.net.lorawan.airtime import airtime_us
from hedge.net.lorawan.mac import Mac
from hedge.net.lorawan.session import NONCE_BLOCK, UP_BLOCK, Session

_JOIN = (fake.JOIN_EUI, fake.DEV_EUI, fake.APP_KEY)


class _Case(fake.ClockCase):
    region = "EU868"

    def setUp(self):
        fake.ClockCase.setUp(self)
        self.kv = fake.FakeKV()
        self.radio = fake.FakeRadio()
        self.build()

    def build(self, **how):
        plan = region.load(self.region)
        self.session = Session(self.kv, plan)
        self.mac = Mac(self.radio, plan, self.session, **how)

    def run_(self, work):
        return asyncio.run(work)

    def abp(self):
        self.mac.start_abp(fake.ADDR, b"n" * 16, b"a" * 16)

    def join(self, **accept):
        self.radio.answer = lambda sent: {1: fake.join_accept(sent, **accept)}
        joined = self.run_(self.mac.join(*_JOIN))
        self.radio.answer = lambda sent: {}
        return joined

    def up(self, port=1, body=b"x", **how):
        """(downlink, the uplink as the network sees it)."""
        down = self.run_(self.mac.uplink(port, body, **how))
        return down, fake.uplink(self.session, self.radio.sent[-1][0])

    def answered(self, *commands, **how):
        """The next uplink after these commands came down in answer to one."""
        data = fake.downlink(self.session, self.session.fcnt_down + 1, b"".join(commands), **how)
        self.radio.answer = lambda sent: {1: data}
        self.up()
        self.radio.answer = lambda sent: {}
        return self.up()[1].fopts


class TestJoin(_Case):
    def test_keys_settings_and_windows(self):
        self.assertTrue(self.join(dl_settings=0x23, rx_delay_s=5))
        session = self.session
        self.assertEqual(
            (session.dev_addr, session.rx1_offset, session.rx2_rate), (fake.ADDR, 2, 3)
        )
        self.assertEqual(session.rx1_delay_s, 5)
        sent_at = self.radio.sent[0][4] + 50
        self.assertEqual(self.radio.opened[0][2] - sent_at, 5000)
        self.assertEqual(phy.unpack_join_request(self.radio.sent[0][0])[2], 0)

    def test_second_window_of_a_join(self):
        self.radio.answer = lambda sent: {2: fake.join_accept(sent)}
        self.assertTrue(self.run_(self.mac.join(*_JOIN)))
        first, second = self.radio.opened
        self.assertEqual(second[2] - first[2], 1000)
        self.assertEqual(second[:2], (869525000, (12, 125)))

    def test_an_accept_that_is_forged_replayed_or_another_devices(self):
        self.assertTrue(self.join(nonce=5))
        for bad in (
            bytes([1 << 5]) + bytes(16),
            b"\x20short",
            b"",
            fake.join_accept(None, nonce=5),
            fake.join_accept(None, nonce=4),
            fake.join_accept(None, nonce=6)[:-1] + b"\x00",
        ):
            self.radio.answer = lambda sent, bad=bad: {1: bad or b"\xff"}
            self.assertFalse(self.run_(self.mac.join(*_JOIN)))
        self.assertEqual(self.mac.refused, 6)

    def test_a_wrong_accept_in_rx1_does_not_cost_rx2(self):
        self.radio.answer = lambda sent: {
            1: bytes([1 << 5]) + bytes(16),
            2: fake.join_accept(sent),
        }
        self.assertTrue(self.run_(self.mac.join(*_JOIN)))

    def test_a_nonce_is_never_used_twice_whenever_the_power_fails(self):
        nonces = []
        for _ in range(3):
            self.kv = fake.FakeKV(self.kv.saved)
            self.build()
            for _ in range(3):
                self.run_(self.mac.join(*_JOIN))
                nonces.append(phy.unpack_join_request(self.radio.sent[-1][0])[2])
        self.assertEqual(len(set(nonces)), 9)
        self.assertEqual(nonces, sorted(nonces))

    def test_nonces_are_written_in_blocks(self):
        self.join()
        writes = self.kv.writes
        for _ in range(2 * NONCE_BLOCK):
            self.session.next_dev_nonce()
        self.assertTrue(self.kv.writes - writes <= 3)

    def test_a_wiped_device_passes_the_nonces_it_had_used(self):
        highest = 0
        for _ in range(16):
            highest = self.session.next_dev_nonce()
        self.assertEqual(highest, 4095 + 3)

    def test_the_last_nonce(self):
        self.session.join_nonce = 1  # joined before: no doubling
        self.session._nonce = self.session._nonce_limit = 0xFFFF
        self.run_(self.mac.join(*_JOIN))
        self.assertEqual(phy.unpack_join_request(self.radio.sent[-1][0])[2], 0xFFFF)
        for _ in range(2):  # a restart brings none back
            with self.assertRaises(LinkError) as caught:
                self.run_(self.mac.join(*_JOIN))
            self.assertTrue("DevNonces used up" in str(caught.exception))
            self.assertEqual(len(self.radio.sent), 1)
            self.kv = fake.FakeKV(self.kv.saved)
            self.build()
            self.radio.sent = self.radio.sent[:1]

    def test_nothing_is_sent_if_the_nonce_cannot_be_kept(self):
        self.kv.fails = StoreError("full")
        with self.assertRaises(StoreError):
            self.run_(self.mac.join(*_JOIN))
        self.assertEqual(self.radio.sent, [])

    def test_back_off(self):
        """1 % in the first hour, 0.1 % after it."""
        times = []
        while not times or times[-1] < 4 * 3600000:
            self.run_(self.mac.join(*_JOIN))
            times.append(self.radio.sent[-1][4])
        first_hour = [t for t in times if t < 3600000]
        later = [t for t in times if t >= 3600000]
        self.assertTrue(20 <= len(first_hour) <= 600)
        self.assertTrue(len(later) <= 0.2 * 3 * len(first_hour))

    def test_settings_of_another_region_leave_the_defaults(self):
        for name, rx2 in (("EU868", 0), ("US915", 8), ("AS923", 2)):
            self.region = name
            self.build()
            self.assertTrue(self.join(dl_settings=0x7F, nonce=self.session.join_nonce + 2))
            self.assertEqual((self.session.rx1_offset, self.session.rx2_rate), (0, rx2))
            self.up()

    def test_channels_of_the_cf_list(self):
        from hedge.net.lorawan.channels import cf_list

        self.join(cf_list=cf_list([867100000, 867300000]))
        channels = self.session.channels
        self.assertEqual([channels.freq_hz(i) for i in (3, 4)], [867100000, 867300000])
        self.assertEqual(channels.usable(5), [0, 1, 2, 3, 4])


class TestCounters(_Case):
    def test_an_uplink_counter_is_never_used_twice(self):
        counters = []
        for n in range(5):
            self.kv = fake.FakeKV(self.kv.saved)
            self.build()
            self.abp()
            for _ in range(7 * n + 1):
                counters.append(self.up()[1].fcnt)
        self.assertEqual(len(set(counters)), len(counters))
        self.assertEqual(counters, sorted(counters))

    def test_one_write_for_a_block(self):
        self.abp()
        writes = self.kv.writes
        for _ in range(4 * UP_BLOCK):
            self.session.next_fcnt_up()
        self.assertEqual(self.kv.writes - writes, 3)

    def test_nothing_is_sent_if_the_counter_cannot_be_kept(self):
        self.abp()
        for _ in range(UP_BLOCK):
            self.session.next_fcnt_up()
        self.kv.fails = StoreError("full")
        with self.assertRaises(StoreError):
            self.up()
        self.assertEqual(self.radio.sent, [])

    def test_past_16_bits_and_past_32(self):
        self.abp()
        self.session.fcnt_up = 0xFFFF
        self.up()
        self.run_(self.mac.uplink(1, b"y"))
        message = fake.uplink(self.session, self.radio.sent[-1][0], 0x10000)
        self.assertEqual(message.payload, b"y")
        self.session.fcnt_up = 1 << 32
        with self.assertRaises(LinkError):
            self.up()

    def test_the_last_counter_and_none_after_it_nor_after_a_restart(self):
        self.abp()
        self.session.fcnt_up = self.session._up_limit = 0xFFFFFFFF
        self.run_(self.mac.uplink(1, b"y"))
        self.assertEqual(
            fake.uplink(self.session, self.radio.sent[-1][0], 0xFFFFFFFF).payload, b"y"
        )
        for _ in range(2):
            self.assertTrue(self.session.is_used_up)
            with self.assertRaises(LinkError) as caught:
                self.up()
            self.assertTrue("all 2**32 uplink counters" in str(caught.exception))
            self.assertEqual(len(self.radio.sent), 1)
            self.kv = fake.FakeKV(self.kv.saved)
            self.build()
            self.abp()
        self.mac.start_abp(fake.ADDR, b"N" * 16, b"A" * 16)
        self.assertEqual(self.up()[1].fcnt, 0)

    def _takes(self, data):
        before = self.mac.downlinks
        self.radio.answer = lambda sent: {1: data}
        self.up()
        return self.mac.downlinks > before

    def test_downlinks_replayed_forged_or_for_others(self):
        self.abp()
        good = fake.downlink(self.session, 0, port=1, body=b"hello")
        self.assertTrue(self._takes(good))
        self.assertFalse(self._takes(good))
        self.assertFalse(self._takes(good[:-1] + bytes((good[-1] ^ 1,))))
        self.assertFalse(self._takes(self.radio.sent[-1][0]))  # our own uplink, sent back
        self.assertFalse(self._takes(b"\xe0"))
        self.assertTrue(
            self._takes(fake.downlink(self.session, 60000))
        )  # 1.0.4: any gap below 2**16
        self.assertFalse(self._takes(fake.downlink(self.session, 59999)))

    def test_downlinks_past_16_bits_and_to_the_end(self):
        self.abp()
        for fcnt in (0, 0xFFFF, 0x10000, 0x1FFFF):
            self.assertTrue(self._takes(fake.downlink(self.session, fcnt)), fcnt)
        self.assertFalse(self._takes(fake.downlink(self.session, 0xFFFF)))
        self.session.fcnt_down = 0xFFFFFFFE
        last = fake.downlink(self.session, 0xFFFFFFFF)
        self.assertTrue(self._takes(last))
        self.assertFalse(self._takes(last))
        self.assertFalse(self._takes(fake.downlink(self.session, 0)))  # it does not begin anew

    def test_the_downlink_counter_rolls_over_its_16_bits(self):
        self.abp()
        replay = fake.downlink(self.session, 0xFFFE)
        for fcnt in (0xFFFE, 0x10001, 0x10001 + 0xFFFF, 0x30000):
            self.assertTrue(self._takes(fake.downlink(self.session, fcnt)), fcnt)
            self.assertFalse(self._takes(replay))
            self.assertFalse(self._takes(fake.downlink(self.session, fcnt)))
        self.assertEqual(self.session.fcnt_down, 0x30000)
        self.session.fcnt_down = 0xFFFFFFFF
        self.assertFalse(self._takes(fake.downlink(self.session, 0xFFFFFFFF)))

    def test_commands_in_both_places_spoil_the_whole_message(self):
        self.abp()
        session = self.session
        good = fake.downlink(session, 0, b"\x06", port=1, body=b"\x06")
        bad = bytearray(good[:-4])
        bad[9] = 0  # the port
        bad += crypto.data_mic(session.nwk_s_key, crypto.DOWN, session.dev_addr, 0, bad)
        self.assertFalse(self._takes(bytes(bad)))
        self.assertEqual(self.session.fcnt_down, -1)
        self.assertTrue(self._takes(good))

    def test_the_downlink_counter_survives_a_reset(self):
        self.abp()
        good = fake.downlink(self.session, 3)
        self.assertTrue(self._takes(good))
        self.kv = fake.FakeKV(self.kv.saved)
        self.build()
        self.abp()
        self.assertFalse(self._takes(good))

    def test_other_keys_begin_another_session(self):
        self.abp()
        self.up()
        self.mac.start_abp(fake.ADDR, b"N" * 16, b"A" * 16)
        self.assertEqual(self.up()[1].fcnt, 0)

    def test_another_address_begins_another_session(self):
        self.abp()
        self.up()
        self.mac.start_abp(fake.ADDR + 1, b"n" * 16, b"a" * 16)
        self.assertEqual(self.up()[1].dev_addr, fake.ADDR + 1)

    def test_a_session_of_another_region_is_left(self):
        self.join()
        self.region = "US915"
        self.kv = fake.FakeKV(self.kv.saved)
        self.build()
        self.assertFalse(self.session.joined)
        self.assertEqual(self.session.rx2_hz, 923300000)
        self.assertTrue(self.session.next_dev_nonce() > 0)

    def test_a_first_rate_that_the_region_has_not_leaves_one_that_it_has(self):
        for name, wrong, right in (("US915", 5, 4), ("AS923", 1, 5), ("EU868", 6, 5)):
            self.region = name
            self.kv = fake.FakeKV()
            self.build(rate=wrong)
            self.abp()
            self.assertEqual(self.session.rate, right)
            self.up()

    def test_the_same_keys_in_another_region_count_on(self):
        """They would give their key stream away, and the network server refuses what it had."""
        self.abp()
        data = fake.downlink(self.session, 7)
        self.radio.answer = lambda sent: {1: data}
        self.up()
        self.radio.answer = lambda sent: {}
        last = self.up()[1].fcnt
        self.region = "IN865"
        for _ in range(2):
            self.kv = fake.FakeKV(self.kv.saved)
            self.build()
            self.abp()
            fcnt = self.up()[1].fcnt
            self.assertTrue(fcnt > last)
            self.assertEqual(self.session.fcnt_down, 7)
            self.assertEqual(self.session.rx2_hz, 866550000)
            last = fcnt

    def test_a_session_that_an_older_firmware_saved(self):
        self.abp()
        self.up()
        for name in ("down_dwell", "region"):
            del self.kv.saved["session"][name]
        self.kv = fake.FakeKV(self.kv.saved)
        self.build()
        self.assertTrue(self.session.joined)
        self.assertFalse(self.session.down_dwell)
        self.up()


class _PowerCut(Exception):
    pass


class _CutKV(fake.FakeKV):
    """The power fails at save number `cut`, before or after it took effect."""

    def __init__(self, saved, cut, done):
        fake.FakeKV.__init__(self, saved)
        self._cut, self._done = cut, done

    def save(self):
        if self.writes == self._cut:
            if self._done:
                fake.FakeKV.save(self)
            raise _PowerCut
        fake.FakeKV.save(self)


class TestPowerCuts(_Case):
    def _life(self):
        """Join, if need be, and send until the power fails."""
        self.radio.answer = self._answer
        while not self.session.joined:
            self.run_(self.mac.join(*_JOIN))
        for _ in range(UP_BLOCK + 8):
            self.up()
            self.radio.sent.clear()

    def _answer(self, sent):
        """A join server that accepts, a network that says something now and then."""
        if sent[0][0] >> 5 == phy.JOIN_REQUEST:
            self.nonces.append(phy.unpack_join_request(sent[0])[2])
            self.accepts += 1
            if self.accepts % 2:
                return {}
            return {1: fake.join_accept(sent, nonce=self.accepts)}
        key = self.session.nwk_s_key[0] | self.session.nwk_s_key[1] << 8
        self.counters.append(key << 16 | phy.unpack_data(sent[0]).fcnt)
        if len(self.counters) % 5:
            return {}
        return {1: fake.downlink(self.session, self.session.fcnt_down + 1, b"\x06")}

    def test_at_every_write_nothing_is_used_twice(self):
        for done in (False, True):
            self.nonces, self.counters, self.accepts = [], [], 0
            saved = {}
            for cut in range(12):
                self.kv = _CutKV(saved, cut, done)
                self.build()
                with self.assertRaises(_PowerCut):
                    self._life()
                saved = self.kv.saved
            self.assertEqual(len(set(self.nonces)), len(self.nonces))
            self.assertEqual(len(set(self.counters)), len(self.counters))
            self.assertTrue(len(self.counters) > 100)


class TestUplink(_Case):
    def setUp(self):
        _Case.setUp(self)
        self.abp()

    def test_windows_after_an_uplink(self):
        self.up()
        data, hz, lora, dbm, at = self.radio.sent[0]
        rx1, rx2 = self.radio.opened
        self.assertEqual(rx1, (hz, lora, at + 50 + 1000))
        self.assertEqual(rx2, (869525000, (12, 125), at + 50 + 2000))
        self.assertTrue(dbm == 16 and 868000000 < hz < 868600000)

    def test_data_for_the_application(self):
        body = fake.downlink(self.session, 0, port=9, body=b"hello", flags=phy.F_PENDING)
        self.radio.answer = lambda sent: {2: body}
        down, _ = self.up()
        self.assertEqual((down.port, down.payload), (9, b"hello"))
        self.assertTrue(self.mac.more)

    def test_a_confirmed_downlink_is_acknowledged_once(self):
        data = fake.downlink(self.session, 0, confirmed=True)
        self.radio.answer = lambda sent: {1: data}
        self.up()
        self.radio.answer = lambda sent: {}
        self.assertTrue(self.up()[1].fctrl & phy.ACK)
        self.assertFalse(self.up()[1].fctrl & phy.ACK)

    def test_repeats_end_with_a_downlink_and_keep_their_counter(self):
        self.session.nb_trans = 3
        self.up()
        self.assertEqual(len({sent[0] for sent in self.radio.sent}), 1)
        self.assertEqual(len(self.radio.sent), 3)
        data = fake.downlink(self.session, 0)
        self.radio.answer = lambda sent: {1: data}
        self.up()
        self.assertEqual(len(self.radio.sent), 4)

    def test_a_confirmed_uplink_without_its_ack_is_not_repeated_at_once(self):
        self.session.nb_trans = 3
        self.session.channels.mask = 1
        self.mac.region.plan = dict(self.mac.region.plan, duty=())
        self.up(confirmed=True)
        self.up()
        at = [sent[4] for sent in self.radio.sent]
        self.assertEqual(len(at), 6)
        for i in range(3):  # 50 ms on the air, RX2 2 s after that, then 1 to 3 s, then up to 1 s
            self.assertTrue(3050 <= at[i + 1] - at[i] <= 6100)
        self.assertTrue(at[4] - at[3] <= 3100)

    def test_too_large_and_not_joined(self):
        self.session.rate = 0
        with self.assertRaises(LinkError):
            self.up(body=bytes(52))
        self.session.joined = False
        with self.assertRaises(LinkError):
            self.up()
        self.assertEqual(self.radio.sent, [])

    def test_duty_cycle(self):
        """1 % of an hour is 36 s, whatever is asked of it."""
        self.session.rate = 0
        while self.clock.now_ms < 3600000:
            self.up(body=bytes(51))
        hour = [sent for sent in self.radio.sent if sent[4] < 3600000]
        self.assertTrue(10 <= len(hour) <= 15)  # 2.8 s each

    def reset(self):
        self.kv = fake.FakeKV(self.kv.saved)
        self.build()
        self.abp()

    def test_a_reset_does_not_forget_what_a_band_owes(self):
        self.session.rate = 0
        self.up(body=bytes(51))
        at = self.radio.sent[-1][4]
        self.reset()
        self.assertEqual(self.session.rate, 5)  # had its own rate been kept it would owe as much
        self.up()
        self.assertTrue(99 * 2793 <= self.radio.sent[-1][4] - at <= 2 * 99 * 2793 + 5000)

    def test_resets_in_a_loop_keep_to_one_percent(self):
        sent = []
        for n in range(60):
            self.reset()
            self.session.rate = n % 6
            self.up(body=bytes(n % 40))
            sent.append(self.radio.sent[-1])
            self.clock.now_ms += 100 * n
        for i in range(len(sent)):
            hour = [s for s in sent[i:] if s[4] - sent[i][4] < 3600000]
            self.assertTrue(sum([airtime_us(len(s[0]), *s[2]) for s in hour]) <= 36000000)
        self.assertTrue(sent[-1][4] > 3600000)

    def test_debts_cost_hardly_any_writes(self):
        self.mac.adr = False  # nobody answers: it would go slower and slower
        self.up(body=b"x" * 20)
        writes = self.kv.writes
        for n in range(5 * UP_BLOCK):
            self.up(body=bytes(5 + n % 15))
            self.radio.sent.clear()
            self.radio.opened.clear()
        self.assertTrue(self.kv.writes - writes <= 6)

    def test_an_idle_band_owes_nothing_after_a_while(self):
        self.session.rate = 0
        self.up(body=bytes(51))
        self.session.rate = 5
        for _ in range(2 * UP_BLOCK):
            self.up()
        self.reset()
        before_ms = self.clock.now_ms
        self.up()
        self.assertTrue(self.clock.now_ms - before_ms < 30000)

    def test_a_clock_that_ran_on_shortens_the_wait_after_an_orderly_end_alone(self):
        self.clock.start_s = 1760000000
        self.session.rate = 0
        for orderly in (True, False):
            self.up(body=bytes(51))
            if orderly:
                self.mac.settle()
            self.clock.now_ms += 3600000
            self.reset()
            self.session.rate = 0
            before_ms = self.clock.now_ms
            self.up(body=bytes(51))
            waited_ms = self.radio.sent[-1][4] - before_ms
            self.assertEqual(waited_ms < 2000, orderly)
            self.clock.now_ms += 3600000

    def test_an_end_in_a_transmission_is_none_in_order(self):
        async def settle(*sent):
            self.mac.settle()
            return 50

        self.clock.start_s = 1760000000
        self.up()
        self.mac.settle()
        self.assertFalse(self.kv.saved["ends"] is None)
        self.clock.now_ms += 3600000
        self.radio.send = settle
        self.run_(self.mac.uplink(1, b"x"))
        self.assertIsNone(self.kv.saved["ends"])

    def test_nothing_is_sent_if_the_debt_cannot_be_kept(self):
        self.up()
        self.session.rate = 0
        self.clock.now_ms += 3600000
        self.kv.fails = StoreError("full")
        for _ in range(2):
            with self.assertRaises(StoreError):
                self.up()
        self.assertEqual(len(self.radio.sent), 1)

    def test_a_radio_that_fails_has_used_the_air(self):
        async def stuck(*_):
            raise LinkError("stuck")

        send, self.radio.send = self.radio.send, stuck
        self.session.rate = 0
        with self.assertRaises(LinkError):
            self.up(body=bytes(51))
        self.radio.send = send
        self.up()
        self.assertTrue(self.radio.sent[-1][4] >= 99 * 2793)

    def test_a_full_payload_fits_while_adr_steps_down(self):
        for _ in range(64 + 6 * 32):
            self.up(body=bytes(self.mac.room()))
            self.radio.sent.clear()
            self.radio.opened.clear()
        self.assertEqual(self.session.rate, 0)

    def test_adr_asks_then_steps_down(self):
        self.session.power = 3
        asked = [bool(self.up()[1].fctrl & phy.ADR_ACK_REQ) for _ in range(64 + 32 + 65)]
        self.assertEqual(asked.index(True), 64)
        self.assertEqual(self.session.power, 0)
        self.assertEqual(self.session.rate, 3)

    def test_without_adr_nothing_is_asked(self):
        self.build(adr=False)
        self.abp()
        for _ in range(100):
            self.assertEqual(self.up()[1].fctrl, 0)


class TestCommands(_Case):
    def setUp(self):
        _Case.setUp(self)
        self.abp()

    def test_link_adr(self):
        self.assertEqual(self.answered(fake.link_adr(3, 2, 5, 0, 2)), b"\x03\x07")
        session = self.session
        self.assertEqual((session.rate, session.power, session.nb_trans), (3, 2, 2))
        self.assertEqual(session.channels.usable(3), [0, 2])
        self.assertEqual(self.radio.sent[-1][3], 12)

    def test_link_adr_is_refused_as_a_whole(self):
        for bad, status in (
            (fake.link_adr(9, 0, 7), 0x04),  # the mask is judged with the rate
            (fake.link_adr(3, 12, 7), 0x03),
            (fake.link_adr(3, 0, 0), 0x06),
            (fake.link_adr(3, 0, 0x10), 0x06),
            (fake.link_adr(3, 0, 7, 3), 0x06),
        ):
            self.assertEqual(self.answered(bad), bytes((3, status)))
        self.assertEqual((self.session.rate, self.session.channels.mask), (5, 7))

    def test_link_adr_block_is_one(self):
        answer = self.answered(fake.link_adr(15, 15, 1), fake.link_adr(15, 15, 6))
        self.assertEqual(answer, b"\x03\x07\x03\x07")
        self.assertEqual(self.session.channels.mask, 6)

    def test_rx_param_setup_is_answered_until_it_is_heard(self):
        hz = cmd.freq_bytes(868100000)
        self.assertEqual(self.answered(b"\x05\x23" + hz), b"\x05\x07")
        self.assertEqual(self.up()[1].fopts, b"\x05\x07")
        self.assertEqual(self.radio.opened[-1][:2], (868100000, (9, 125)))
        data = fake.downlink(self.session, 10)
        self.radio.answer = lambda sent: {1: data}
        self.up()
        self.assertEqual(self.up()[1].fopts, b"")

    def test_the_windows_survive_a_reset(self):
        self.answered(b"\x05\x23" + cmd.freq_bytes(868100000), b"\x08\x05")
        self.kv = fake.FakeKV(self.kv.saved)
        self.build()
        self.abp()
        self.session.channels.mask = 1
        self.up()
        ended = self.radio.sent[-1][4] + 50
        self.assertEqual(
            self.radio.opened[-2:],
            [(868100000, (9, 125), ended + 5000), (868100000, (9, 125), ended + 6000)],
        )

    def test_rx_param_setup_refused(self):
        self.assertEqual(self.answered(b"\x05\x6f" + cmd.freq_bytes(433000000)), b"\x05\x00")

    def test_new_channel_and_dl_channel(self):
        hz = cmd.freq_bytes(867100000)
        self.assertEqual(self.answered(b"\x07\x03" + hz + b"\x50"), b"\x07\x03")
        self.assertEqual(self.answered(b"\x07\x00" + hz + b"\x50"), b"\x07\x00")
        self.assertEqual(
            self.answered(b"\x07\x04" + cmd.freq_bytes(10000000) + b"\x50"), b"\x07\x02"
        )
        self.assertEqual(self.answered(b"\x0a\x03" + cmd.freq_bytes(868500000)), b"\x0a\x03")
        self.assertEqual(self.answered(b"\x0a\x0f" + cmd.freq_bytes(868500000)), b"\x0a\x01")
        self.assertEqual(self.session.channels.rx1_hz(3), 868500000)
        self.assertEqual(self.answered(b"\x07\x03\x00\x00\x00\x50"), b"\x07\x03")
        self.assertEqual(self.session.channels.usable(5), [0, 1, 2])

    def test_all_channels_on_are_those_that_there_are(self):
        hz = cmd.freq_bytes(867100000)
        self.assertEqual(self.answered(b"\x07\x06" + hz + b"\x50"), b"\x07\x03")
        self.assertEqual(self.answered(fake.link_adr(3, 2, 1)), b"\x03\x07")
        self.assertEqual(self.answered(fake.link_adr(3, 2, 0, 6)), b"\x03\x07")
        self.assertEqual(self.session.channels.usable(3), [0, 1, 2, 6])

    def test_the_only_channel_is_taken_away(self):
        hz = cmd.freq_bytes(867100000)
        self.answered(b"\x07\x03" + hz + b"\x50", fake.link_adr(5, 0, 8))
        self.assertEqual(self.session.channels.usable(5), [3])
        self.assertEqual(self.answered(b"\x07\x03\x00\x00\x00\x50"), b"\x07\x03")
        self.assertEqual(self.session.channels.usable(5), [0, 1, 2])

    def test_a_channel_that_does_not_take_the_rate_any_more(self):
        hz = cmd.freq_bytes(867100000)
        self.answered(b"\x07\x03" + hz + b"\x50", fake.link_adr(5, 0, 8))
        self.answered(b"\x07\x03" + hz + b"\x20")  # DR0 to DR2
        self.assertEqual((self.session.rate, self.session.channels.usable(2)), (2, [3]))

    def test_timing_duty_status_time_and_check(self):
        answer = self.answered(b"\x08\x05\x04\x02\x06")
        self.assertEqual(answer, b"\x08\x04\x06\xff\x07")
        self.assertEqual((self.session.rx1_delay_s, self.session.duty_divider), (5, 4))
        told = []
        self.mac.on_time = told.append
        self.mac.ask_time()
        self.mac.ask_link_check()
        data = fake.downlink(
            self.session, 9, b"\x0d" + cmd.device_time(1760000000, 128) + b"\x02\x14\x02"
        )
        self.radio.answer = lambda sent: {1: data}
        self.assertEqual(self.up()[1].fopts, b"\x08\x0d\x02")
        self.assertEqual(told, [1760000005])  # it is of the uplink's end; RX1 came 5 s later
        self.assertEqual((self.mac.link_margin_db, self.mac.link_gateways), (20, 2))

    def test_margin_below_zero_with_and_without_its_sign(self):
        for snr, margin in ((-24, -6), (256 - 24, -6), (-7, -2), (7, 2), (5, 1), (-5, -1)):
            self.radio.snr = snr  # the nearest dB
            self.assertEqual(self.answered(b"\x06"), b"\x06\xff" + bytes((margin & 0x3F,)))

    def test_unknown_and_cut_commands_end_the_list(self):
        self.assertEqual(self.answered(b"\x06\x55\x06"), b"\x06\xff\x07")
        self.assertEqual(self.answered(b"\x06\x03\x00"), b"\x06\xff\x07")

    def test_commands_on_port_0(self):
        data = fake.downlink(self.session, 0, port=0, body=fake.link_adr(4, 0, 7))
        self.radio.answer = lambda sent: {1: data}
        self.assertIsNone(self.up()[0])
        self.assertEqual(self.session.rate, 4)

    def test_any_commands_leave_a_device_that_can_send(self):
        import random

        random.seed(9)
        for n in range(300):
            data = bytes(
                [(random.getrandbits(4), random.getrandbits(8))[i % 5 > 0] for i in range(15)]
            )
            found = cmd.split(data, 1)
            for answer in commands.carry_out(self.mac, found, 5.5):
                self.assertEqual(len(answer), 1 + cmd.SIZES[answer[0]][0])
            session = self.session
            self.assertTrue(session.channels.usable(session.rate), data)
            self.assertTrue(1 <= session.rx1_delay_s <= 15 and 1 <= session.nb_trans <= 15)
            self.assertTrue(self.mac.region.lora(session.rx2_rate))
            if n % 20 == 0:
                session.save()
                session.duty_divider = 1
                self.up(body=b"")

    def test_what_was_set_survives_a_reset(self):
        self.answered(fake.link_adr(3, 2, 5), b"\x07\x03" + cmd.freq_bytes(867100000) + b"\x50")
        self.kv = fake.FakeKV(self.kv.saved)
        self.build()
        self.assertTrue(self.session.joined)
        self.assertEqual(self.session.rate, 3)
        self.assertEqual(self.session.channels.freq_hz(3), 867100000)

    def test_more_answers_than_fit_wait_for_the_next_uplink(self):
        self.session.rate = 0
        self.assertEqual(len(self.answered(*[b"\x06"] * 7)), 15)
        self.assertEqual(len(self.up()[1].fopts), 6)


class TestClassC(_Case):
    def test_downlinks_between_uplinks(self):
        self.build(class_c=True)
        self.abp()
        got = []
        self.mac.on_downlink = got.append
        self.radio.air = [b"noise", fake.downlink(self.session, 0, port=3, body=b"now")]
        self.run_(self.mac.listen_for(1000))
        self.assertEqual([message.payload for message in got], [b"now"])
        self.assertEqual(self.radio.opened[0][:2], (869525000, (12, 125)))
        self.assertEqual(self.mac.refused, 1)

    def between(self, *told):
        """The next uplink after these commands came between uplinks, each in its downlink."""
        for n, told_one in enumerate(told):
            self.radio.air.append(
                fake.downlink(self.session, self.session.fcnt_down + 1 + n, told_one)
            )
        self.run_(self.mac.listen_for(50 * len(told) + 50))
        return self.up()[1].fopts

    def test_what_comes_between_uplinks_does_not_show_that_they_are_heard(self):
        self.build(class_c=True)
        self.abp()
        for _ in range(70):
            self.up()
            self.radio.sent.clear()
        hz = cmd.freq_bytes(868100000)
        answers = self.between(b"\x05\x23" + hz, b"\x05\x13" + hz)
        self.assertEqual(answers, b"\x05\x07")
        last = fake.uplink(self.session, self.radio.sent[-1][0])
        self.assertTrue(last.fctrl & phy.ADR_ACK_REQ)
        self.assertEqual(self.between(b""), b"\x05\x07")  # not confirmed yet
        self.assertEqual((self.session.rx1_offset, self.session.rx2_rate), (1, 3))
        self.assertEqual(self.radio.opened[-1][:2], (868100000, (9, 125)))

    def test_questions_without_end_between_uplinks(self):
        self.build(class_c=True)
        self.abp()
        self.assertEqual(self.between(*[b"\x06"] * 100), b"\x06\xff\x07" * 5)
        self.assertTrue(len(self.mac._answers) <= 30)

    def test_a_confirmed_downlink_stays_owed_until_the_next_uplink(self):
        self.build(class_c=True)
        self.abp()
        self.radio.air = [
            fake.downlink(self.session, 0, confirmed=True),
            fake.downlink(self.session, 1),
        ]
        self.run_(self.mac.listen_for(200))
        self.assertTrue(self.up()[1].fctrl & phy.ACK)
        self.assertFalse(self.up()[1].fctrl & phy.ACK)


class TestUS915(_Case):
    region = "US915"

    def test_joins_walk_over_the_blocks(self):
        found = set()
        for _ in range(16):
            self.run_(self.mac.join(*_JOIN))
            _, hz, lora, _, _ = self.radio.sent[-1]
            number = region.load("US915").channel_of(hz)
            self.assertEqual(lora, (8, 500) if number >= 64 else (10, 125))
            found.add(number // 8 if number < 64 else 8)
        self.assertEqual(len(found), 9)

    def test_rx1_of_a_channel(self):
        self.abp()
        self.session.channels.mask = 1 << 10
        self.up()
        self.assertEqual(self.radio.sent[0][1], 904300000)
        self.assertEqual(self.radio.opened[0][:2], (923300000 + 2 * 600000, (10, 500)))
        self.assertEqual(self.radio.opened[1][:2], (923300000, (12, 500)))

    def test_masks(self):
        self.abp()
        masks = self.session.channels
        self.assertEqual(masks.masked(0, 0, 0xFF00), 0xFF00)
        self.assertEqual(masks.masked(0xFF00, 7, 2), 2 << 64)
        self.assertEqual(masks.masked(0, 5, 2), 0xFF00 | 2 << 64)
        self.assertEqual(masks.masked(0, 6, 0), (1 << 64) - 1)
        answer = self.answered(fake.link_adr(15, 15, 0, 7), fake.link_adr(3, 5, 0xFF00, 0))
        self.assertEqual(answer, b"\x03\x07\x03\x07")
        self.assertEqual(masks.usable(3), list(range(8, 16)))

    def test_a_cf_list_that_leaves_the_joins_rate_without_a_channel(self):
        for mask, rate in ((0xFF00, 3), (0, 4)):
            self.build()
            self.session.rate = 4  # of 500 kHz
            cf_list = mask.to_bytes(9, "little") + bytes(6) + b"\x01"
            accept = phy.JoinAccept(9, 0, fake.ADDR, 8, 1, cf_list)
            self.session.start(accept, (b"n" * 16, b"a" * 16))
            self.assertEqual(self.session.rate, rate)
            self.up(body=b"")

    def test_eleven_bytes_and_a_full_queue(self):
        self.abp()
        self.assertEqual((self.session.rate, self.mac.room()), (0, 11))
        self.mac.ask_time()
        self.assertEqual(self.mac.room(), 10)


class TestOtherRegions(_Case):
    def test_first_windows(self):
        for name, hz, rate, offset, wanted in (
            ("EU868", 868100000, 5, 2, (868100000, 3)),
            ("EU868", 868100000, 0, 5, (868100000, 0)),
            ("IN865", 865062500, 3, 7, (865062500, 5)),
            ("AS923", 923200000, 3, 2, (923200000, 2)),
            ("AU915", 915200000, 5, 1, (923300000, 12)),
            ("AU915", 915200000, 6, 0, (923300000, 13)),
        ):
            self.assertEqual(region.load(name).rx1(hz, 0, rate, offset), wanted)

    def test_impossible_masks(self):
        """Refused whole, as the status says: 1 mask, 2 data rate, 4 power."""
        for name, asked, status in (
            ("EU868", (5, 0, 0, 0), 6),
            ("EU868", (5, 0, 8, 0), 6),  # no such channel
            ("EU868", (5, 0, 7, 5), 6),  # a control that is not defined
            ("EU868", (6, 0, 7, 0), 6),  # SF7BW250 on channels that do not take it
            ("EU868", (7, 0, 7, 0), 4),  # FSK
            ("IN865", (5, 0, 0, 0), 6),
            ("IN865", (5, 0, 8, 0), 6),
            ("IN865", (5, 0, 7, 7), 6),
            ("IN865", (6, 11, 7, 0), 0),
            ("AS923", (5, 0, 0, 0), 6),
            ("AS923", (5, 0, 4, 0), 6),
            ("AS923", (1, 0, 3, 0), 5),  # longer than the dwell time
            ("AS923", (5, 8, 3, 1), 2),
            ("US915", (3, 0, 0, 5), 6),
            ("US915", (3, 0, 2, 7), 6),  # 500 kHz alone does not take it
            ("US915", (4, 0, 0, 6), 6),  # nor 125 kHz this
            ("US915", (5, 0, 255, 5), 4),
            ("US915", (8, 0, 255, 5), 4),  # of downlinks
            ("AU915", (5, 0, 0, 5), 6),
            ("AU915", (5, 0, 2, 7), 6),
            ("AU915", (6, 0, 0, 6), 6),
            ("AU915", (7, 15, 255, 5), 4),  # there is none; 15 keeps the power
        ):
            self.region = name
            self.kv = fake.FakeKV()
            self.build()
            self.abp()
            before = self.session.rate, self.session.channels.saved()
            self.assertEqual(self.answered(fake.link_adr(*asked)), bytes((3, status)), asked)
            self.assertEqual((self.session.rate, self.session.channels.saved()), before)

    def test_bits_that_mean_nothing_are_ignored(self):
        for name in ("US915", "AU915"):
            self.region = name
            self.build()
            self.abp()
            answer = self.answered(fake.link_adr(3, 0, 0, 6), fake.link_adr(3, 0, 0xFF01, 4))
            self.assertEqual(answer, b"\x03\x07\x03\x07")
            self.assertEqual(self.session.channels.mask, (1 << 64) - 1 | 1 << 64)

    def test_rx1_of_as923_follows_the_dwell_time_of_downlinks(self):
        self.region = "AS923"
        self.build()
        self.abp()
        for limits, lora in ((b"\x05", (12, 125)), (b"\x25", (10, 125))):
            self.answered(b"\x09" + limits)
            self.session.rate = 0
            self.up()
            self.assertEqual(self.radio.opened[-2][1], lora)

    def test_dwell_time_of_as923(self):
        self.region = "AS923"
        self.build()
        self.abp()
        self.session.rate = 2
        self.assertEqual(self.mac.room(), 11)
        self.assertEqual(self.answered(b"\x09\x05"), b"\x09")
        self.assertEqual(self.mac.room(), 114)
        self.assertEqual(self.up()[1].fopts, b"\x09")  # until it is heard
        data = fake.downlink(self.session, 10)
        self.radio.answer = lambda sent: {1: data}
        self.up()
        self.assertEqual(self.mac.room(), 115)
        self.assertEqual(self.session.max_eirp_dbm, 16)

    def test_unknown_region(self):
        from hedge.core.errors import ConfigError

        with self.assertRaises(ConfigError):
            region.load("MARS")


if __name__ == "__main__":
    unittest.main()
