"""The link over LoRaWAN: `kind = "lorawan"`.

DESIGN: uplink -> gateway: the frames of the uplink loop come in, their records travel in as few
LoRaWAN messages as they fit in (lorawan/payload.py); acks come down in receive windows.

LoRaWAN answers when it can, minutes later where the duty cycle says so. The link therefore repeats
by itself what was not acknowledged, with growing pauses, a lower data rate after each fourth
silence and a new join after many; the uplink's own time-out is only the last resort.
"""

import asyncio
import random

from ..core import clock, log
from ..core.errors import ConfigError, FrameError, LinkError, StoreError
from ..wire import ack, frame
from .link import Link
from .lorawan import parts, payload
from .lorawan.payload import Entry
from .lorawan.session import USED_UP

_JOINS = 3  # attempts before connect() gives up; the MAC's back-off keeps them apart
_ACKS_KEPT = 8
_SILENCES_PER_STEP = 4
_SILENCES_FATAL = 24
_PAUSE_MS = 4000  # after the first silence, at random, doubling
_PAUSE_MAX_MS = 600000
_ROOM_LIMIT_MS = 3600000  # send() waits so long for the queue
_IDLE_MS = 600000
_EXPECT_MS = 30000
_POSTS = 4
# RuntimeError and ValueError are how micropython-lib's drivers tell of a radio that fails.
_WORK_ENDS = (LinkError, StoreError, OSError, MemoryError, RuntimeError, ValueError)
_SKELETONS = 16  # believed to be known at the other end


class LorawanLink(Link):
    """mac: lorawan.mac.Mac. activate: async function that joins once -> bool, None for ABP.

    key: the uplink's, where frames are signed. Counters: repeats, resyncs, parts_sent.
    """

    max_frame_bytes = frame.HARD_MAX_BYTES
    window = 4
    ack_timeout_ms = 4 * 3600000

    def __init__(self, mac, device, activate=None, key=None, on_downlink=None):
        self.mac = mac
        self._device = device
        self._activate = activate
        self._key = key
        self.on_downlink = on_downlink  # on_downlink(port, bytes) for other ports
        self.expects = None  # expects() -> True while more is to come: then empty uplinks fetch it
        self._queue = []  # Entry, oldest first
        self._posts = []  # (port, bytes) of other ports: sent once, not repeated
        self._acks = []
        self._known = {}  # digest -> True once an ack covered a record that carried it whole
        self._plain = False  # the other end asked for whole records
        self._silences = 0
        self._task = None
        self._fault = None
        self._wake = asyncio.Event()
        self._heard = asyncio.Event()
        self.repeats = self.resyncs = self.parts_sent = 0
        mac.on_downlink = self._take
        mac.on_time = _set_clock

    @property
    def bytes_sent(self):
        """PHY payloads handed to the radio."""
        return self.mac.bytes_sent

    def post(self, port, data):
        """Send once, when the air is free; the newest _POSTS wait."""
        self._posts = self._posts[-_POSTS + 1 :] + [(port, data)]
        self._wake.set()

    # ---- Link ----

    async def connect(self):
        """Join if there is no session, or none that can send any more. True if frames of before
        are still under way. Raises LinkError.
        """
        await self.close()
        self._leave_used_up()
        for _ in range(_JOINS):
            if self.mac.session.joined:
                break
            if self._activate is None or await self._activate():
                continue
        if not self.mac.session.joined:
            raise LinkError("lorawan: no answer to %d joins" % _JOINS)
        self._fault = None
        self._task = asyncio.create_task(self._work())
        return bool(self._queue)

    def _leave_used_up(self):
        """A session whose counters are used up ends here: OTAA joins anew, ABP has no way on."""
        session = self.mac.session
        if session.joined and session.is_used_up:
            if self._activate is None:
                raise LinkError(USED_UP)
            session.forget()

    async def send(self, data):
        entry = frame.unpack(data, self._key)
        self._queue = [e for e in self._queue if not _same(e, entry)]
        waited_ms = 0
        while len(self._queue) >= self.window:
            self._check()
            if waited_ms > _ROOM_LIMIT_MS:
                raise LinkError("lorawan: nothing acknowledged for an hour")
            await clock.sleep_ms(_PAUSE_MS)
            waited_ms += _PAUSE_MS
        self._check()
        self._queue.append(entry)
        self._wake.set()

    async def recv(self):
        while not self._acks:
            self._check()
            self._heard.clear()
            await self._heard.wait()
        return self._acks.pop(0)

    async def close(self):
        if self._task:
            self._task.cancel()
            self._task = None
            try:
                self.mac.settle()
            except StoreError as error:
                log.warn("lorawan", "%s", error)

    def _check(self):
        if self._fault:
            raise self._fault
        if self._task is None:
            raise LinkError("not connected")

    # ---- the one user of the MAC ----

    async def _work(self):
        try:
            while True:
                if self._posts:
                    await self._send_post()
                elif self._queue:
                    await self._exchange()
                elif self.mac.more:
                    self._take(await self.mac.uplink(None, b""))  # fetch what waits for us
                else:
                    await self._idle()
        except _WORK_ENDS as error:
            self._fault = error if isinstance(error, LinkError) else LinkError(repr(error))
            self._heard.set()

    async def _idle(self):
        self._wake.clear()
        if self.expects and self.expects():
            await self.mac.listen_for(_EXPECT_MS)
            self._take(await self.mac.uplink(None, b""))
        elif self.mac.class_c:
            await self.mac.listen_for(_PAUSE_MS)
        else:
            try:
                await asyncio.wait_for_ms(self._wake.wait(), _IDLE_MS)
            except asyncio.TimeoutError:
                pass  # nothing to send

    async def _send_post(self):
        port, data = self._posts[0]
        if len(data) <= self.mac.room():
            self._posts.pop(0)
            self._take(await self.mac.uplink(port, data))
        elif not await self._make_room():
            self._posts.pop(0)
            log.warn("lorawan", "%d bytes for port %d do not fit", len(data), port)

    async def _exchange(self):
        """One message up, and what comes down; pauses if it was not acknowledged."""
        before = self._queue
        data, whole = await self._compose()
        if data is not None:
            down = await self.mac.uplink(payload.PORT_RECORDS, data)
            self._take(down)
        elif not await self._make_room():
            whole = await self._send_parts()
        if self._queue and self._queue[0] is before[0]:
            await self._silence()
            return
        self._silences = 0
        for digest in whole:
            self._learn(digest)

    async def _compose(self):
        """(payload, digests it carries whole) of the first records; (None, ()) if none fits."""
        entry = self._joined_entries()
        known = None if self._plain else self._known
        composer = payload.Composer(entry, self.mac.room(), known, self._device, self._key)
        while composer.add_next():
            await asyncio.sleep_ms(0)  # the control loop first
        data, count, whole = composer.finish()
        return (data, whole) if count or not entry.records else (None, ())

    def _joined_entries(self):
        """The first entry, with those that continue it: they may share one message."""
        first = self._queue[0]
        joined = Entry(
            first.boot, first.stream, first.seq, first.oldest, list(first.records), first.backlog
        )
        for entry in self._queue[1:]:
            follows = entry.seq == joined.seq + len(joined.records)
            if not follows or not _same_stream(entry, joined) or entry.backlog != first.backlog:
                break
            joined.records += entry.records
        return joined

    async def _make_room(self):
        """Owed MAC commands took the place of a record: let them go alone. True if they did."""
        most = self.mac.region.max_payload(self.mac.session.rate, self.mac.session.dwell)
        if self.mac.room() == most:
            return False
        self._take(await self.mac.uplink(None, b""))
        return True

    async def _send_parts(self):
        """One record that no message holds, in parts; digests it carries whole."""
        first = self._queue[0]
        alone = Entry(
            first.boot, first.stream, first.seq, first.oldest, first.records[:1], first.backlog
        )
        message, _, whole = payload.compose(alone, 1 << 16, (), self._device, self._key)
        most = self.mac.region.max_payload(self.mac.session.rate, self.mac.session.dwell)
        for part in parts.cut(message, most):
            while self.mac.room() < len(part):
                if self.mac.room() == self.mac.region.max_payload(
                    self.mac.session.rate, self.mac.session.dwell
                ):
                    return ()  # a lower data rate since: cut anew
                self._take(await self.mac.uplink(None, b""))
            self.parts_sent += 1
            self._take(await self.mac.uplink(payload.PORT_PARTS, part))
        return whole

    async def _silence(self):
        self._silences += 1
        self.repeats += 1
        if self._silences % _SILENCES_PER_STEP == 0:
            self.mac.step_down()
        if self._silences >= _SILENCES_FATAL:
            self._silences = 0
            if self._activate:
                self.mac.session.forget()
            raise LinkError("lorawan: %d messages without an answer" % _SILENCES_FATAL)
        longest_ms = min(_PAUSE_MS << self._silences, _PAUSE_MAX_MS)
        pause_ms = longest_ms // 4 + random.getrandbits(16) * (longest_ms >> 8) // 256
        await self.mac.listen_for(pause_ms)

    # ---- what comes down ----

    def _take(self, message):
        """A downlink for the application, from a window or between uplinks."""
        if message is None or message.port is None:
            return
        if message.port == payload.PORT_RECORDS:
            self._take_ack(message.payload)
        elif self.on_downlink:
            self.on_downlink(message.port, message.payload)

    def _take_ack(self, data):
        try:
            full, resync = payload.unpack_ack(data)
            marks = ack.unpack(full, self._device, self._key)[2] if full else ()
        except FrameError as error:
            log.warn("lorawan", "bad ack, ignored: %s", error)
            return
        if resync:
            self.resyncs += 1
            self._known = {}
        self._plain = resync
        if full:
            for boot, stream, upto in marks:
                self._drop(boot, stream, upto)
            self._acks = self._acks[-_ACKS_KEPT + 1 :] + [full]
            self._heard.set()

    def _drop(self, boot, stream, upto):
        left = []
        for entry in self._queue:
            done = upto - entry.seq + 1 if (entry.boot, entry.stream) == (boot, stream) else 0
            if done > 0 and done >= len(entry.records):
                continue
            if done > 0:
                entry = Entry(
                    boot, stream, upto + 1, upto + 1, entry.records[done:], entry.backlog
                )
            left.append(entry)
        self._queue = left

    def _learn(self, digest):
        if digest not in self._known and len(self._known) >= _SKELETONS:
            self._known = {}
        self._known[digest] = True


def _same_stream(a, b):
    return (a.boot, a.stream) == (b.boot, b.stream)


def _same(a, b):
    return _same_stream(a, b) and a.seq == b.seq


def _set_clock(epoch_s):
    if not clock.epoch_s():
        clock.set_epoch_s(epoch_s)


# ---- from the node file ----


def make(cfg, device, info):
    """See link.make_link. cfg: keys of UPLINK_KINDS["lorawan"]; its `modem` is the radio driver's
    object here, `state` the path of the KV of counters, `volume` its own.
    """
    from ..store.kv import KV
    from .lorawan.mac import Mac
    from .lorawan.radio import Radio
    from .lorawan.region import load
    from .lorawan.session import Session

    region = load(cfg.get("region", "EU868"))
    counters = KV(cfg["state"], volume=cfg.get("volume"))
    session = Session(counters, region, cfg.get("sub_band") or 0)
    early_ms, chip = cfg.get("early_ms") or 20, cfg.get("radio", "sx1276")
    radio = Radio(cfg["modem"], early_ms, cfg.get("antenna_db", 2), chip=chip)
    class_c = cfg.get("class", "A") == "C"
    mac = Mac(radio, region, session, cfg.get("adr", True), class_c, cfg.get("rate"))
    key = _bytes(cfg, "key") if cfg.get("key") else None
    return LorawanLink(mac, device, _activation(cfg, mac), key)


def _activation(cfg, mac):
    """The join of OTAA; None for ABP, whose session stands at once."""
    if cfg.get("dev_addr"):
        addr = int.from_bytes(_bytes(cfg, "dev_addr"), "big")
        mac.start_abp(addr, _bytes(cfg, "nwk_s_key"), _bytes(cfg, "app_s_key"))
        return None
    euis = _bytes(cfg, "join_eui"), _bytes(cfg, "dev_eui")
    app_key = _bytes(cfg, "app_key")
    return lambda: mac.join(euis[0], euis[1], app_key)


def _bytes(cfg, name):
    from binascii import unhexlify

    try:
        return unhexlify(cfg[name])
    except (KeyError, ValueError):
        raise ConfigError("uplink kind lorawan: %s must be hex digits" % name)
