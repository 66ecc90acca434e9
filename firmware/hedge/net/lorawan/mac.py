"""The MAC of a device: join, uplinks with their receive windows, class C between them.

    mac = Mac(radio, region, session)
    while not await mac.join(join_eui, dev_eui, app_key):
        pass                                  # join() itself waits as the back-off demands
    down = await mac.uplink(1, b"payload")    # phy.Data of a downlink for the application, or None

DESIGN: uplink -> gateway over LoRaWAN. Source: LoRaWAN L2 1.0.4. Times are device time
(core.clock), so a simulated clock steers it. One task at a time uses it.
"""

import random

from ...core import clock, log
from ...core.errors import FrameError, LinkError
from . import commands, crypto, maccmd, phy
from .adr import Adr, step_down
from .airtime import airtime_us
from .answers import Answers
from .duty import Duty

_JOIN_DELAY_S = 5
_JITTER_MS = 1000  # random time before an uplink: devices that woke together part
_HOUR_MS = 3600000
_RETRANSMIT_MS = 1000  # RETRANSMIT_TIMEOUT is 1 to 3 s, at random
_LISTEN_MS = 50  # class C: how often the radio is asked


def _snr_db(packet):
    """To the nearest dB. The drivers count quarters of one, one of them without the sign."""
    return ((packet.snr - 256 if packet.snr > 127 else packet.snr) + 2) // 4


def _no_battery():
    return 255  # DevStatusAns: cannot be measured


def _ignore(*_):
    return None


class Mac:
    """adr: the network may set rate and power. rate: that a session begins with, None for the
    join's.

    battery(): 0 mains, 1..254, 255 unknown. on_time(epoch_s): after DeviceTimeAns.
    on_downlink(Data): class C downlinks outside of uplink(). Counters are attributes.
    """

    def __init__(self, radio, region, session, adr=True, class_c=False, rate=None):
        self.radio = radio
        self.region = region
        self.session = session
        self.adr = adr
        self.class_c = class_c
        self._rate = rate
        self.battery = _no_battery
        self.on_time = _ignore
        self.on_downlink = _ignore
        self.link_margin_db = self.link_gateways = None  # of the last LinkCheckAns
        self.more = False  # the network has more for us (FPending)
        self.uplinks = self.downlinks = self.joins = 0
        self.refused = 0  # packets heard that were not for us, forged, replayed or malformed
        self.bytes_sent = 0
        self._duty = Duty(region, session.kv)
        session.before_block = self._duty.next_block
        self._adr = Adr()
        self._answers = Answers()
        self._ack_due = False
        self._join_began_ms = None
        self._join_waited_ms = 0
        self._sent_ms = 0  # ticks at the end of the latest transmission

    @property
    def airtime_ms(self):
        return self._duty.airtime_ms

    # ---- join ----

    async def join(self, join_eui, dev_eui, app_key):
        """One attempt; True when joined. EUIs: 8 bytes as printed."""
        nonce = self.session.next_dev_nonce()
        request = phy.pack_join_request(join_eui, dev_eui, nonce, app_key)
        rates = self.region.plan["join_rates"]
        rate = rates[self.joins % len(rates)]
        self.joins += 1
        channel = await self._pick(self.session.channels.joinable(rate, self.joins // 2))
        ended, airtime_ms = await self._transmit(request, channel, rate)
        self._back_off(airtime_ms)
        windows = self._windows(channel, rate, 0, _JOIN_DELAY_S)
        windows[1] = windows[1][:1] + (self.region.rx2_hz, self.region.rx2_rate)
        accept = await self._listen(windows, ended, lambda packet: self._accept(packet, app_key))
        if not accept:
            return False
        keys = crypto.session_keys(app_key, accept.join_nonce, accept.net_id, nonce)
        self.session.rate = rate
        self.session.start(accept, keys)
        self._began()
        self._duty.rest_all(0)
        return True

    def start_abp(self, dev_addr, nwk_s_key, app_s_key):
        """Activation by personalisation."""
        self.session.start_abp(dev_addr, nwk_s_key, app_s_key)
        self._began()

    def _began(self):
        if self._rate is not None and self.session.fcnt_up == 0:
            self.session.rate = self._rate
            self.session.keep_able_to_send()
        self._answers = Answers()
        self._ack_due = False
        self._join_began_ms = None
        self._join_waited_ms = 0
        self._adr.heard()

    def _accept(self, packet, app_key):
        try:
            accept = phy.unpack_join_accept(packet, app_key)
        except FrameError as error:
            self._refuse(str(error))
            return None
        if accept.join_nonce <= self.session.join_nonce:
            self._refuse("join-accept replayed")
            return None
        return accept

    def _back_off(self, airtime_ms):
        """Section 7: 1 % of the first hour, 0.1 % of the next ten, 0.01 % from then on."""
        now_ms = clock.ticks_ms()
        if self._join_began_ms is not None:
            self._join_waited_ms += max(clock.ticks_diff(now_ms, self._join_began_ms), 0)
        self._join_began_ms = now_ms
        hours = self._join_waited_ms // _HOUR_MS
        factor = 99 if hours < 1 else 999 if hours < 11 else 9999
        rest_ms = airtime_ms * factor
        self._duty.rest_all(rest_ms + rest_ms * random.getrandbits(8) // 512)

    # ---- uplinks ----

    def room(self):
        """Bytes of payload that the next uplink can carry besides the MAC commands it owes."""
        most = self._most()
        return max(most - len(self._answers.fopts(most)), 0)

    def _most(self):
        return self.region.max_payload(self.session.rate, self.session.dwell)

    def ask_link_check(self):
        """The next uplink asks how well it is heard: link_margin_db, link_gateways."""
        self._answers.ask(maccmd.LINK_CHECK)

    def ask_time(self):
        """The next uplink asks for the time: on_time()."""
        self._answers.ask(maccmd.DEVICE_TIME)

    async def uplink(self, port, payload, confirmed=False):
        """Send, listen in both windows; the downlink for the application (phy.Data) or None.

        port: 1..223, None with no payload. Sent nb_trans times unless a downlink comes. Raises
        LinkError when the payload is larger than room() or the device is not joined; StoreError
        if the counter cannot be journaled: nothing was sent then.
        """
        session = self.session
        if not session.joined:
            raise LinkError("lorawan: not joined")
        asks = self.adr and self._adr.before_uplink()
        options = self._answers.fopts(self._most())
        if len(payload) > self.room():
            raise LinkError("lorawan: %d bytes, room for %d" % (len(payload), self.room()))
        message = phy.Data(
            phy.CONFIRMED_UP if confirmed else phy.UNCONFIRMED_UP,
            session.dev_addr,
            self._fctrl(asks),
            session.next_fcnt_up(),
            options,
            port,
            payload,
        )
        data = phy.pack_data(message, session.nwk_s_key, session.app_s_key)
        self._answers.sent(len(options))
        self._ack_due = self.more = False
        self.uplinks += 1
        message = await self._send_repeatedly(data, confirmed)
        if self.adr:
            self._adr.after_uplink(session, self.region)
        return message

    def _fctrl(self, asks):
        flags = phy.ADR if self.adr else 0
        return flags | (phy.ADR_ACK_REQ if asks else 0) | (phy.ACK if self._ack_due else 0)

    async def _send_repeatedly(self, data, confirmed):
        """nb_trans copies at most; the whole is one message with one counter.

        confirmed: an ack that stays away costs a pause after each, section 4.3.1.3.
        """
        session = self.session
        for _ in range(session.nb_trans):
            rate = session.rate
            channel = await self._pick(session.channels.usable(rate))
            ended, _ = await self._transmit(data, channel, rate)
            windows = self._windows(channel, rate, session.rx1_offset, session.rx1_delay_s)
            message = await self._listen(windows, ended, self._take)
            if message:
                return message if message.port else None
            if confirmed:
                await self._sleep(_RETRANSMIT_MS + random.getrandbits(16) % (2 * _RETRANSMIT_MS))
        return None

    async def _pick(self, numbers):
        """A random one of the channels that are free first; waits until it is."""
        if not numbers:
            raise LinkError("lorawan: no channel for this data rate")
        channels, duty = self.session.channels, self._duty
        await clock.sleep_ms(random.getrandbits(16) % _JITTER_MS)
        while True:
            waits_ms = [duty.wait_ms(channels.freq_hz(i)) for i in numbers]
            least_ms = min(waits_ms)
            if least_ms <= 0:
                break
            await self._sleep(least_ms)
        free = [i for i, wait_ms in zip(numbers, waits_ms) if wait_ms <= 0]
        return free[random.getrandbits(16) % len(free)]

    async def _transmit(self, data, channel, rate):
        """(ticks at the end, airtime in ms)."""
        session = self.session
        hz, lora = session.channels.freq_hz(channel), self.region.lora(rate)
        dbm = self.region.power_dbm(session.power, session.max_eirp_dbm)
        airtime_ms = airtime_us(len(data), *lora) // 1000 + 1
        self._duty.before(hz, airtime_ms, session.duty_divider)
        try:
            ended = await self.radio.send(data, hz, lora, dbm)
        finally:  # a task that is cancelled, or a radio that got stuck, has sent nevertheless
            self._duty.sent(hz, airtime_ms, session.duty_divider)
        self.bytes_sent += len(data)
        self._sent_ms = ended
        return ended, airtime_ms

    def step_down(self):
        """The link's own acks stay away: do at once what ADR would do after 64 uplinks."""
        if self.adr:
            step_down(self.session, self.region)

    def settle(self):
        """An orderly end: the next start need not wait for longer than a running clock says."""
        self._duty.settle()

    # ---- receive windows ----

    def _windows(self, channel, rate, offset, delay_s):
        """[(seconds after the end, Hz, data rate)] of RX1 and RX2."""
        session = self.session
        rx1_hz = session.channels.rx1_hz(channel)
        hz, down = self.region.rx1(rx1_hz, channel, rate, offset, session.down_dwell)
        return [(delay_s, hz, down), (delay_s + 1, session.rx2_hz, session.rx2_rate)]

    async def _listen(self, windows, ended, take):
        """What take(packet) makes of the first packet that is for us; None if there is none.

        A packet in RX1 that is another device's, or forged, does not cost us RX2.
        """
        taken = None
        for delay_s, hz, rate in windows:
            opens_at = ended + delay_s * 1000  # ticks_diff wraps it
            packet = await self.radio.receive(hz, self.region.lora(rate), opens_at)
            taken = take(packet) if packet else None
            if taken:
                break
        self.radio.rest()
        return taken

    def _take(self, packet, between=False):
        """A downlink of this session (phy.Data), carried out; None for any other packet.

        between: it came between uplinks, in class C.
        """
        session = self.session
        try:
            message = phy.unpack_data(packet)
        except FrameError as error:
            return self._refuse(str(error))
        if message.direction != crypto.DOWN or message.dev_addr != session.dev_addr:
            return self._refuse("not for this device")
        fcnt = phy.full_fcnt(session.fcnt_down, message.fcnt)
        if fcnt is None or not phy.has_mic(packet, message, fcnt, session.nwk_s_key):
            return self._refuse("wrong MIC or replayed")
        session.accept_down(fcnt)
        phy.decrypt(message, fcnt, session.nwk_s_key, session.app_s_key)
        if not between:  # else it does not show that our uplink was heard
            self._adr.heard()
            self._answers.heard()
        self._act(message, _snr_db(packet))
        return message

    def _act(self, message, snr):
        self.downlinks += 1
        self._ack_due = self._ack_due or message.confirmed
        self.more = bool(message.fctrl & phy.F_PENDING)
        stream = message.payload if message.port == 0 else message.fopts
        found = maccmd.split(stream, crypto.DOWN)
        if not found:
            return
        self._answers.add(commands.carry_out(self, found, snr))
        self.session.keep_able_to_send()
        self.session.save()

    def _refuse(self, why):
        self.refused += 1
        log.debug("lorawan", "packet ignored: %s", why)

    def time_is(self, sent_ms):
        """The network's answer: ms since 1970 at the end of the latest uplink."""
        since_ms = max(clock.ticks_diff(clock.ticks_ms(), self._sent_ms), 0)
        self.on_time((sent_ms + since_ms) // 1000)

    # ---- class C ----

    async def _sleep(self, ms):
        if not self.class_c:
            await clock.sleep_ms(ms)
            return
        await self.listen_for(ms)

    async def listen_for(self, ms):
        """Class C: receive on RX2 for ms; downlinks go to on_downlink. Else it sleeps."""
        if not (self.class_c and self.session.joined):
            await clock.sleep_ms(ms)
            return
        session = self.session
        self.radio.listen(session.rx2_hz, self.region.lora(session.rx2_rate))
        began_ms = clock.ticks_ms()
        while clock.ticks_diff(clock.ticks_ms(), began_ms) < ms:
            await clock.sleep_ms(min(_LISTEN_MS, ms))
            packet = self.radio.heard()
            message = self._take(packet, True) if packet else None
            if message and message.port:
                self.on_downlink(message)
