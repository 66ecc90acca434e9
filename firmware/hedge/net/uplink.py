"""Drains the store over one link and forgets a record only once the gateway has committed it.

    uplink = Uplink(link, store, "bed-3", on_link=lambda up, reason: print(up, reason))
    task = asyncio.create_task(uplink.run())
    seq = store.append(stream, payload)
    uplink.wake()

DESIGN: store -> uplink: oldest unacknowledged records, `ack` once the server has committed them;
uplink -> gateway: frames of at most 200 bytes. A broker's PUBACK is not an acknowledgement: only
the gateway's ack (generation, time, watermarks of (boot, stream)) lets the store forget.

A window of frames travels at a time. When the oldest stays unacknowledged for ack_timeout_ms, all
of them are read from the store and sent again; while the gateway stays silent only one frame at a
time asks, at growing intervals, and every third silence ends the session. Waiting is in real time
(asyncio), never the device clock, so a simulated or jumping clock does not disturb it.
"""

import asyncio
import time

from ..core import clock, log
from ..core.errors import FrameError, LinkError, StoreError
from ..wire import ack, frame
from .backoff import Backoff

_IDLE_MS = 3600000  # longest sleep with nothing to do; wake() and acks end it at once
_CLOCK_OFF_S = 120  # the gateway's time is taken when the device's differs by more
_SILENCES = 3  # ack time-outs in a row that end the session
_DOUBT_SHIFT = 3  # of an ack time-out, how long after a lower mark the real answer may follow
# MemoryError too: what a session allocated is garbage once it has ended, and the next may fit.
_LINK_LOST = (LinkError, OSError, asyncio.TimeoutError, StoreError, MemoryError)
_COUNTERS = (
    "sessions",  # connections that came up
    "outages",  # times the link was lost, a failed first connection included
    "frames_sent",
    "records_sent",
    "acked",  # records, of frames sent since the start
    "retransmits",  # frames given up as unacknowledged, to be sent again
    "ack_timeouts",
    "bad_acks",  # malformed, wrongly signed, or about records this node never sent
    "clock_sets",  # times the gateway's time was taken
    "clock_jumps",  # of these, the device knew a time and it was off
    "generation_changes",  # the server's database was replaced or restored
    "records_asked_again",  # acknowledged once, lost by the server, still in the store
)


class Uplink:
    """One store, one link, one device name.

    link: see link.Link. store: hedge.store.Store, opened. key: bytes that sign frames and acks.
    window: frames under way at once; it and ack_timeout_ms may be changed.
    max_frame_bytes: at most frame.HARD_MAX_BYTES.
    on_link(up: bool, reason: str): called on each change of the link, from the uplink's task.
    on_clock(before_s: int, after_s: int): called after the gateway's time corrected the device's;
        before_s is 0 when it was unknown. set_clock=False ignores the gateway's time.
    Counters are attributes, see stats(). up: a session is open. generation: of the last ack.
    A frame carries `backlog` when its first record was appended before the session began.
    """

    def __init__(
        self,
        link,
        store,
        device,
        key=None,
        window=8,
        ack_timeout_ms=10000,
        retry_min_ms=500,
        retry_max_ms=20000,  # with the connecting itself, back within 30 s of a repair
        max_frame_bytes=frame.MAX_FRAME_BYTES,
        on_link=None,
        on_clock=None,
        set_clock=True,
    ):
        self._link = link
        self._store = store
        self._device = device
        self._key = key
        self.window = window
        self.ack_timeout_ms = ack_timeout_ms
        self._backoff = Backoff(retry_min_ms, retry_max_ms)
        self._room = frame.room(max_frame_bytes, device, key)
        self._on_link = on_link
        self._on_clock = on_clock
        self._set_clock = set_clock
        self._reader = None
        self._under_way = []  # [[boot, stream, last seq, records, sent at ms]], oldest first
        self._sent_upto = {}  # stream -> highest seq of this boot ever sent
        self._backlog_upto = {}  # stream -> last seq appended before the session began
        self._silences = 0  # ack time-outs since the last ack
        self._behind = ()  # (boot, stream, upto, since ms, or None: asked again), see _doubt
        self._fault = None  # why the receiver stopped
        self._lost = False  # an outage is under way and counted
        self._said = None  # why, as last told
        self._wake = asyncio.Event()
        self.up = False
        for name in _COUNTERS:
            setattr(self, name, 0)

    @property
    def generation(self):
        """Generation of the server's database, None before its first ack; kept by the store."""
        return self._store.generation

    @property
    def bytes_sent(self):
        """Bytes handed to the socket, MQTT headers and keepalive included."""
        return self._link.bytes_sent

    def stats(self):
        """dict of all counters, bytes_sent and up."""
        found = {name: getattr(self, name) for name in _COUNTERS}
        found["bytes_sent"] = self.bytes_sent
        found["up"] = self.up
        return found

    def wake(self):
        """New records were appended. Cheap; for tasks, not for interrupts."""
        self._wake.set()

    # Policy: sessions and the time between them

    async def run(self):
        """Loop until cancelled. A lost, refused or silent peer ends a session, not the task."""
        reason = "stopped"
        try:
            while True:
                try:
                    await self._session()
                except _LINK_LOST as e:
                    reason = _reason(e)
                finally:
                    await self._link.close()  # never raises
                self._went_down(reason)
                reason = "stopped"
                await self._pause(self._backoff.next_ms())
        finally:
            self._tell(False, reason)

    async def _pause(self, ms):
        """Wait before the next attempt, less if the link says that there is reason to try."""
        hurry = getattr(self._link, "hurry", None)
        if hurry is None:
            await asyncio.sleep_ms(ms)
            return
        try:
            await asyncio.wait_for_ms(hurry.wait(), ms)
        except asyncio.TimeoutError:
            pass  # no such reason: the wait is over

    async def _session(self):
        kept = await self._link.connect()
        self._begin(kept)
        receiver = asyncio.create_task(self._receive())
        try:
            await self._pump()
        finally:
            receiver.cancel()

    def _begin(self, kept):
        self.sessions += 1
        self._fault = None
        self._lost = False
        self._behind = ()
        self._backlog_upto = {s: self._store.last_seq(s) for s in range(3)}
        if self._reader is None:
            self._reader = self._store.reader()
        elif kept:
            self._restart_timers()
        else:
            self._send_again()
        log.info("uplink", "connected, session %d", self.sessions)
        self._tell(True, "connected")

    def _went_down(self, reason):
        if self.up or not self._lost:
            self.outages += 1
            self._lost = True
            self._said = None
        if reason != self._said:  # first a reset, then that the password is wrong
            self._said = reason
            log.warn("uplink", "link lost: %s", reason)
        self._tell(False, reason)

    def _tell(self, up, reason):
        if up != self.up:
            self.up = up
            if self._on_link:
                self._on_link(up, reason)

    # One session: sending

    async def _pump(self):
        while True:
            self._wake.clear()
            if self._fault:
                raise self._fault
            if not await self._send_next() and not self._acks_overdue():
                await self._idle()

    async def _send_next(self):
        """Send one frame if the window has room and the store has records; True if it did."""
        window = 1 if self._silences else self.window
        if len(self._under_way) >= window:
            return False
        batch = self._reader.next(self._room)
        if batch is None:
            return False
        # Noted first: if the link fails in send(), the frame may be on its way or not, and a link
        # that keeps what was sent may not have it.
        self._note(batch)
        try:
            await self._link.send(self._pack(batch))
        except _LINK_LOST:
            self._send_again()
            raise
        self.frames_sent += 1
        self.records_sent += len(batch.records)
        return True

    def _note(self, batch):
        last = batch.seq + len(batch.records) - 1
        entry = [batch.boot, batch.stream, last, len(batch.records), time.ticks_ms()]
        self._under_way.append(entry)
        if batch.boot == self._store.boot:
            self._sent_upto[batch.stream] = max(last, self._sent_upto.get(batch.stream, 0))

    def _pack(self, batch):
        old = batch.boot < self._store.boot or batch.seq <= self._backlog_upto.get(batch.stream, 0)
        return frame.pack(
            self._device,
            batch.boot,
            batch.stream,
            batch.seq,
            batch.oldest,
            batch.records,
            backlog=old,
            key=self._key,
        )

    async def _idle(self):
        """Until something is appended, acknowledged or lost, or the next ack is overdue."""
        limit_ms = min(self._overdue_in_ms(), _IDLE_MS)
        try:
            await asyncio.wait_for_ms(self._wake.wait(), max(limit_ms, 0))
        except asyncio.TimeoutError:
            pass  # the caller looks at the clock again

    def _overdue_in_ms(self):
        if not self._under_way:
            return _IDLE_MS
        now_ms = time.ticks_ms()
        # Doubled once, not more: a gateway that comes back is asked within 20 s.
        limit_ms = self.ack_timeout_ms << min(self._silences, 1)
        left_ms = limit_ms - time.ticks_diff(now_ms, self._under_way[0][4])
        if self._in_doubt():
            doubt_ms = time.ticks_diff(now_ms, self._behind[3])
            left_ms = min(left_ms, (self.ack_timeout_ms >> _DOUBT_SHIFT) - doubt_ms)
        return left_ms

    def _acks_overdue(self):
        """True after going back to the oldest unacknowledged record because its ack is overdue."""
        if self._overdue_in_ms() > 0:
            return False
        if self._in_doubt():
            self._behind = self._behind[:3] + (None,)
            self._send_again()
            return True
        self.ack_timeouts += 1
        self._silences += 1
        if self._silences == 1:
            log.warn("uplink", "no ack in %d ms, sending again", self.ack_timeout_ms)
        self._send_again()
        if self._silences % _SILENCES == 0:
            raise LinkError("gateway silent: %d ack time-outs" % self._silences)
        return True

    def _send_again(self):
        self.retransmits += len(self._under_way)
        self._under_way.clear()
        self._reader.rewind()

    def _restart_timers(self):
        """The link itself delivers what was under way; its acks get the full time again."""
        now_ms = time.ticks_ms()
        for entry in self._under_way:
            entry[4] = now_ms

    # One session: acks

    async def _receive(self):
        try:
            while True:
                self._take_ack(await self._link.recv())
                self._wake.set()
        except _LINK_LOST as e:
            self._fault = e
            self._wake.set()

    def _take_ack(self, data):
        try:
            generation, epoch_s, marks = ack.unpack(data, self._device, self._key)
        except FrameError as e:
            self._bad_ack(str(e))
            return
        self._silences = 0
        self._backoff.reset()
        self._check_generation(generation)
        self._check_clock(epoch_s)
        for boot, stream, upto in marks:
            self._take_mark(boot, stream, upto)

    def _take_mark(self, boot, stream, upto):
        if boot >= self._store.boot:
            # Of this boot we know what was sent. More than that can only be another's records:
            # forgetting ours for them would lose data.
            sent = self._sent_upto.get(stream, 0) if boot == self._store.boot else 0
            if upto > sent:
                text = "boot %d seq %d, sent %d: device name used twice?"
                self._bad_ack(text % (boot, upto, sent))
                return
        if upto < self._store.acked_upto(boot, stream):
            self._doubt((boot, stream, upto))
        elif self._behind[:2] == (boot, stream):
            self._behind = ()
        self._store.ack(boot, stream, upto)
        self._drop_acked(boot, stream, upto)

    def _doubt(self, mark):
        """A mark lower than before: it came late, or the server has lost records.

        A late one is soon followed by a higher one, as long as a frame waits for it. If none
        follows, the frames go again; the same mark once more, and the server has lost records.
        """
        if not [True for entry in self._under_way if tuple(entry[:2]) == mark[:2]]:
            return
        if self._behind[:3] != mark:
            if not self._behind or self._behind[:2] == mark[:2]:  # one stream after the other
                self._behind = mark + (time.ticks_ms(),)
        elif self._behind[3] is None:
            self._forget_acks("server lost records it had acknowledged")
            self._send_again()

    def _in_doubt(self):
        return bool(self._behind) and self._behind[3] is not None

    def _drop_acked(self, boot, stream, upto):
        left = []
        for entry in self._under_way:
            if entry[0] == boot and entry[1] == stream and entry[2] <= upto:
                self.acked += entry[3]
            else:
                left.append(entry)
        self._under_way = left

    def _bad_ack(self, text):
        self.bad_acks += 1
        if self.bad_acks == 1:
            log.warn("uplink", "bad ack, ignored: %s", text)

    def _check_generation(self, generation):
        known = self._store.generation
        if generation == known:
            return
        if known is not None:
            self.generation_changes += 1
            self._forget_acks("server generation %d, was %d" % (generation, known))
            self._send_again()
        self._store.set_generation(generation)

    def _forget_acks(self, reason):
        """What the server does not have any more is sent again, as far as it is still here."""
        self._behind = ()
        count = self._store.forget_acks()
        self.records_asked_again += count
        log.warn("uplink", "%s: %d records may go again", reason, count)

    def _check_clock(self, now_s):
        before_s = clock.epoch_s()
        if not now_s or not self._set_clock or abs(now_s - before_s) <= _CLOCK_OFF_S:
            return
        clock.set_epoch_s(now_s)
        if abs(clock.epoch_s() - now_s) > _CLOCK_OFF_S:
            self._set_clock = False  # a steered clock does not follow: do not ask at every ack
            return
        self.clock_sets += 1
        self.clock_jumps += 1 if before_s else 0
        if self._on_clock:
            self._on_clock(before_s, now_s)


def _reason(error):
    text = str(error)
    if text.startswith("[Errno "):  # of "[Errno 111] ECONNREFUSED" the name
        return text[text.find("]") + 2 :]
    return text if isinstance(error, LinkError) else repr(error)


def uplink_maker(settings, store, name, key):
    """make_uplink of a Node whose link is to be made of settings; see link.make_link."""

    def make_uplink(info, on_link, on_clock):
        if settings.get("time_servers"):
            from .sntp import start

            start(settings["time_servers"], settings["time_state"], on_clock)
        from .link import make_link

        link = make_link(settings, name, info)
        uplink = Uplink(
            link,
            store,
            name,
            key=key,
            window=link.window,
            ack_timeout_ms=link.ack_timeout_ms,
            max_frame_bytes=link.max_frame_bytes,
            on_link=on_link,
            on_clock=on_clock,
        )
        if settings.get("links"):
            link.uplink = uplink
        return uplink

    return make_uplink
