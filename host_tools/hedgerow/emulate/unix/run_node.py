"""MicroPython main of a simulated node: real device code in a virtual world.

    micropython run_node.py plan.json sim.json      (sim/node_run.py starts it)

It wires simulated chips to the fake machine, hands hedge.core.clock over to virtual time, builds
the node from its plan, and runs it until the end of the virtual time span. Then the node stops
sampling and the uplink gets `drain_s` of real time to empty the log.

Exit codes: 0 everything acknowledged; 3 the end came before that; 80 to 83 a reset or deep sleep
(fake_machine/power.py). Anything else is a crash.

sim.json: {"start_s", "end_s", "speed", "wall_start_s", "drain_s", "hold_records", "died_wall_s",
"off_s", "world", "faults"};
died_wall_s is the real time of the last kill, or null. Writes world.json and stats-<boot>.json
beside it.
"""

import asyncio
import json
import os
import sys
import time

import machine

from hedge.board import Board
from hedge.core import clock
from hedge.latency import Latency
from hedge.node import node_from_plan
from hedgerow.emulate.scene import Scene
from hedgerow.emulate.simclock import SimClock

_DONE = 0
_UNDRAINED = 3
_REPORT_MS = 250  # real time between two reports on disk
_POLL_MS = 20


def read_json(path):
    """The parsed file, None if there is none."""
    try:
        with open(path) as f:
            return json.load(f)
    except OSError:
        return None


def write_json(path, data):
    """Whole or not at all: a kill in between leaves the file before."""
    with open(path + ".new", "w") as f:
        json.dump(data, f)
    os.rename(path + ".new", path)


def timeline(settings, saved):
    """(wall_start_s, now_s, died_s): a restarted node goes on with its former life.

    saved: world.json of that life, None at the first start. After a deep sleep it goes on at the
    time of waking. While the node is off, off_s of virtual time pass, or as much as the pace says
    if that is null; without a pace none.
    """
    speed, start_s = settings["speed"], settings["start_s"]
    if saved is not None and machine.wake_ms():
        now_s = min(max(machine.wake_ms() / 1000, saved["now_s"]), settings["end_s"])
        return time.time() - (now_s - start_s) / speed if speed else None, now_s, None
    if saved is None:
        # Where the interpreter came up late nothing of the field is skipped.
        return max(settings["wall_start_s"], time.time()), start_s, None
    if not speed:
        return None, saved["now_s"], None
    wall_start_s = saved["wall_s"] - (saved["now_s"] - start_s) / speed
    died_wall_s = settings["died_wall_s"]
    died_s = start_s + (died_wall_s - wall_start_s) * speed if died_wall_s else None
    off_s = settings["off_s"]
    if off_s is None:
        return wall_start_s, saved["now_s"], died_s
    now_s = saved["now_s"] + off_s
    return time.time() - (now_s - start_s) / speed, now_s, died_s


class Hold:
    """Stops virtual time while an open link has too much to carry.

    The network runs in real time and the field up to a million times faster. Without this a log
    sized for days of outage would fill within a second of healthy network. While the link is down
    virtual time runs on: an outage fills the log as it would in the field.
    """

    def __init__(self, node, most_records):
        self._node = node
        self._most_records = most_records

    def __call__(self):
        if getattr(self._node, "sending", False):
            return True  # a node that sleeps waits for its session in real time
        uplink = self._node.uplink
        return bool(uplink and uplink.up and self._node.store.pending() > self._most_records)


class NodeRun:
    """One process life of the node: world, clock, node, reports."""

    def __init__(self, plan, settings, folder):
        self._settings = settings
        self._folder = folder
        saved = read_json(folder + "/world.json")
        wall_start_s, now_s, died_s = timeline(settings, saved)
        self.clock = SimClock(
            settings["start_s"], settings["end_s"], settings["speed"], wall_start_s, now_s
        )
        self.scene = Scene(
            plan,
            settings["world"],
            settings["start_s"],
            self.clock.now_ms,
            settings.get("faults"),
        )
        self.scene.restore(saved and saved["world"], saved and saved["now_s"], died_s)
        clock.use(self.clock)
        machine.use_epoch_ms(lambda: int(self.clock.now_s() * 1000))
        self.node = node_from_plan(plan, self._board(plan), folder)
        self.clock.on_advance = self._advance
        self._late = Latency()
        self.clock.on_moment = self._late.add
        self._first_tick_wall_s = None
        if settings["hold_records"] or plan.get("power"):
            self.clock.hold = Hold(self.node, settings["hold_records"] or 1 << 30)

    def _board(self, plan):
        """The node's board; before a deep sleep everything is reported."""
        board = Board(plan["board"])
        deep_sleep = board.deep_sleep

        def report_and_sleep(ms):
            self.report()
            deep_sleep(ms)

        board.deep_sleep = report_and_sleep
        return board

    async def main(self):
        """Live until the end of the time span and empty the log; returns the exit code."""
        self.scene.advance(self.clock.now_s())
        self.scene.connect_pumps(self.save_world)
        running = asyncio.create_task(self.node.run())
        reporting = asyncio.create_task(self._report_forever())
        living = asyncio.create_task(self.clock.run())
        while not self.clock.ended():
            for task in (running, living):  # neither ends before: show why it did
                if task.done() and not self.clock.ended():
                    await task
                    raise RuntimeError("the node returned before the end")
            await asyncio.sleep_ms(_POLL_MS)
        await living
        self.node.stop()
        drained = await self._drain()
        reporting.cancel()
        self.report(ended=True)
        return _DONE if drained else _UNDRAINED

    def _advance(self, now_s):
        if self._first_tick_wall_s is None and self.node.ticks:
            self._first_tick_wall_s = time.time()
        self.scene.advance(now_s)

    async def _drain(self):
        """Wait until the gateway has acknowledged everything; False after drain_s of real time."""
        if self.node.uplink is None:
            return True
        begin = time.ticks_ms()
        while self.node.store.pending():
            if time.ticks_diff(time.ticks_ms(), begin) > self._settings["drain_s"] * 1000:
                return False
            await asyncio.sleep_ms(_POLL_MS)
        return True

    async def _report_forever(self):
        while True:
            self.report()
            await asyncio.sleep_ms(_REPORT_MS)

    def report(self, ended=False):
        """Write what a kill must not lose: the world, and this boot's statistics."""
        self.save_world()
        boot = self.node.store.boot
        if boot:
            stats = {
                "boot": boot,
                "ended": ended,
                "now_s": self.clock.now_s(),
                "slipped_s": self.clock.slipped_s,
                "held_ms": self.clock.held_ms,
                "late_us_histogram": self._late.histogram(),
                "pending": self.node.store.pending(),
                "up": bool(self.node.uplink and self.node.uplink.up),
                "first_tick_wall_s": self._first_tick_wall_s,
                "node": self.node.stats(),
                "world": self.scene.totals(),
            }
            write_json("%s/stats-%010d.json" % (self._folder, boot), stats)

    def save_world(self):
        """The field outlives the node."""
        world = {
            "now_s": self.clock.now_s(),
            "wall_s": time.time(),
            "world": self.scene.state(),
        }
        write_json(self._folder + "/world.json", world)


def main(plan_file, settings_file):
    """Returns the exit code."""
    folder = settings_file.rsplit("/", 1)[0]
    run = NodeRun(read_json(plan_file), read_json(settings_file), folder)
    return asyncio.run(run.main())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
