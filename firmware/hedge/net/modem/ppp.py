"""PPP over a modem: the port's own IP stack uses it, so every link that has sockets can, TLS too.

    await dial(modem.at, uart, "internet")      # the UART is PPP's from here on
    ...
    hang_up()

network.PPP is in MicroPython's standard firmware for ESP32 alone (MicroPython 1.25 documentation,
class PPP); STM32 and RP2 have it in builds with MICROPY_PY_NETWORK_PPP_LWIP, the Unix port not.
Source: 3GPP TS 27.007 sections 10.1.1 (CGDCONT) and 10.2.1.1 (ATD*99#).
"""

import asyncio
import time

from ...core.errors import ConfigError, LinkError

_LIMIT_MS = 30000
_POLL_MS = 100
_up = []  # the PPP that runs, as the port has one


def _class():
    try:
        import network

        return network.PPP
    except (ImportError, AttributeError):
        raise ConfigError("uplink ppp: this firmware has no network.PPP: ppp = false")


async def dial(at, uart, apn, user="", password=""):
    """Returns once there is an address. Raises LinkError; ConfigError without network.PPP."""
    make = _class()
    hang_up()
    await at.command('AT+CGDCONT=1,"IP","%s"' % apn)
    await at.command("ATD*99#", limit_ms=_LIMIT_MS, finals=(b"CONNECT",))
    at.stop()
    ppp = make(uart)
    _up.append(ppp)
    security = {"security": make.SEC_PAP, "user": user, "key": password} if user else {}
    ppp.connect(**security)
    began_ms = time.ticks_ms()
    while not ppp.isconnected():
        if time.ticks_diff(time.ticks_ms(), began_ms) > _LIMIT_MS:
            hang_up()
            raise LinkError("modem: PPP got no address")
        await asyncio.sleep_ms(_POLL_MS)


def is_up():
    return bool(_up) and _up[0].isconnected()


def hang_up():
    """May be called any time."""
    while _up:
        _up.pop().disconnect()
