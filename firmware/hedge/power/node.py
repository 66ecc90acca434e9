"""A node that sleeps between ticks: wake, read, infer, act, store, maybe send, sleep.

    [power] of the node file -> plan["power"] -> node_plan.py makes this instead of a Node

From -> to (DESIGN.md): as node.py; what it decides and records is the same, with and without
sleep. Deep sleep ends the program: what is only in RAM goes into a ticket (ticket.py) and comes
back in the next start, which goes on with the same boot number. A start without a ticket
(power-on, watchdog, crash) is a new boot with what the key-value file holds, as for any node.

It stays awake while an actuator is on, and while a link session has something to send, at
most awake_max_s. Actuators are off before every deep sleep.
"""

import asyncio
import time

from ..core import clock, log
from ..core.errors import StoreError
from ..node import Node
from ..recorder import DIAG
from . import kept, ticket
from .ledger import IDLE, INFER, LINK, SENSE, SLEEP, STORE, Ledger
from .nap import nap
from .schedule import Schedule

_LEAST_SLEEP_MS = 3000  # less is not worth starting again
_LOOK_MS = 20  # real time between two looks at a link session
_DAY_S = 86400
_HOUR_S = 3600


class PowerNode(Node):
    """Describe it as a Node, then set_power(); sending: a link session is under way."""

    def set_power(self, table, board, base_dir):
        """table: plan["power"]. board: retained(), retain(), reset_cause(), deep_sleep(ms), port.

        Takes the ticket, once. Before open().
        """
        self.mode = table["sleep"]
        self.sending = False
        self.ledger = Ledger(table["ua"], table["loads_ua"], table["wake_ms"])
        self._board = board
        self._path = base_dir + "/sleep.kv"
        self._awake_max_ms = table["awake_max_s"] * 1000
        every_s = table["uplink_every_s"]
        self._schedule = Schedule(every_s, table["on_events"], max(self.sample_s, 60))
        if self.mode != "none":
            self.about["uplink_every_s"] = every_s  # the gateway does not miss it in between
        self._ticket = ticket.take(board, self._path) if self.mode == "deep" else None
        if self._ticket and self._ticket["hash"] != self.about["hash"]:
            log.warn("power", "woke up with other settings: a new boot")
            self._ticket = None
        self._due_ms = 0
        self._ended_ms = None  # device time at which the last counted phase ended
        self._carried = [0, 0]  # bytes sent and outages of the sleeps before
        self._day = None

    # ---- waking ----

    def open(self):
        make = self.make_uplink
        if make and self.mode != "none":  # else every session would be news, and ask for another
            self.make_uplink = lambda info, _, on_clock: make(info, _not_told, on_clock)
        super().open()

    def _open_store(self):
        parked = self._ticket["store"] if self._ticket else None
        if parked and self.store:
            self._go_on(parked)
        else:
            self._ticket = None
            super()._open_store()

    def _go_on(self, parked):
        from ..store.resume import goes_on

        try:
            self.store.open(goes_on(parked))
            if self.store.boot != parked["boot"]:
                self._ticket = None
        except StoreError as error:
            log.warn("node", "works without a store: %s", error)
            self.store = self._ticket = None

    def _make_control(self):
        super()._make_control()
        self._ended_ms = clock.ticks_ms()
        self._time_phases()
        woken, self._ticket = self._ticket, None
        if woken and self._woke(woken):
            self._journal.boot = _not_told  # it goes on

    def _woke(self, woken):
        try:
            self._wake(woken)
        except (KeyError, TypeError, IndexError, ValueError) as error:
            log.warn("power", "ticket of another version: %r", error)
            return False
        return True

    def _wake(self, woken):
        if woken["adjust_s"]:
            clock._source.adjust_s = woken["adjust_s"]  # the hardware's clock ran on, as it was
        slept_ms = woken["sleep_ms"]  # as planned, if the clock does not know better
        if woken["epoch_s"] and clock.epoch_s():
            slept_ms = max((clock.epoch_s() - woken["epoch_s"]) * 1000, 0)
        self._up_ms = woken["up_ms"] + slept_ms
        kept.put_back(self, woken["node"], self.now_s(), slept_ms // 1000)
        self._schedule.restore(woken["schedule"])
        self.ledger.restore(woken["ledger"])
        self._carried, self._day, self._due_ms = woken["carried"], woken["day"], woken["due_ms"]
        self.ledger.wakes += 1
        self.ledger.add(SLEEP, slept_ms)
        late_s = (self._now_ms() - self._due_ms) // 1000
        if late_s > self.sample_s:
            self._recorder.event("wake", late_s, "reason", "so many s late")

    async def _control_task(self):
        left_ms = self._due_ms - self._now_ms()
        if left_ms > 0:  # the clock that woke it runs fast
            await clock.sleep_ms(left_ms)
        await super()._control_task()

    # ---- the phases of a tick ----

    def _time_phases(self):
        """Time the parts of a tick from outside: hooks in Node would cost every node."""
        read_all, step, day = self._sensing.read_all, self.control.step, self._journal.day

        async def timed_read_all(values, good):
            self._count(IDLE)
            self._report()
            await read_all(values, good)
            self._count(SENSE)

        def timed_step(epoch_s, local_s, now_s):
            begin_us = time.ticks_us()
            decided = step(epoch_s, local_s, now_s)
            self._decided_us = time.ticks_us()
            self.ledger.add_us(INFER, time.ticks_diff(self._decided_us, begin_us))
            return decided

        def day_of_all_sleeps(local_s, raw_bytes, sent_bytes, epoch_s):
            day(local_s, raw_bytes, sent_bytes + self._carried[0], epoch_s)

        self._sensing.read_all, self.control.step = timed_read_all, timed_step
        self._journal.day = day_of_all_sleeps

    async def _tick(self):
        await super()._tick()
        self.ledger.add_us(STORE, time.ticks_diff(time.ticks_us(), self._decided_us))
        self._skip()

    def _count(self, phase):
        """Device time since the last count belongs to this phase."""
        ms = clock.ticks_diff(clock.ticks_ms(), self._ended_ms)
        self._skip()
        self.ledger.add(phase, ms)

    def _skip(self):
        """Up to now was counted in real time."""
        self._ended_ms = clock.ticks_ms()

    def _report(self):
        """The ledger of a local day, before the first reading of the next."""
        epoch_s = clock.epoch_s()
        day = (epoch_s + self._offset_s if epoch_s else self.now_s()) // _DAY_S
        if self._day is not None and day != self._day:
            for entries in self.ledger.day_entries():
                if entries:
                    self._recorder.write(DIAG, entries, epoch_s)
            self.ledger.clear()
        self._day = day

    def _note(self, decisions, epoch_s=None):
        for decision in decisions:
            if not decision.on:
                self.ledger.on_s[decision.actuator] += decision.ran_s
        super()._note(decisions, epoch_s)

    # ---- between ticks ----

    async def _wait(self, due_ms, watchdog):
        if self.mode == "none":
            await super()._wait(due_ms, watchdog)
            self._count(LINK if self.uplink and self.uplink.up else IDLE)
            return
        while True:
            await self._send_if_due(watchdog)
            on_s = self.control.controller.next_s(self.now_s())
            if on_s is None:
                break
            until_ms = min(due_ms, self._now_ms() + on_s * 1000 + 100)
            await super()._wait(until_ms, watchdog)  # the guard task ends the run
            if self._now_ms() >= due_ms:
                return
        self._count(IDLE)
        await self._sleep(due_ms, watchdog)

    async def _sleep(self, due_ms, watchdog):
        left_ms = due_ms - self._now_ms()
        if left_ms < _LEAST_SLEEP_MS:
            await super()._wait(due_ms, watchdog)
            return
        if self.mode == "deep" and self._leave(left_ms, due_ms):
            self._board.deep_sleep(left_ms)  # does not return
        await asyncio.sleep_ms(0)  # the other tasks first, and a stop that is under way
        await nap(self._board, left_ms, watchdog, self.feed_ms)
        self._count(SLEEP)

    def _leave(self, left_ms, due_ms):
        """Actuators off, the ticket left; False if that failed: then it sleeps lightly."""
        from ..store.resume import park

        self.control.stop(self.now_s(), "sleep")
        values = {
            "hash": self.about["hash"],
            "store": park(self.store) if self.store else None,
            "node": kept.keep(self, self.now_s()),
            "up_ms": self._now_ms(),
            "due_ms": due_ms,
            "sleep_ms": left_ms,
            "epoch_s": clock.epoch_s(),
            "adjust_s": getattr(clock._source, "adjust_s", 0),
            "schedule": self._schedule.state(),
            "ledger": self.ledger.state(),
            "carried": self._carry(),
            "day": self._day,
        }
        return ticket.leave(self._board, self._path, values)

    # ---- the link ----

    async def _send_task(self):
        if self.mode != "none":
            await self._stop.wait()  # sessions are begun by _send_if_due; this sends what is left
        await super()._send_task()

    async def _send_if_due(self, watchdog):
        if not self.uplink:
            return
        pending, events = self.store.pending(), self.store.pending(0)
        if self._schedule.due(self.now_s(), pending, events):
            self._count(IDLE)
            begin_ms = time.ticks_ms()
            await self._session(begin_ms, watchdog)
            self.ledger.add(LINK, time.ticks_diff(time.ticks_ms(), begin_ms))
            self._skip()
            self._after_session()

    async def _session(self, begin_ms, watchdog):
        """Connect, send, wait for the acknowledgements; in real time, as all of the network."""
        self.sending = True
        task = asyncio.create_task(self._run_uplink())
        try:
            while self.store.pending() and not task.done():
                if time.ticks_diff(time.ticks_ms(), begin_ms) > self._awake_max_ms:
                    return
                if watchdog:
                    watchdog.feed()
                await asyncio.sleep_ms(_LOOK_MS)
        finally:
            await _end(task)
            self.sending = False

    async def _run_uplink(self):
        try:
            await self.uplink.run()
        except Exception as error:  # noqa: BLE001  network code must not stop control
            log.warn("power", "uplink failed: %r", error)

    def _after_session(self):
        failed_before = self._schedule.failures
        is_all_away = not self.store.pending()
        self._schedule.done(self.now_s(), is_all_away)
        if is_all_away and failed_before:
            self._journal.link(True, "connected")
        elif not is_all_away and not failed_before:
            text = "%d records left after %d s" % (
                self.store.pending(),
                self._awake_max_ms // 1000,
            )
            self._journal.link(False, text)

    # ---- numbers ----

    def _carry(self):
        """[bytes sent, outages] over all sleeps."""
        if not self.uplink:
            return self._carried
        return [self._carried[0] + self.uplink.bytes_sent, self._carried[1] + self.uplink.outages]

    def stats(self):
        """As a Node's, over all sleeps; "power": seconds by phase since the last report."""
        found = super().stats()
        found["sent_bytes"], found["outages"] = self._carry()
        found["power"] = self.ledger.state()
        return found


def _not_told(*_):
    """A start that goes on, and a planned session, are no events."""


async def _end(task):
    """Cancel the uplink and wait until its link is closed."""
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass  # it is what was asked for
