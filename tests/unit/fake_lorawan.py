"""A radio, a clock and the least of a network, for the LoRaWAN device under test."""

import asyncio

from quiet_case import QuietCase

from hedge.core import clock
from hedge.net.lorawan import maccmd, phy

APP_KEY = bytes(range(16))
JOIN_EUI = bytes(range(8))
DEV_EUI = bytes(range(8, 16))
ADDR = 0x26011234


class FakeClock:
    """Sleeping moves time, at once."""

    def __init__(self):
        self.now_ms = 0
        self.start_s = 0  # since 1970; 0: unknown

    def ticks_ms(self):
        return self.now_ms

    def epoch_s(self):
        return self.start_s + self.now_ms // 1000 if self.start_s else 0

    def set_epoch_s(self, now_s):
        pass

    async def sleep_ms(self, ms):
        self.now_ms += max(int(ms), 0)
        await asyncio.sleep_ms(0)

    def __enter__(self):
        self._former = clock.use(self)
        return self

    def __exit__(self, *_):
        clock.use(self._former)


class ClockCase(QuietCase):
    """Time is that of self.clock. A subclass calls on setUp() and tearDown()."""

    def setUp(self):
        QuietCase.setUp(self)
        self.clock = FakeClock()
        self.clock.__enter__()

    def tearDown(self):
        self.clock.__exit__()
        QuietCase.tearDown(self)


class Packet(bytearray):
    snr = 28  # quarters of a dB, as the drivers have it
    rssi = -100


class FakeRadio:
    """hedge.net.lorawan.radio.Radio's interface. answer(sent) -> {window: bytes} or {}.

    sent: [(data, Hz, (sf, bw), dBm, ticks)]; opened: [(Hz, (sf, bw), ticks)] of windows.
    """

    snr = Packet.snr

    def __init__(self, answer=None):
        self.answer = answer or (lambda sent: {})
        self.sent = []
        self.opened = []
        self.air = []  # what class C hears
        self._down = {}
        self._window = 0

    async def send(self, data, hz, lora, eirp_dbm):
        self.sent.append((bytes(data), hz, lora, eirp_dbm, clock.ticks_ms()))
        self._down = self.answer(self.sent[-1])
        self._window = 0
        await clock.sleep_ms(50)
        return clock.ticks_ms()

    async def receive(self, hz, lora, opens_at):
        await clock.sleep_ms(clock.ticks_diff(opens_at, clock.ticks_ms()))
        self.opened.append((hz, lora, clock.ticks_ms()))
        self._window += 1
        data = self._down.get(self._window)
        if data is None:
            return None
        packet = Packet(data)
        packet.snr = self.snr
        return packet

    def listen(self, hz, lora):
        self.opened.append((hz, lora, clock.ticks_ms()))

    def heard(self):
        return Packet(self.air.pop(0)) if self.air else None

    def rest(self):
        pass


class FakeKV:
    """hedge.store.KV's interface; `saved` is what a reset leaves. fails: save() raises it."""

    may_be_old = False

    def __init__(self, saved=None):
        self.saved = dict(saved or {})
        self._values = dict(self.saved)
        self.writes = 0
        self.fails = None

    def get(self, key, default=None):
        return self._values.get(key, default)

    def set(self, key, value):
        self._values[key] = value

    def save(self):
        if self.fails:
            raise self.fails
        self.writes += 1
        self.saved = dict(self._values)


def join_accept(sent, nonce=1, dl_settings=0, rx_delay_s=1, cf_list=b"", addr=ADDR):
    """What a join server answers to the join-request just sent."""
    accept = phy.JoinAccept(nonce, 0x13, addr, dl_settings, rx_delay_s, cf_list)
    return phy.pack_join_accept(accept, APP_KEY)


def downlink(session, fcnt, commands=b"", port=None, body=b"", flags=0, confirmed=False):
    """A downlink of the session's network."""
    kind = phy.CONFIRMED_DOWN if confirmed else phy.UNCONFIRMED_DOWN
    message = phy.Data(kind, session.dev_addr, flags, fcnt, commands, port, body)
    return phy.pack_data(message, session.nwk_s_key, session.app_s_key)


def uplink(session, data, fcnt=None):
    """phy.Data of an uplink, verified and decrypted; AssertionError if its MIC is wrong."""
    message = phy.unpack_data(data)
    full = message.fcnt if fcnt is None else fcnt
    assert phy.has_mic(data, message, full, session.nwk_s_key)
    phy.decrypt(message, full, session.nwk_s_key, session.app_s_key)
    return message


def link_adr(rate, power, mask, control=0, repeats=1):
    return (
        bytes((maccmd.LINK_ADR, rate << 4 | power))
        + mask.to_bytes(2, "little")
        + bytes((control << 4 | repeats,))
    )
