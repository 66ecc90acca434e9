"""A node: senses, decides, acts, keeps and sends. The composition root.

    node = node_from_plan(json.load(file), Board(plan["board"]), "/")   # from a compiled node file
    asyncio.run(node.run())

or in Python, see apps/ and README.md:

    node = Node("bed-3", sample_s=900, store=Store("/log"))
    soil = node.add_sensor("soil", SoilProbe(board.adc(26)), [("vwc", "%", 100, 0, 10000)])
    node.add_actuator("pump", Relay(board.output_pin(15)), max_on_s=1800)
    node.add_rule("water", "pump", ["<", soil, 1400, 1500], on_s=900, hold_off_s=43200)
    node.add_record(soil, deadband=50)

Three tasks: control (sense, then one synchronous step from filter to actuator and record), guard
(ends runs in time), uplink (drains the store). The control task never waits for the network.

What the times in stats() mean, all in real microseconds but the last:
    decision_us   from "the last sensor of this tick has answered" to "the last command of this
                  tick is done": filters, features, model if due, rules, actuators. Reading
                  sensors is their conversion time and is not part of it; nor is recording.
    late_ms       device time by which ticks began after their time in the timetable.
"""

import asyncio
import gc
import time

from micropython import const

from . import VERSION
from .control import Control
from .core import clock, log
from .core.errors import StoreError
from .journal import Journal
from .keeper import Keeper
from .latency import Latency
from .recorder import TELEMETRY, Recorder
from .rules import Guard, Rule, build, fixed
from .sensing import Channel, Sensing, Sensor

_GUARD_MS = const(30000)  # longest sleep of the guard while something is on
_TICK_BYTES = const(65536)  # more than a tick and its network traffic leave behind
_ERASE_MS = const(500)  # more than a flash sector's erase takes
_RETRY_UPLINK_MS = const(60000)  # after an error in the uplink's own code


class Node:
    """store: hedge.store.Store, not yet opened, or None. state: hedge.store.KV or None.

    sample_s: time between ticks; the first is at once, later ones at multiples of sample_s.
    offset_s: local time = UTC + this. about: what the boot record and the info map tell more.
    make_uplink(info, on_link, on_clock): called once the store is open, returns an Uplink; info is
    bytes for the gateway.
    start_watchdog(): called by run(), returns an object with feed(); fed every feed_ms.
    """

    def __init__(self, name, sample_s=900, offset_s=0, unhealthy_after=3, store=None, state=None):
        self.name = name
        self.sample_s = sample_s
        self.store = store
        self.uplink = None
        self.about = {"cause": "unknown", "hash": "", "board": ""}
        self.make_uplink = None
        self.start_watchdog = None
        self.feed_ms = 0
        self.model = None
        self.model_error = ""
        self.control = None  # after open()
        self.ticks = self.missed = self.tick_errors = 0
        self.decision = Latency()
        self.late = Latency()
        self._offset_s = offset_s
        self._state = state
        self._sensing = Sensing(unhealthy_after, self._on_health)
        self._channels = []
        self._filters = []
        self._rules = []
        self._drivers = []
        self._guards = []
        self._records = []
        self._recorder = Recorder(None)
        self._gc_every = 1  # ticks
        self._up_ms = 0
        self._last_ms = clock.ticks_ms()
        self._switched = asyncio.Event()
        self._stop = asyncio.Event()

    # ---- describing the node; before run() ----

    def add_sensor(self, name, driver, channels, raw_bytes=0, stuck_after=0):
        """channels: (name, SenML unit, scale, low, high) in the order of the driver's out, the
        limits as scaled ints. Returns the index of the first channel in the value vector."""
        first = len(self._channels)
        for short, unit, scale, low, high in channels:
            full = short if "." in short else "%s.%s" % (name, short)
            self._channels.append(Channel(full, unit, scale, low, high))
        own = self._channels[first:]
        self._sensing.sensors.append(Sensor(name, driver, own, first, raw_bytes, stuck_after))
        return first

    def add_scores(self, outputs):
        """Places in the value vector for model outputs, after all sensors; returns the first."""
        first = len(self._channels)
        for output in outputs:
            self._channels.append(Channel("model." + output, "/", 10000, 0, 10000))
        return first

    def add_filter(self, i, sample_filter):
        """Smooth value i; see dsp.filters.make_filter. In the order of the calls."""
        self._filters.append((i, sample_filter))

    def add_actuator(self, name, driver, max_on_s, min_off_s=0, max_s_per_day=0):
        """driver: has on(ms), off(), poll(); off now."""
        self._drivers.append(driver)
        self._guards.append(Guard(name, max_on_s, min_off_s, max_s_per_day))

    def add_rule(self, name, actuator, when, on_s=0, hold_off_s=0, max_per_day=0):
        """actuator: name or index. when: list form of PLAN.md; needs its channels to exist."""
        if not isinstance(actuator, int):
            actuator = [guard.name for guard in self._guards].index(actuator)
        names = [channel.name for channel in self._channels]
        scales = [channel.scale for channel in self._channels]
        sensors = [sensor.name for sensor in self._sensing.sensors]
        condition = build(when, names, scales, sensors)
        self._rules.append(Rule(name, actuator, condition, on_s, hold_off_s, max_per_day))

    def add_record(self, i, deadband=-1, max_s=0, summary_s=0, mean_only=False, stream=TELEMETRY):
        """Keep value i; see recorder.Recorder.add."""
        self._records.append((i, deadband, max_s, summary_s, mean_only, stream))

    # ---- life ----

    async def run(self):
        """Open the store, then work until stop(); after that only send what is left, for ever.

        Cancelling it ends everything. However it ends, actuators are off.
        """
        self.open()
        if self._gc_every == 1 and hasattr(gc, "threshold"):
            # A small heap, swept long before it is full: what stays would else lie scattered over
            # all of it, and the 200 bytes of a frame find no room in one piece.
            gc.threshold(_free_bytes() // 4)
        tasks = [
            asyncio.create_task(self._control_task()),
            asyncio.create_task(self._guard_task()),
        ]
        sending = asyncio.create_task(self._send_task()) if self.uplink else None
        try:
            await self._stop.wait()
            for task in tasks:
                task.cancel()
            if sending:
                await sending
        finally:
            self.control.stop(self.now_s(), "off")
            for task in tasks + ([sending] if sending else []):
                task.cancel()

    def open(self):
        """Open store and state, build the uplink, record the boot. run() does this."""
        if self.control:
            return
        self._open_store()
        self._recorder = Recorder(self.store, self._on_append)
        self._journal = Journal(self._recorder)
        self._keeper = Keeper(self._state, self._journal.fault)
        for i, *how in self._records:
            self._recorder.add(i, self._channels[i], *how)
        self._records = ()
        self._make_control()
        damaged = self._state is not None and self._state.damaged
        boot = self.store.boot if self.store else 0
        self._journal.boot(boot, self.about, self.model_error, damaged)
        if self.make_uplink and self.store:
            self.uplink = self.make_uplink(self._info(), self._journal.link, self._journal.clock)
        gc.collect()
        self._gc_every = max(_free_bytes() // _TICK_BYTES, 1)

    def _open_store(self):
        if self.store is None:
            return
        try:
            self.store.open()
        except StoreError as error:
            log.warn("node", "works without a store: %s", error)
            self.store = None

    def _make_control(self):
        self.control = Control(
            self._filters, self.model, self._rules, self._guards, self._drivers, self._before_on
        )
        self.control.facts.values = [None] * len(self._channels)
        self.control.facts.good = [0] * len(self._sensing.sensors)
        self._keeper.restore(self.control, self.now_s())

    def stop(self, cause="node stops"):
        """Stop sensing and deciding; actuators go off, state is saved. Sending goes on."""
        if self.control and not self._stop.is_set():
            self._note(self.control.stop(self.now_s(), cause))
            self._keeper.save(self.control, self.now_s())
        self._stop.set()

    def now_s(self):
        """Seconds since start, only forward; call it at least once in six days."""
        return self._now_ms() // 1000

    def _now_ms(self):
        now_ms = clock.ticks_ms()
        self._up_ms += max(clock.ticks_diff(now_ms, self._last_ms), 0)
        self._last_ms = now_ms
        return self._up_ms

    # ---- control task ----

    async def _control_task(self):
        watchdog = self.start_watchdog() if self.start_watchdog else None
        due_ms = self._now_ms()
        while True:
            self.late.add((self._now_ms() - due_ms) * 1000)
            await self._tick_safely()
            if self.ticks % self._gc_every == 0:
                gc.collect()  # here, so that no decision has to
            due_ms = self._next_due_ms(due_ms)
            if self.store and due_ms - self._now_ms() > _ERASE_MS:
                self.store.prepare()  # and here, so that no record of a decision waits
            await self._wait(due_ms, watchdog)

    async def _tick_safely(self):
        try:
            await self._tick()
        except Exception as error:  # noqa: BLE001  the field is safer with a node that goes on
            self.tick_errors += 1
            log.warn("node", "tick failed, actuators off: %r", error)
            self._note(self.control.stop(self.now_s(), "tick failed"))
            if self.tick_errors == 1:
                self._journal.fault("tick", error)

    def _next_due_ms(self, due_ms):
        """The next multiple of sample_s by the wall clock, or sample_s on while it is unknown."""
        now_ms, epoch_s, step_s = self._now_ms(), clock.epoch_s(), self.sample_s
        phase_s = (epoch_s - (now_ms - due_ms) // 1000) % step_s
        if epoch_s and 1 < phase_s < step_s - 1:
            due_ms = now_ms - epoch_s % step_s * 1000  # first tick, or the clock jumped
        due_ms += step_s * 1000
        while due_ms <= now_ms:
            due_ms += step_s * 1000
            self.missed += 1
        return due_ms

    async def _wait(self, due_ms, watchdog):
        """Sleep; the watchdog is fed here and nowhere else, so a hanging tick resets the board."""
        while True:
            left_ms = due_ms - self._now_ms()
            if watchdog:
                watchdog.feed()
                left_ms = min(left_ms, self.feed_ms)
            if left_ms <= 0:
                return
            await clock.sleep_ms(left_ms)

    async def _tick(self):
        epoch_s = clock.epoch_s()
        facts = self.control.facts
        await self._sensing.read_all(facts.values, facts.good)
        begin_us = time.ticks_us()
        now_s = self.now_s()
        local_s = epoch_s + self._offset_s if epoch_s else None
        decisions, model_ran = self.control.step(epoch_s, local_s, now_s)
        self.decision.add(time.ticks_diff(time.ticks_us(), begin_us))
        self.ticks += 1
        if model_ran:
            self._journal.model_run(self.control, decisions, epoch_s)
        self._note(decisions, epoch_s)
        self._record(epoch_s, local_s, now_s)
        if decisions or model_ran or self._keeper.is_due(now_s):
            self._keeper.save(self.control, now_s)

    def _record(self, epoch_s, local_s, now_s):
        values = self.control.facts.values
        self._recorder.values(values, epoch_s, now_s if local_s is None else local_s, now_s)
        if local_s is not None:
            sent = self.uplink.bytes_sent if self.uplink else 0
            self._journal.day(local_s, self._sensing.raw_bytes, sent, epoch_s)
        self._recorder.drops(now_s)

    def _note(self, decisions, epoch_s=None):
        """Record decisions and let the guard task know."""
        if decisions:
            epoch_s = clock.epoch_s() if epoch_s is None else epoch_s
            self._journal.decisions(decisions, self._guards, epoch_s)
            self._switched.set()

    def _before_on(self):
        self._keeper.save(self.control, self.now_s())

    # ---- guard task ----

    async def _guard_task(self):
        while True:
            wait_s = self.control.controller.next_s(self.now_s())
            if wait_s is None:
                await self._switched.wait()
                self._switched.clear()
                continue
            await clock.sleep_ms(max(min(wait_s * 1000, _GUARD_MS), 50))
            try:
                self._guard()
            except Exception as error:  # noqa: BLE001  without this task nothing ends in time
                log.warn("node", "guard failed, actuators off: %r", error)
                self.control.stop(self.now_s(), "guard failed")

    def _guard(self):
        decisions = self.control.poll(self.now_s())
        self._note(decisions)
        if decisions:
            self._keeper.save(self.control, self.now_s())

    # ---- uplink task ----

    async def _send_task(self):
        while True:
            try:
                await self.uplink.run()
            except Exception as error:  # noqa: BLE001  network code must not stop control
                log.warn("node", "uplink failed: %r", error)
            await asyncio.sleep_ms(_RETRY_UPLINK_MS)

    def _on_append(self):
        if self.uplink:
            self.uplink.wake()

    def _on_health(self, sensor):
        self._journal.health(sensor)

    def _info(self):
        from .wire import cbor_write

        info = {"name": self.name, "firmware": VERSION, "sample_s": self.sample_s}
        info.update(self.about)
        info["channels"] = {channel.name: channel.unit for channel in self._channels}
        info["actuators"] = [guard.name for guard in self._guards]
        out = bytearray()
        cbor_write.write_item(out, info)
        return bytes(out)

    # ---- numbers ----

    def value(self, name):
        """Text of a channel's value at the last tick, e.g. "11.2"; "?" while unknown."""
        for i, channel in enumerate(self._channels):
            if channel.name == name:
                return fixed(self.control.facts.values[i], channel.scale) if self.control else "?"
        raise KeyError(name)

    def stats(self):
        """Counts since this start, as plain dict; see the module docstring for the times."""
        uplink, store = self.uplink, self.store
        return {
            "records_created": self._recorder.created,
            "records_lost": self._recorder.lost,
            "dropped": sum(store.dropped.values()) if store and store.boot else 0,
            "raw_bytes": self._sensing.raw_bytes,
            "sent_bytes": uplink.bytes_sent if uplink else 0,
            "outages": uplink.outages if uplink else 0,
            "inferences": self.model.runs if self.model else 0,
            "actuations": self.control.actuations if self.control else 0,
            "decisions": self.ticks,
            "missed": self.missed,
            "tick_errors": self.tick_errors,
            "sensor_faults": self._sensing.faults,
            "unhealthy": [s.name for s in self._sensing.sensors if not s.healthy],
            "decision_us": [self.decision.percentile_us(50), self.decision.percentile_us(99)],
            "decision_us_max": self.decision.most_us,
            "decision_us_histogram": self.decision.histogram(),
            "late_ms": [self.late.percentile_us(50) // 1000, self.late.percentile_us(99) // 1000],
        }


def _free_bytes():
    """Free heap; CPython, where tests run, has no such number."""
    return gc.mem_free() if hasattr(gc, "mem_free") else 1 << 20


def node_from_plan(plan, board, base_dir="."):
    """The node that a compiled node file describes; see node_plan.py."""
    from .core.once import forget
    from .node_plan import build_node

    node = build_node(plan, board, base_dir)
    for name in ("node_plan", "wire.cbor", "wire.cbor_read", "core.once"):
        forget("hedge." + name)
    return node
