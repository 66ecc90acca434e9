"""The link over a cellular modem on a UART; MQTT or HTTP runs in the TCP connection it makes.

DESIGN: uplink -> gateway: the frames of mqtt_link or http_link, over the modem's own TCP (AT
commands) or over PPP. What does not come up is told in words: the SIM, the network, the APN.

After three sessions in a row that did not come up, the modem is switched off by its power key,
where that is wired, and on again.
"""

import asyncio

from ..core import log
from ..core.errors import LinkError
from .link import Link

_TIMEOUT_MS = 30000  # of every wait for the peer: LTE-M and 2G answer in seconds at times
_RESTART_AFTER = 3
_LOST = (LinkError, OSError, asyncio.TimeoutError)


class CellularLink(Link):
    """modem: a Modem. inner: the Link whose bytes it carries. dial: coroutine function that brings
    up PPP, or None where inner opens its connections through the modem."""

    window = 4
    ack_timeout_ms = 60000

    def __init__(self, modem, inner, dial=None):
        self._modem = modem
        self._inner = inner
        self._dial = dial
        self._failures = 0

    @property
    def bytes_sent(self):
        return self._inner.bytes_sent

    @property
    def signal(self):
        return self._modem.signal

    async def connect(self):
        try:
            await self._bring_up()
            kept = await self._inner.connect()
        except _LOST:
            self._failures += 1
            if self._failures % _RESTART_AFTER == 0:
                await self._restart()
            raise
        self._failures = 0
        return kept

    async def _bring_up(self):
        if self._dial:
            await self._dial()
        elif self._modem.state != "on":
            await self._modem.bring_up()
            log.info("modem", "on the network, signal %d of 31", self._modem.signal)

    async def _restart(self):
        self._modem.state = "off"
        if await self._modem.restart():
            log.warn("modem", "switched off and on")

    async def send(self, frame):
        await self._inner.send(frame)

    async def recv(self):
        return await self._inner.recv()

    async def close(self):
        await self._inner.close()
        if not self._dial:
            await self._modem.rest()


def make(cfg, device, info):
    """See link.make_link. uart: a machine.UART; power_key: a machine.Pin."""
    from .modem.modem import Modem
    from .serial_stream import Uart

    kind = _module("modem." + (cfg.get("model") or "sim7080"))
    uart = Uart(cfg["uart"], cfg.get("baud") or 115200)
    account = cfg.get("apn_user") or "", cfg.get("apn_password") or ""
    modem = Modem(
        uart,
        kind,
        cfg["apn"],
        *account,
        pin=cfg.get("sim_pin"),
        key=cfg.get("power_key"),
        register_s=cfg.get("register_s") or 120,
    )
    carried = _module((cfg.get("carries") or "mqtt") + "_link")
    cfg = dict(cfg, timeout_ms=cfg.get("timeout_ms") or _TIMEOUT_MS)
    if cfg.get("ppp"):
        return CellularLink(modem, carried.make(cfg, device, info), _dialler(modem, cfg, account))

    async def open_stream():
        port = cfg.get("port") or carried.PORT
        return await modem.open(cfg["host"], port, cfg["timeout_ms"])

    return CellularLink(modem, carried.make(cfg, device, info, open_stream))


def _dialler(modem, cfg, account):
    from .modem import ppp

    async def dial():
        if ppp.is_up():
            return
        ppp.hang_up()
        await modem.bring_up(attach=False)
        await ppp.dial(modem.at, cfg["uart"], cfg["apn"], *account)

    return dial


def _module(name):
    return __import__(__name__.rpartition(".")[0] + "." + name, None, None, ("make",))
