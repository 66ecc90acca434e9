"""A node on virtual time with sensors that play back a script, and a store in memory."""

import asyncio

from quiet_case import QuietCase

from hedge.core import clock, log
from hedge.core.errors import StoreError
from hedge.node import Node
from hedge.wire import senml
from hedgerow.emulate.simclock import SimClock

DAY_S = 86400
START_S = 20000 * DAY_S  # 2024-10-04 00:00 UTC, a Friday


class FakeSensor:
    """readings: list of tuples of ints, or of exceptions; the last one repeats."""

    def __init__(self, *readings):
        self.readings = list(readings)
        self.count = 0

    async def read_into(self, out):
        reading = self.readings[min(self.count, len(self.readings) - 1)]
        self.count += 1
        if isinstance(reading, Exception):
            raise reading
        for i, value in enumerate(reading):
            out[i] = value


class FakePump:
    """Remembers (epoch_s, ms or 0) of each command."""

    def __init__(self):
        self.commands = []
        self.is_on = False

    def on(self, ms):
        self.is_on = True
        self.commands.append((clock.epoch_s() - START_S, ms))

    def off(self):
        if self.is_on:
            self.commands.append((clock.epoch_s() - START_S, 0))
        self.is_on = False

    def poll(self):
        return self.is_on


class FakeStore:
    """records: [(stream, [(name, value)...], time_s)]; full: appends fail, with `fault`."""

    def __init__(self):
        self.boot = 0
        self.full = False
        self.fault = StoreError("disk full")
        self.dropped = {}
        self.records = []
        self.prepared = []  # how many records there were then

    def open(self):
        self.boot += 1

    def prepare(self):
        self.prepared.append(len(self.records))

    def append(self, stream, payload):
        if self.full:
            raise self.fault
        assert len(payload) <= 160, len(payload)
        decoded = senml.decode(payload)
        entries = [(name, value) for name, _, value, _ in decoded]
        self.records.append((stream, entries, decoded[0][3]))
        return len(self.records)

    def find(self, name):
        """Values of every entry of that name."""
        return [v for _, entries, _ in self.records for n, v in entries if n == name]

    def events(self):
        """Entries of the events but the boot."""
        return [e for stream, e, _ in self.records if stream == 0 and e[0][0] != "boot"]


class FakeState:
    """hedge.store.KV in memory; broken: save() fails."""

    def __init__(self, values=None):
        self.values = values or {}
        self.saved = dict(self.values)
        self.broken = False
        self.damaged = False
        self.saves = 0

    def get(self, key, default=None):
        return self.values.get(key, default)

    def set(self, key, value):
        self.values[key] = value

    def delete(self, key):
        self.values.pop(key, None)

    def save(self):
        if self.broken:
            raise StoreError("disk full")
        self.saved = dict(self.values)
        self.saves += 1


class Rig:
    """node: describe it, then run(hours)."""

    def __init__(self, sample_s=3600, state=None, start_s=START_S, **options):
        self.store = FakeStore()
        self.state = state
        self.pump = FakePump()
        self._script = []
        self.clock = JumpClock(start_s, start_s + 4000 * DAY_S)
        clock.use(self.clock)
        log.level = log.WARN + 1
        self.node = Node("bed-3", sample_s, store=self.store, state=state, **options)

    def soil(self, *readings, **options):
        channels = [("vwc", "%", 100, 0, 10000)]
        self.sensor = FakeSensor(*readings)
        return self.node.add_sensor("soil", self.sensor, channels, 2, **options)

    def rule(self, when, **limits):
        self.node.add_actuator("pump", self.pump, max_on_s=1800)
        self.node.add_rule("water", "pump", when, on_s=600, **limits)

    def at(self, hours, action):
        """Call action() after so many hours of device time; before run()."""
        self._script.append((int(hours * 3600000), action))

    def run(self, hours, then=None):
        """Live for so many hours of device time; then: async function called at the end."""
        self.clock.end_ms = int(hours * 3600000) + 500
        asyncio.run(self._run(then))

    async def _run(self, then):
        tasks = [asyncio.create_task(self.node.run())]
        tasks += [asyncio.create_task(self._later(ms, action)) for ms, action in self._script]
        for _ in range(8):  # until the node's tasks are asleep in device time
            await asyncio.sleep_ms(0)
        await self.clock.run()
        if then:
            await then()
        for task in tasks:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

    async def _later(self, ms, action):
        await self.clock.sleep_ms(ms)
        action()


class JumpClock(SimClock):
    """Virtual time with a wall clock that can be set and that can be unknown (known=False)."""

    def __init__(self, start_s, end_s):
        super().__init__(start_s, end_s)
        self.jump_s = 0
        self.known = True

    def jump(self, seconds):
        """A function that moves the wall clock by so many seconds."""

        def move():
            self.jump_s += seconds

        return move

    def epoch_s(self):
        return super().epoch_s() + self.jump_s if self.known else 0

    def set_epoch_s(self, now_s):
        self.jump_s = now_s - super().epoch_s()


class JumpCase(QuietCase):
    """Time is that of self.clock. A subclass calls on setUp() and tearDown()."""

    def setUp(self):
        QuietCase.setUp(self)
        self.clock = JumpClock(START_S, START_S)
        self._clock = clock.use(self.clock)

    def tearDown(self):
        clock.use(self._clock)
        QuietCase.tearDown(self)
