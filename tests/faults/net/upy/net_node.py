"""A node that makes a record every 100 ms and sends it; MicroPython, driven by site_parts.py.

SCENARIO: arguments of make_link and: dir, control (path of a JSON file that changes while it
runs), dns ([[address, port]]), networks ([[ssid, key]]) with port_of ("esp32" or "rp2"),
time_servers, pty (of a modem).
Control: {"air": {ssid: {"on": .., "key": .., "dhcp": .., "address": ..}}, "clock_s": ..,
"phase": .., "stop": ..}. At a new phase it tells the gaps of the loop in the one before.
"""

import asyncio
import json
import os
import time

from gaps import Gaps

from hedge.core import clock, log
from hedge.net.link import make_link
from hedge.net.uplink import Uplink
from hedge.store import Store

_EVERY_MS = 100
_DRAIN_MS = 110000


def say(event, **facts):
    facts["event"] = event
    print(json.dumps(facts))


class Control:
    def __init__(self, path):
        self._path = path
        self.now = {}

    def read(self):
        """True if it changed."""
        with open(self._path) as file:
            now = json.load(file)
        changed = now != self.now
        self.now = now
        return changed


class Radio:
    """The simulated air, as the control file wants it."""

    def __init__(self, port, control):
        from hedgerow.emulate.wlan import Air, Network

        self.air = Air(join_ms=800, dhcp_ms=500)
        self.network = Network(self.air, port)
        self._points = {}
        self.follow(control)

    def follow(self, control):
        for ssid, how in control.now.get("air", {}).items():
            if ssid not in self._points:
                self._points[ssid] = self.air.add(ssid)
            for name, value in how.items():
                setattr(self._points[ssid], name, value)


def _link(args, radio):
    if args.get("pty"):
        from pty_uart import PtyUart

        args["uart"] = PtyUart(args["pty"])
    link = make_link(args, "bed-3", b"\xa1dnameebed-3")
    if radio is None:
        return link
    from hedge.net.wifi import Wifi
    from hedge.net.wifi_link import OverWifi

    networks = [tuple(row) for row in args["networks"]]
    return OverWifi(link, Wifi(networks, radio.network, dns=False))


async def main(args):
    log.level = log.WARN
    control = Control(args["control"])
    control.read()
    if args.get("dns"):
        from hedge.net import resolver

        resolver.servers[:] = [tuple(server) for server in args["dns"]]
    radio = Radio(args["port_of"], control) if args.get("networks") else None
    store = Store(args["dir"])
    store.open()
    uplink = Uplink(
        _link(args, radio), store, "bed-3", on_link=lambda up, why: say("link", up=up, reason=why)
    )
    gaps = Gaps()
    tasks = [asyncio.create_task(gaps.run()), asyncio.create_task(uplink.run())]
    if args.get("time_servers"):
        from hedge.net.sntp import Sntp

        tasks.append(asyncio.create_task(Sntp(args["time_servers"]).run()))
    made = await _work(control, radio, store, uplink, gaps)
    start_ms = time.ticks_ms()
    while store.pending() and time.ticks_diff(time.ticks_ms(), start_ms) < _DRAIN_MS:
        await asyncio.sleep_ms(50)
    for task in tasks:
        task.cancel()
    facts = {"pending": store.pending(), "made": made, "stats": uplink.stats()}
    store.close()
    say("result", worst_gap_ms=gaps.worst_ms, **facts)


async def _work(control, radio, store, uplink, gaps):
    """Until the control file says stop; how many records were made."""
    made, phase = 0, 0
    while not control.now.get("stop"):
        if control.read():
            if phase != control.now.get("phase", 0):
                say("gaps", phase=phase, **gaps.take())
                phase = control.now["phase"]
            if radio:
                radio.follow(control)
            if control.now.get("clock_s"):
                clock.set_epoch_s(control.now["clock_s"])
        store.append(made % 3, b"%d" % made)
        uplink.wake()
        made += 1
        await asyncio.sleep_ms(_EVERY_MS)
    return made


asyncio.run(main(json.loads(os.getenv("SCENARIO"))))
