"""The time of day from time servers, and how fast this board's own clock goes wrong.

    sntp = Sntp(["192.168.1.1", "pool.ntp.org"], kv=kv, on_clock=journal.clock)
    task = asyncio.create_task(sntp.run())

Slew or step, so that rules never see a jump they need not see:
    unknown time          set at once; records before it get theirs from the gateway
    off by up to 5 min    one second in every ten until it is right: no second comes twice in a
                          row of windows, and a window is at most 10 % longer or shorter
    off by more           a step, and only if two answers in a row say the same within 2 s
Hold-offs and run times count ticks, never this clock. Between answers, and when no server
answers any more, the estimated drift goes on correcting. A gateway's ack may set the clock too
(uplink.py: off by more than 2 min).
"""

import asyncio
import os
import time

from ..core import clock, log
from ..core.errors import FrameError, LinkError
from . import sntp_packet
from .backoff import Backoff

_TIMEOUT_MS = 3000
_MAX_TRIP_MS = 1500  # an answer that took longer says too little
_SLEW_LIMIT_S = 300
_SLEW_EVERY_MS = 10000
_AGREE_MS = 2000
_DRIFT_AFTER_MS = 1800000  # below half an hour the network's jitter looks like drift
_MAX_DRIFT_PPM = 500  # a crystal or an RC oscillator that still makes sense
_PORT = 123
_KEY = "drift_ppm"

_task = None  # MicroPython drops a task that nobody holds


class Sntp:
    """servers: names, addresses or (address, port). kv: hedge.store.KV for the drift, or None.

    on_clock(before_s, after_s): after a step; before_s is 0 if the time was unknown.
    poll_s: between answers; doubled, up to a day, when a server asks for it.
    drift_ppm: by how much this board's ticks run slow; None until known. syncs, refused, bad:
    counters. offset_ms: what the last answer said the clock was off by.
    """

    def __init__(self, servers, kv=None, on_clock=None, poll_s=3600, slew_every_ms=_SLEW_EVERY_MS):
        self._servers = list(servers)
        self._kv = kv
        self._on_clock = on_clock
        self._poll_s = poll_s
        self._slew_every_ms = slew_every_ms
        self._backoff = Backoff(4000, 120000)
        self._at_ms = None  # ticks of the last answer
        self._true_ms = 0  # the time then, ms since 1970
        self._doubted = None  # offset of a far answer that waits for a second one
        self._steerable = True
        self.drift_ppm = kv.get(_KEY) if kv else None
        self.offset_ms = None
        self.syncs = self.refused = self.bad = 0

    async def run(self):
        """Loop until cancelled, or until the clock proves to be somebody else's."""
        slewing = asyncio.create_task(self._slew())
        try:
            while self._steerable:  # without a server that may be asked the drift is left
                known = await self.sync()
                if known and self._doubted is None:
                    self._backoff.reset()
                    await asyncio.sleep_ms(self._poll_s * 1000)
                else:
                    await asyncio.sleep_ms(self._backoff.next_ms())
        finally:
            slewing.cancel()

    async def sync(self):
        """Ask the servers in turn until one gives a good answer; True if one did."""
        for server in list(self._servers):
            try:
                await self._ask(server)
                return True
            except sntp_packet.Refused as e:
                self._refused_by(server, e)
            except FrameError as e:
                self.bad += 1
                log.debug("time", "%s: %s", server, e)
            except (LinkError, OSError, asyncio.TimeoutError) as e:
                log.debug("time", "%s: %r", server, e)
        return False

    def _refused_by(self, server, refusal):
        """RFC 4330 section 8: DENY and RSTR mean never again, anything else less often."""
        self.refused += 1
        log.warn("time", "%s: %s", server, refusal)
        if refusal.code in ("DENY", "RSTR"):
            self._servers.remove(server)
        else:
            self._poll_s = min(self._poll_s * 2, 86400)

    async def _ask(self, server):
        udp = await _open(server)
        cookie = os.urandom(8)
        try:
            sent_ms = time.ticks_ms()
            udp.send(sntp_packet.request(cookie), None)
            data = await asyncio.wait_for_ms(_own_answer(udp, cookie), _TIMEOUT_MS)
            now_ms = time.ticks_ms()
        finally:
            udp.close()
        received, transmitted = sntp_packet.reply(data, cookie)
        trip_ms = time.ticks_diff(now_ms, sent_ms) - (transmitted - received)
        if not 0 <= trip_ms + 5 <= _MAX_TRIP_MS:
            raise LinkError("its answer took %d ms" % trip_ms)
        self._take(now_ms, transmitted + max(trip_ms, 0) // 2)

    def _take(self, now_ms, true_ms):
        """A good answer: at ticks now_ms it was true_ms."""
        known_s = clock.epoch_s()
        expected_ms = self.time_ms(now_ms)
        # Until the first answer only the clock's whole seconds are there to compare with.
        off_ms = true_ms - (expected_ms if expected_ms is not None else known_s * 1000)
        self.offset_ms = off_ms if known_s else None
        if known_s and abs(off_ms) > _SLEW_LIMIT_S * 1000 and not self._is_confirmed(off_ms):
            return
        self._doubted = None
        self._learn_drift(now_ms, true_ms)
        self._at_ms, self._true_ms = now_ms, true_ms
        self.syncs += 1
        if not known_s or abs(true_ms // 1000 - known_s) > _SLEW_LIMIT_S:
            self._step(known_s, true_ms // 1000)

    def _is_confirmed(self, off_ms):
        confirmed = self._doubted is not None and abs(off_ms - self._doubted) <= _AGREE_MS
        self._doubted = off_ms
        return confirmed

    def _learn_drift(self, now_ms, true_ms):
        if self._at_ms is None:
            return
        ticks = time.ticks_diff(now_ms, self._at_ms)
        if ticks < _DRIFT_AFTER_MS:
            return
        # Floats: single precision keeps a drift of 1 ppm to 7 digits of the difference.
        ppm = (true_ms - self._true_ms - ticks) * 1e6 / ticks
        if abs(ppm) > _MAX_DRIFT_PPM:
            return  # ticks that stood still (sleep), or a wrong server: not a crystal's fault
        old = self.drift_ppm
        self.drift_ppm = ppm if old is None else old + (ppm - old) / 4
        if self._kv:
            self._kv.set(_KEY, self.drift_ppm)
            self._kv.save()

    def time_ms(self, now_ms):
        """The time at ticks now_ms by the last answer and the drift; None before the first."""
        if self._at_ms is None:
            return None
        ticks = time.ticks_diff(now_ms, self._at_ms)
        return self._true_ms + ticks + int(ticks * (self.drift_ppm or 0) / 1e6)

    def _step(self, before_s, after_s):
        clock.set_epoch_s(after_s)
        if abs(clock.epoch_s() - after_s) > 2:
            self._steerable = False  # a simulator's clock does not follow
            log.warn("time", "this clock cannot be set")
            return
        log.info("time", "set, was off by %d s", after_s - before_s if before_s else 0)
        if self._on_clock:
            self._on_clock(before_s, after_s)

    async def _slew(self):
        while True:
            await asyncio.sleep_ms(self._slew_every_ms)
            self.nudge(time.ticks_ms())

    def nudge(self, now_ms):
        """Move the clock by at most one second towards the time at ticks now_ms."""
        self._rebase(now_ms)
        true_ms = self.time_ms(now_ms)
        known_s = clock.epoch_s()
        if true_ms is None or not known_s or not self._steerable:
            return
        off_s = true_ms // 1000 - known_s
        if off_s and abs(off_s) <= _SLEW_LIMIT_S:
            clock.set_epoch_s(known_s + (1 if off_s > 0 else -1))

    def _rebase(self, now_ms):
        """Long without an answer: ticks wrap after six days, so carry the estimate on."""
        if self._at_ms is None or time.ticks_diff(now_ms, self._at_ms) < 86400000:
            return
        self._true_ms = self.time_ms(now_ms)
        self._at_ms = now_ms


def start(servers, path, on_clock):
    """A task that keeps the time; its drift lives in the key-value file `path`."""
    from ..store.kv import KV

    global _task
    _task = asyncio.create_task(Sntp(servers, KV(path), on_clock).run())


async def _open(server):
    from .coap.udp import Udp

    host, port = server if isinstance(server, tuple) else (server, _PORT)
    return await Udp.open_to(host, port)


async def _own_answer(udp, cookie):
    """The first datagram with our cookie: late answers and forgeries are passed over."""
    while True:
        data, _ = await udp.recv()
        if len(data) >= sntp_packet.BYTES and bytes(data[24:32]) == cookie:
            return data
