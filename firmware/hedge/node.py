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

from . import VERSION
from .core import clock, log
from .core.errors import HedgeError, StoreError
from .latency import Latency
from .recorder import EVENTS, MAX_TEXT, TELEMETRY, Recorder
from .rules import Controller, Facts, Guard, Rule, build, fixed
from .sensing import Channel, Sensing, Sensor

_GUARD_MS = 30000  # longest sleep of the guard while something is on
_SAVE_S = 3600  # state is saved with each decision and this often
_RETRY_UPLINK_MS = 60000  # after an error in the uplink's own code


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
        self.ticks = self.missed = self.tick_errors = self.actuations = 0
        self.decision = Latency()
        self.late = Latency()
        self._offset_s = offset_s
        self._state = state
        self._saved_s = 0
        self._save_failed = False
        self._sensing = Sensing(unhealthy_after, self._on_health)
        self._channels = []
        self._filters = []
        self._rules = []
        self._drivers = []
        self._guards = []
        self._facts = Facts([], [])
        self._controller = None
        self._recorder = Recorder(None)
        self._records = []
        self._up_ms = 0
        self._last_ms = clock.ticks_ms()
        self._day = None
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

    def add_record(self, i, deadband=-1, max_s=0, summary_s=0, stream=TELEMETRY):
        """Keep value i; see recorder.Recorder.add."""
        self._records.append((i, deadband, max_s, summary_s, stream))

    # ---- life ----

    async def run(self):
        """Open the store, then work until stop(); after that only send what is left, for ever.

        Cancelling it ends everything. However it ends, actuators are off.
        """
        self.open()
        tasks = [asyncio.create_task(self._control()), asyncio.create_task(self._guard())]
        sending = asyncio.create_task(self._send()) if self.uplink else None
        try:
            await self._stop.wait()
            for task in tasks:
                task.cancel()
            if sending:
                await sending
        finally:
            self._all_off()
            for task in tasks + ([sending] if sending else []):
                task.cancel()

    def open(self):
        """Open store and state, build the uplink, record the boot. run() does this."""
        if self._controller:
            return
        self._open_store()
        self._recorder = Recorder(self.store, self._on_append)
        for i, deadband, max_s, summary_s, stream in self._records:
            self._recorder.add(i, self._channels[i], deadband, max_s, summary_s, stream)
        self._facts.values = [None] * len(self._channels)
        self._facts.good = [0] * len(self._sensing.sensors)
        self._controller = Controller(self._rules, self._guards)
        self._restore()
        self._record_boot()
        if self.make_uplink and self.store:
            self.uplink = self.make_uplink(self._info(), self._on_link, self._on_clock)
        gc.collect()

    def _open_store(self):
        if self.store is None:
            return
        try:
            self.store.open()
        except StoreError as error:
            log.warn("node", "works without a store: %s", error)
            self.store = None

    def stop(self, cause="node stops"):
        """Stop sensing and deciding; actuators go off, state is saved. Sending goes on."""
        if self._controller and not self._stop.is_set():
            decisions = self._controller.stop_all(self.now_s(), cause)
            self._command(decisions)
            self._record_decisions(decisions, clock.epoch_s())
            self._save()
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

    async def _control(self):
        watchdog = self.start_watchdog() if self.start_watchdog else None
        due_ms = self._now_ms()
        while True:
            self.late.add((self._now_ms() - due_ms) * 1000)
            await self._tick_safely()
            gc.collect()  # here, so that the next decision does not have to
            due_ms = self._next_due_ms(due_ms)
            await self._wait(due_ms, watchdog)

    async def _tick_safely(self):
        try:
            await self._tick()
        except Exception as error:  # noqa: BLE001  whatever it is: the field is safer with a node that goes on
            self.tick_errors += 1
            log.warn("node", "tick failed, actuators off: %r", error)
            self._all_off()

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
        await self._sensing.read_all(self._facts.values, self._facts.good)
        begin_us = time.ticks_us()
        now_s = self.now_s()
        local_s = epoch_s + self._offset_s if epoch_s else None
        model_ran = self._infer(epoch_s, local_s)
        self._set_time(local_s)
        decisions = self._controller.step(self._facts, now_s, local_s)
        self._command(decisions)
        self.decision.add(time.ticks_diff(time.ticks_us(), begin_us))
        self.ticks += 1
        self._after(decisions, model_ran, epoch_s, local_s, now_s)

    def _infer(self, epoch_s, local_s):
        """Filters, features, and the model if it is due; True if it was."""
        values = self._facts.values
        for i, sample_filter in self._filters:
            values[i] = sample_filter.update(values[i])
        if self.model is None:
            return False
        self.model.push(epoch_s, values)
        due = self.model.due(local_s)
        if due:
            self.model.run()
        self.model.scores_into(values)
        return due

    def _set_time(self, local_s):
        if local_s is None:
            self._facts.minute = -1
            return
        self._facts.minute = local_s % 86400 // 60
        self._facts.weekday = (local_s // 86400 + 3) % 7  # 1970-01-01 was a Thursday

    def _command(self, decisions):
        for decision in decisions:
            driver = self._drivers[decision.actuator]
            if decision.on:
                self._save()  # first: a reset right after must not water again
                driver.on(decision.on_s * 1000)
                self.actuations += 1
                self._switched.set()
            else:
                driver.off()

    def _all_off(self):
        for driver in self._drivers:
            driver.off()
        if self._controller:
            self._controller.stop_all(self.now_s(), "off")

    # ---- guard task ----

    async def _guard(self):
        while True:
            wait_s = self._controller.next_s(self.now_s())
            if wait_s is None:
                await self._switched.wait()
                self._switched.clear()
                continue
            await clock.sleep_ms(max(min(wait_s * 1000, _GUARD_MS), 50))
            for driver in self._drivers:
                driver.poll()
            decisions = self._controller.poll(self.now_s())
            self._command(decisions)
            self._record_decisions(decisions, clock.epoch_s())
            if decisions:
                self._save()

    # ---- uplink task ----

    async def _send(self):
        while True:
            try:
                await self.uplink.run()
            except Exception as error:  # noqa: BLE001  network code must not stop control
                log.warn("node", "uplink failed: %r", error)
            await asyncio.sleep_ms(_RETRY_UPLINK_MS)

    def _on_append(self):
        if self.uplink:
            self.uplink.wake()

    def _on_link(self, up, reason):
        self._recorder.event("link", up, "reason", reason)

    def _on_clock(self, before_s, after_s):
        self._recorder.event("clock", after_s - before_s if before_s else 0)

    def _info(self):
        from .wire import cbor

        info = {"name": self.name, "firmware": VERSION, "sample_s": self.sample_s}
        info.update(self.about)
        info["channels"] = {channel.name: channel.unit for channel in self._channels}
        return cbor.encode(info)

    # ---- records and state ----

    def _after(self, decisions, model_ran, epoch_s, local_s, now_s):
        if model_ran:
            self._record_scores(epoch_s)
            if not decisions:
                self._record_why(epoch_s)
        self._record_decisions(decisions, epoch_s)
        if local_s is None:
            self._recorder.values(self._facts.values, 0, now_s, now_s)
        else:
            self._recorder.values(self._facts.values, epoch_s, local_s, now_s)
            self._record_day(local_s // 86400, epoch_s)
        self._recorder.drops(now_s)
        if decisions or model_ran or now_s - self._saved_s >= min(_SAVE_S, self.sample_s * 4):
            self._save()

    def _record_boot(self):
        entries = [("boot", None, self.store.boot if self.store else 0)]
        entries.append(("reason", None, self.about["cause"]))
        entries.append(("firmware", None, VERSION))
        entries.append(("config", None, self.about["hash"]))
        self._recorder.write(EVENTS, entries)
        if self.model_error:
            self._recorder.event("model", False, "reason", self.model_error)
        if self._state and self._state.damaged:
            self._recorder.event("state", False, "reason", "damaged, limits of today start anew")

    def _record_scores(self, epoch_s):
        entries = []
        for i in range(len(self.model.outputs)):
            score = self._facts.values[self.model.first + i]
            if score is not None:
                entries.append(("model." + self.model.outputs[i], "/", score / 10000))
        if entries:
            self._recorder.write(TELEMETRY, entries, epoch_s)

    def _record_why(self, epoch_s):
        """A model run that changed nothing: what each rule says."""
        for actuator in range(len(self._drivers)):
            text = self._controller.why(actuator)
            if text:
                self._recorder.write(EVENTS, [("rule", None, text[:MAX_TEXT])], epoch_s)

    def _record_decisions(self, decisions, epoch_s):
        for decision in decisions:
            name = self._guards[decision.actuator].name
            entries = [(name, None, decision.on), ("rule", None, decision.cause[:MAX_TEXT])]
            self._recorder.write(EVENTS, entries, epoch_s)
            log.info("rule", "%s %s: %s", name, "on" if decision.on else "off", decision.cause)

    def _record_day(self, day, epoch_s):
        """Once a local day: how much was sensed, how much sent."""
        if self._day is not None and day != self._day:
            sent = self.uplink.bytes_sent if self.uplink else 0
            entries = [("diag.raw_bytes", "B", self._sensing.raw_bytes)]
            entries.append(("diag.sent_bytes", "B", sent))
            self._recorder.write(2, entries, epoch_s)
        self._day = day

    def _on_health(self, sensor):
        text = "well again" if sensor.healthy else sensor.reason
        self._recorder.event("health." + sensor.name, sensor.healthy, "reason", text)

    def _save(self):
        self._saved_s = self.now_s()
        if self._state is None:
            return
        try:
            self._state.set("rules", self._controller.state(self._saved_s))
            self._state.set("epoch_s", clock.epoch_s())
            if self.model:
                self._state.set("model", self.model.state())
            self._state.save()
            self._save_failed = False
        except StoreError as error:
            if not self._save_failed:
                log.warn("node", "state not saved: %s", error)
                self._recorder.event("state", False, "reason", str(error))
            self._save_failed = True

    def _restore(self):
        if self._state is None or self._state.get("rules") is None:
            return
        saved_s, now_s = self._state.get("epoch_s", 0), clock.epoch_s()
        away_s = max(now_s - saved_s, 0) if saved_s and now_s else 0
        try:
            self._controller.restore(self._state.get("rules"), self.now_s(), away_s)
            if self.model and self._state.get("model"):
                self.model.restore(self._state.get("model"))
        except (KeyError, TypeError, IndexError, ValueError, HedgeError) as error:
            log.warn("node", "state of another version, starting anew: %r", error)

    # ---- numbers ----

    def value(self, name):
        """Text of a channel's value at the last tick, e.g. "11.2"; "?" while unknown."""
        for i, channel in enumerate(self._channels):
            if channel.name == name:
                return fixed(self._facts.values[i], channel.scale) if self._facts.values else "?"
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
            "actuations": self.actuations,
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


def node_from_plan(plan, board, base_dir="."):
    """The node that a compiled node file describes; see node_plan.py."""
    from .node_plan import build_node

    return build_node(plan, board, base_dir)
