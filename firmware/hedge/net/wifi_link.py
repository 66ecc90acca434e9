"""A link over Wi-Fi: its sessions begin when the network is there and end when it goes.

    link = over_wifi(link, plan["wifi"])

DESIGN: uplink -> link -> gateway; why there is no network becomes the reason of the outage.
"""

import asyncio

from ..core.errors import LinkError
from .link import Link
from .wifi import Wifi
from .wifi_scan import names_heard, scanner

_wifi = None  # a board has one radio
_button = None  # machine.Pin
_NEVER = 1 << 29  # rounds; the button alone opens the set-up page


class OverWifi(Link):
    """link: any Link over IP. wifi: a Wifi; its task is started here.

    connect() waits until the network is there; it tells the first reason why it is not, and again
    after limit_ms. `hurry` makes the uplink's waits end when the network comes back.
    """

    def __init__(self, link, wifi, limit_ms=60000):
        self._link = link
        self._wifi = wifi
        self._limit_ms = limit_ms
        self._fault = None
        self._closing = None
        self._told = None  # why there was no network at the last connect()
        self.hurry = asyncio.Event()
        wifi.listeners.append(self._on_change)
        self.window = link.window
        self.ack_timeout_ms = link.ack_timeout_ms
        self.max_frame_bytes = link.max_frame_bytes

    @property
    def bytes_sent(self):
        return self._link.bytes_sent

    async def connect(self):
        _keep_running(self._wifi)
        await self._wait_for_network()
        self._fault = None
        return await self._link.connect()

    async def _wait_for_network(self):
        try:
            await self._wifi.ready(self._limit_ms, self._told)
        except LinkError as e:
            self._told = str(e)
            raise
        self._told = None
        self.hurry.clear()  # this connect() is the attempt

    async def send(self, frame):
        self._check()
        await self._link.send(frame)

    async def recv(self):
        try:
            return await self._link.recv()
        except (LinkError, OSError):
            self._check()  # the network's own reason says more
            raise

    async def close(self):
        await self._link.close()

    def _check(self):
        if self._fault:
            raise self._fault

    def _on_change(self, up, reason):
        if up:
            self.hurry.set()
        else:
            self._fault = LinkError("Wi-Fi: %s" % reason)
            # Its socket may never hear of it: a session over a dead network ends here.
            self._closing = asyncio.create_task(self._link.close())


def _keep_running(wifi):
    task = wifi.task
    if task is None or task.done():
        wifi.task = asyncio.create_task(_run(wifi) if _button else wifi.run())


async def _run(wifi):
    """With a button that asks for the set-up page."""
    from .setup_button import watch

    watcher = asyncio.create_task(watch(_button, wifi))
    try:
        await wifi.run()
    finally:
        watcher.cancel()


def _setup_page(table):
    """What Wifi calls when nothing works; saved settings take hold by a restart."""

    async def setup(wifi):
        from .setup import Portal

        values = {"name": table.get("hostname") or "node", "host": table.get("setup_host") or ""}
        scan = scanner()
        found = await scan(wifi.wlan) if scan else ()
        heard = names_heard(found)
        portal = Portal(wifi, values, table["setup_file"], heard, table.get("setup_password"))
        if await portal.run():
            import machine

            machine.reset()

    return setup


def over_wifi(link, table):
    """table: plan["wifi"]. All links of a node share one Wifi, made at the first call."""
    global _wifi, _button
    if _wifi is None:
        _button = table.get("setup_button")
        setup_after = table.get("setup_after") or (_NEVER if _button else 0)
        _wifi = Wifi(
            [tuple(row) for row in table["networks"]],
            country=table.get("country"),
            hostname=table.get("hostname"),
            static=tuple(table["static"]) if table.get("static") else None,
            power=table.get("power") or "performance",
            scan=scanner(),
            setup=_setup_page(table) if setup_after else None,
            setup_after=setup_after,
        )
        _wifi.start()
    return OverWifi(link, _wifi)
