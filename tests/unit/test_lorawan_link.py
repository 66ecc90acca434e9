"""The link over LoRaWAN against a network that hears, is deaf, forgets: frames in, acks out."""

import asyncio
import sys
import unittest

import fake_lorawan as fake
import machine

from hedge import node_plan
from hedge.board import Board
from hedge.core.errors import ConfigError, LinkError
from hedge.net.link import make_link
from hedge.net.lorawan import parts, payload, region
from hedge.net.lorawan.mac import Mac
from hedge.net.lorawan.radio import Radio
from hedge.net.lorawan.session import UP_BLOCK, Session
from hedge.net.lorawan_link import LorawanLink
from hedge.store import KV
from hedge.wire import ack, frame, senml


def _record(i):
    return senml.encode(1760000000 + 900 * i, [("soil.vwc", "%", (2340 - 3 * i) / 100)])


def _frame(seq, count=1, key=None, boot=3, stream=1):
    records = [_record(seq + i) for i in range(count)]
    return frame.pack("bed-3", boot, stream, seq, seq, records, key=key)


class Network:
    """The other end of the fake radio: stores frames, acks them. deaf: hears nothing."""

    def __init__(self, session, key=None):
        self._session = session
        self._key = key
        self._parts = parts.Assembler()
        self.skeletons = {}
        self.frames = []
        self.payloads = []
        self.deaf = False
        self.mute = False  # hears, and its answers are lost
        self.joins = 0

    def answer(self, sent):
        data = sent[0]
        if self.deaf:
            return {}
        if data[0] >> 5 == 0:
            self.joins += 1
            return {1: fake.join_accept(sent, nonce=self.joins, addr=fake.ADDR + self.joins)}
        message = fake.uplink(self._session, data)
        answer = self._take(message) if message.port else None
        if answer is None or self.mute:
            return {}
        fcnt = self._session.fcnt_down + 1
        return {1: fake.downlink(self._session, fcnt, port=1, body=answer)}

    def _take(self, message):
        self.payloads.append((message.port, message.payload))
        if message.port == payload.PORT_PARTS:
            whole = self._parts.add(message.payload)
        else:
            whole = message.payload if message.port == payload.PORT_RECORDS else None
        if whole is None:
            return None
        try:
            frames, learned = payload.expand(whole, "bed-3", self.skeletons)
        except payload.UnknownSkeleton:
            return payload.pack_ack(b"", True)
        self.skeletons.update(learned)
        found = [frame.unpack(one, self._key) for one in frames]
        self.frames += found
        last = found[-1]
        marks = [(last.boot, last.stream, last.seq + len(last.records) - 1)]
        return payload.pack_ack(ack.pack(9, 1760000000, marks, "bed-3", self._key))

    def numbers(self):
        """Sequence numbers heard, with repeats."""
        return [f.seq + i for f in self.frames for i in range(len(f.records))]


class TestLorawanLink(fake.ClockCase):
    def setUp(self):
        fake.ClockCase.setUp(self)
        self.build()

    def build(self, name="EU868", key=None, rate=None):
        self.radio = fake.FakeRadio()
        plan = region.load(name)
        self.session = Session(fake.FakeKV(), plan)
        self.mac = Mac(self.radio, plan, self.session, rate=rate)
        self.network = Network(self.session, key)
        self.radio.answer = self.network.answer
        join = lambda: self.mac.join(fake.JOIN_EUI, fake.DEV_EUI, fake.APP_KEY)  # noqa: E731
        self.link = LorawanLink(self.mac, "bed-3", join, key)

    def play(self, work):
        """Run work(); afterwards the link is closed."""

        async def whole():
            try:
                return await asyncio.wait_for(work(), 20)
            finally:
                await self.link.close()

        return asyncio.run(whole())

    async def go_deaf(self):
        """A session that ends with frame 1, which the network does not hear."""
        await self.link.connect()
        self.network.deaf = True
        await self.link.send(_frame(1))
        with self.assertRaises(LinkError):
            await self.link.recv()

    def marks(self, data, key=None):
        return ack.unpack(data, "bed-3", key)[2]

    def test_contract(self):
        """Frames arrive unchanged, acks come back, close may be repeated."""

        async def work():
            self.assertFalse(await self.link.connect())
            for seq in (1, 2, 3):
                await self.link.send(_frame(seq))
                self.assertEqual(self.marks(await self.link.recv()), [(3, 1, seq)])
            for _ in range(3):
                await self.link.close()
            with self.assertRaises(LinkError):
                await self.link.send(_frame(4))
            with self.assertRaises(LinkError):
                await self.link.recv()
            self.assertFalse(await self.link.connect())

        self.play(work)
        self.assertEqual(self.network.numbers(), [1, 2, 3])
        self.assertEqual(self.network.joins, 1)
        self.assertTrue(self.link.bytes_sent > 3 * 20)

    def test_signed_frames_keep_their_signature(self):
        key = b"k" * 16
        self.build(key=key, rate=5)

        async def work():
            await self.link.connect()
            await self.link.send(_frame(1, 6, key))
            self.assertEqual(self.marks(await self.link.recv(), key), [(3, 1, 6)])

        self.play(work)
        self.assertEqual(self.network.frames[0].records, [_record(i + 1) for i in range(6)])

    def test_names_travel_once(self):
        async def work():
            await self.link.connect()
            for seq in (1, 2):
                await self.link.send(_frame(seq))
                await self.link.recv()

        self.play(work)
        first, second = [len(data) for _, data in self.network.payloads]
        self.assertTrue(second < first - 15)

    def test_frames_that_continue_share_a_message(self):
        async def work():
            await self.link.connect()
            for seq in (1, 5, 9):
                await self.link.send(_frame(seq, 4))
            while self.network.numbers()[-1:] != [12]:
                await self.link.recv()

        self.build(rate=5)
        self.play(work)
        self.assertEqual(sorted(set(self.network.numbers())), list(range(1, 13)))
        self.assertTrue(len(self.network.payloads) <= 2)

    def test_lost_answers_cost_repeats_and_no_record(self):
        async def work():
            await self.link.connect()
            self.network.mute = True
            await self.link.send(_frame(1, 2))
            while len(self.network.frames) < 3:
                await asyncio.sleep_ms(1)
            self.network.mute = False
            self.assertEqual(self.marks(await self.link.recv()), [(3, 1, 2)])

        self.play(work)
        self.assertEqual(set(self.network.numbers()), {1, 2})
        self.assertTrue(self.link.repeats >= 2)

    def test_a_network_that_forgot_the_names_gets_them_again(self):
        async def work():
            await self.link.connect()
            await self.link.send(_frame(1))
            await self.link.recv()
            self.network.skeletons = {}
            await self.link.send(_frame(2))
            self.assertEqual(self.marks(await self.link.recv()), [(3, 1, 2)])
            await self.link.send(_frame(3))
            await self.link.recv()

        self.play(work)
        self.assertEqual(self.network.numbers(), [1, 2, 3])
        self.assertEqual(self.link.resyncs, 1)

    def test_a_record_too_large_for_any_message_goes_in_parts(self):
        self.build("US915", rate=0)
        text = "the tank is empty and the pump has run for an hour"
        record = senml.encode(1760000000, [("pump", None, False), ("rule", None, text)])

        async def work():
            await self.link.connect()
            await self.link.send(frame.pack("bed-3", 3, 0, 7, 7, [record]))
            self.assertEqual(self.marks(await self.link.recv()), [(3, 0, 7)])

        self.mac.adr = False
        self.play(work)
        self.assertEqual(self.network.frames[-1].records, [record])
        self.assertTrue(self.link.parts_sent >= 10)
        self.assertTrue(all([len(data) <= 11 for _, data in self.network.payloads]))

    def test_a_deaf_network_ends_the_session_and_a_join_begins_another(self):
        async def work():
            await self.go_deaf()
            self.assertFalse(self.session.joined)
            with self.assertRaises(LinkError):
                await self.link.connect()
            self.network.deaf = False
            self.assertTrue(await self.link.connect())  # frame 1 is still under way
            self.assertEqual(self.marks(await self.link.recv()), [(3, 1, 1)])

        self.play(work)
        self.assertEqual(self.network.joins, 2)
        self.assertEqual(self.session.dev_addr, fake.ADDR + 2)

    def test_used_up_counters_lead_to_a_join_and_the_queue_goes_on(self):
        async def work():
            await self.link.connect()
            self.session.fcnt_up = 1 << 32
            await self.link.send(_frame(1))
            with self.assertRaises(LinkError) as caught:
                await self.link.recv()
            self.assertTrue("OTAA joins anew" in str(caught.exception))
            self.assertEqual(self.network.numbers(), [])
            self.assertTrue(await self.link.connect())  # frame 1 is still under way
            self.assertEqual(self.marks(await self.link.recv()), [(3, 1, 1)])

        self.play(work)
        self.assertEqual(self.network.joins, 2)
        self.assertEqual(self.session.dev_addr, fake.ADDR + 2)
        self.assertEqual((self.session.fcnt_up, self.session.kv.saved["up"]), (1, UP_BLOCK))

    def test_a_start_with_used_up_counters_begins_with_a_join(self):
        async def work():
            await self.link.connect()
            self.session.fcnt_up = self.session._up_limit = (1 << 32) - 1
            self.session.next_fcnt_up()  # reserves a block that ends past 32 bits
            plan = region.load("EU868")
            self.session = self.mac.session = Session(fake.FakeKV(self.session.kv.saved), plan)
            self.network._session = self.session
            self.assertTrue(self.session.joined)
            await self.link.connect()
            await self.link.send(_frame(1))
            self.assertEqual(self.marks(await self.link.recv()), [(3, 1, 1)])

        self.play(work)
        self.assertEqual(self.network.joins, 2)

    def test_abp_with_used_up_counters_says_what_to_do_and_sends_nothing(self):
        async def work():
            self.mac.start_abp(fake.ADDR, b"n" * 16, b"a" * 16)
            self.link._activate = None
            self.session.fcnt_up = 1 << 32
            for _ in range(2):
                with self.assertRaises(LinkError) as caught:
                    await self.link.connect()
                self.assertTrue("ABP needs another dev_addr" in str(caught.exception))

        self.play(work)
        self.assertEqual(self.radio.sent, [])

    def test_silence_lowers_the_data_rate(self):
        async def work():
            await self.go_deaf()

        self.play(work)
        self.assertEqual(self.radio.sent[0][2], (7, 125))
        self.assertEqual(self.radio.sent[-1][2], (12, 125))

    def test_a_radio_that_fails_ends_the_session(self):
        async def broken(data, hz, lora, eirp_dbm):
            raise RuntimeError("Status 6,5 indicates command error")

        async def work():
            await self.link.connect()
            self.radio.send = broken
            await self.link.send(_frame(1))
            with self.assertRaises(LinkError):
                await self.link.recv()

        self.play(work)

    def test_other_ports_go_out_once_and_come_in(self):
        heard = []
        self.link.on_downlink = lambda port, data: heard.append((port, data))
        self.radio.answer = lambda sent: (
            self.network.answer(sent)
            if sent[0][0] >> 5 == 0
            else {2: fake.downlink(self.session, self.session.fcnt_down + 1, port=201, body=b"in")}
        )

        async def work():
            await self.link.connect()
            self.link.post(201, b"out")
            while not heard:
                await asyncio.sleep_ms(1)

        self.play(work)
        self.assertEqual(heard[0], (201, b"in"))


class TestMake(unittest.TestCase):
    def test_keys_of_the_node_file(self):
        good = {"kind": "lorawan", "region": "IN865", "modem": None, "state": "none.kv"}
        good.update(dev_eui="00" * 8, join_eui="00" * 8, app_key="00" * 16)
        self.assertFalse(make_link(good, "bed-3").mac.session.joined)
        for change in ({"app_key": "zz"}, {"region": "MARS"}):
            bad = dict(good)
            bad.update(change)
            with self.assertRaises(ConfigError):
                make_link(bad, "bed-3")
        del good["dev_eui"]
        with self.assertRaises(ConfigError):
            make_link(good, "bed-3")


class _Chip:
    """Stands for a driver class of micropython-lib's package `lora`."""

    def __init__(self, **wiring):
        self.wiring = wiring


class _Lora:
    SX1276 = SX1262 = _Chip


class TestNodeFile(unittest.TestCase):
    """From the compiled node file to an uplink: the radio on its bus, the link's own pace."""

    def setUp(self):
        machine.clear_bench()
        sys.modules["lora"] = _Lora
        buses = {
            "spi0": {"kind": "spi", "id": 0, "sck": 18, "mosi": 19, "miso": 16, "freq_hz": 8000000}
        }
        self.board = Board({"name": "UNIX", "buses": buses})

    def tearDown(self):
        del sys.modules["lora"]
        machine.clear_bench()

    def test_wiring_of_both_families(self):
        chip = self.board.bus("lora", ["sx1276", "spi0", 17, 9, 10, -1, 0])
        self.assertEqual(sorted(chip.wiring), ["cs", "dio0", "reset", "spi"])
        chip = self.board.bus("lora", ["sx1262", "spi0", 17, -1, 10, 11, 1800])
        self.assertEqual(chip.wiring["dio3_tcxo_millivolts"], 1800)
        wired = ["busy", "cs", "dio1", "dio3_tcxo_millivolts", "spi"]
        self.assertEqual(sorted(chip.wiring), wired)

    def test_uplink(self):
        table = {"kind": "lorawan", "region": "EU868", "class": "A", "adr": True}
        table.update(dev_eui="00" * 8, join_eui="00" * 8, app_key="00" * 16, key="0f" * 16)
        table["modem"] = ["sx1276", "spi0", 17, 9, 10, -1, 0]
        node = _Node()
        node_plan._uplink(node, table, self.board, "/nowhere", KV("/nowhere/node.kv"))
        uplink = node.make_uplink(b"", None, None)
        self.assertTrue(isinstance(uplink._link, LorawanLink))
        self.assertEqual((uplink.window, uplink.ack_timeout_ms), (4, 4 * 3600000))


class _Node:
    name = "bed-3"
    store = None


class FakeModem:
    """micropython-lib's low-level interface; `sends` counts polls until a packet is out."""

    def __init__(self):
        self.calls = []
        self.sends = 2
        self.receives = [True, fake.Packet(b"down"), False]
        self.receiving = False

    def configure(self, config):
        if self.receiving:
            raise RuntimeError("Receiving")
        self.calls.append(config)

    def standby(self):
        self.receiving = False

    def sleep(self):
        self.receiving = False

    def prepare_send(self, data):
        self.calls.append(bytes(data))

    def start_send(self):
        pass

    def poll_send(self):
        self.sends -= 1
        return True if self.sends else 777

    def start_recv(self, timeout_ms=None, continuous=False, rx_length=0xFF):
        self.receiving = True
        self.calls.append(timeout_ms)

    def poll_recv(self, rx_packet=None):
        return self.receives.pop(0)


class TestRadio(fake.ClockCase):
    def setUp(self):
        fake.ClockCase.setUp(self)
        self.modem = FakeModem()
        self.radio = Radio(self.modem, early_ms=20, gain_db=2, power_dbm=14)

    def test_send(self):
        ended = asyncio.run(self.radio.send(b"up", 865062500, (7, 125), 30))
        self.assertEqual(ended, 777)
        config = self.modem.calls[0]
        self.assertEqual(config["freq_khz"], 865062.5)
        self.assertEqual((config["sf"], config["bw"], config["syncword"]), (7, "125", 0x34))
        self.assertEqual((config["output_power"], config["invert_iq_tx"]), (14, False))
        self.assertEqual(self.modem.calls[1], b"up")

    def test_a_stuck_radio(self):
        self.modem.sends = 1 << 20
        with self.assertRaises(LinkError):
            asyncio.run(self.radio.send(b"up", 868100000, (7, 125), 16))

    def test_the_window_opens_early_and_is_long_enough_for_the_preamble(self):
        packet = asyncio.run(self.radio.receive(868100000, (12, 125), 1000))
        self.assertEqual(bytes(packet), b"down")
        config, window_ms = self.modem.calls
        self.assertEqual((config["freq_khz"], config["invert_iq_rx"]), (868100, True))
        self.assertTrue(window_ms >= 2 * 20 + 6 * 33)
        self.assertTrue(self.clock.now_ms >= 980 + window_ms)

    def test_an_sx126x_waits_for_the_header(self):
        self.radio = Radio(self.modem, early_ms=20, chip="sx1262")
        self.modem.receives = [False]
        asyncio.run(self.radio.receive(868100000, (12, 125), 1000))
        self.assertTrue(self.modem.calls[1] >= 2 * 20 + (12 + 8) * 33)

    def test_two_windows_of_an_sx126x_fit_into_a_second(self):
        self.radio = Radio(self.modem, early_ms=20, chip="sx1262")
        self.modem.receives = [False]
        asyncio.run(self.radio.receive(868100000, (12, 125), 1000))
        self.assertTrue(self.clock.now_ms <= 2000 - 20)

    def test_silence(self):
        self.modem.receives = [False]
        self.assertIsNone(asyncio.run(self.radio.receive(868100000, (7, 125), 100)))

    def test_class_c_gives_way_to_a_window(self):
        self.radio.listen(869525000, (12, 125))
        self.modem.receives = [False]
        self.assertIsNone(asyncio.run(self.radio.receive(868100000, (7, 125), 100)))


if __name__ == "__main__":
    unittest.main()
