"""A modem from its power key to a TCP connection, and why it stands where it stands.

    modem = Modem(stream, sim7080, "internet")
    await modem.bring_up()                          # LinkError says what is wrong
    tcp = await modem.open("broker.farm", 1883)     # offers what tcp.TcpStream does

The commands that all modems share are those of 3GPP TS 27.007, sections named below; what differs
is in sim7080.py and sim800.py.
"""

import asyncio
import time

from ...core import log
from ...core.errors import LinkError
from ..link import shown
from .at import At
from .at_lines import AtLines
from .stream import ModemStream

_PRESS_MS = 1500  # PWRKEY: both hardware designs ask for 1 s and more
_OFF_MS = 3000  # SIM7080 says NORMAL POWER DOWN after some 1.8 s
_TRY_MS = 500
_BOOT_TRIES = 40  # SIM7080 boots for some 2 s, SIM800 for 3 s
_POLL_MS = 1000
_HOME, _ROAMING = b"1", b"5"  # TS 27.007 section 7.2, <stat>
_STATES = {b"0": "not searching", b"2": "searching", b"3": "denied by the network"}


class Modem:
    """kind: module sim7080 or sim800. pin: of the SIM, or None. key: machine.Pin of PWRKEY, high
    presses it, or None. register_s: how long to wait for the network.

    state: where bring_up() is. signal: AT+CSQ's 0 to 31, 99 unknown (TS 27.007 section 8.5).
    """

    def __init__(self, uart, kind, apn, user="", password="", pin=None, key=None, register_s=120):
        self._kind = kind
        self._apn = apn, user, password
        self._pin = pin
        self._pin_tried = False
        self._key = key
        self._register_ms = register_s * 1000
        self.at = At(uart, AtLines(*kind.COUNTED), self._on_urc, self._on_end)
        self.state = "off"
        self.signal = 99
        self._stream = None
        self._leftover = False  # a connection may still be open in the modem
        if key is not None:
            key.init(key.OUT, value=0)

    async def bring_up(self, attach=True):
        """From whatever state to a data connection. attach: False before PPP."""
        self.at.start()
        self._enter("starting")
        await self._wake()
        await self.at.command("ATE0")
        await self.at.command("AT+CMEE=2")  # section 9.1: errors in words
        self._enter("unlocking the SIM")
        await self._unlock()
        self._enter("looking for a network")
        await self._register()
        self.signal = _first_number(await self.at.command("AT+CSQ", "+CSQ:"), 99)
        if attach:
            self._enter("opening a data connection")
            await self._kind.attach(self.at, *self._apn)
        self._enter("on")

    def _enter(self, state):
        self.state = state
        log.debug("modem", "%s", state)

    async def _wake(self):
        if await self.at.sync(4, _TRY_MS):
            return
        if self._key is None:
            raise LinkError("modem: does not answer")
        await self.press_key()
        if not await self.at.sync(_BOOT_TRIES, _TRY_MS):
            raise LinkError("modem: does not answer, the power key did not help")

    async def press_key(self):
        """Power on, or off if it is on."""
        self._key.value(1)
        await asyncio.sleep_ms(_PRESS_MS)
        self._key.value(0)

    async def restart(self):
        """Off by the power key; the next bring_up() switches it on. False: no key is wired."""
        if self._key is None:
            return False
        self._drop()
        self.at.stop()
        await self.press_key()
        await asyncio.sleep_ms(_OFF_MS)
        return True

    async def _unlock(self):
        """Section 8.3. A wrong PIN is tried once: three blocks a SIM."""
        status = await self._sim_status()
        if status == b"SIM PIN":
            if not self._pin or self._pin_tried:
                text = "refused its PIN" if self._pin_tried else "wants its PIN"
                raise LinkError("modem: the SIM %s: sim_pin = ..." % text)
            self._pin_tried = True
            await self.at.command('AT+CPIN="%s"' % self._pin)
            self._pin_tried = False
            status = await self._sim_status()
        if status != b"READY":
            raise LinkError("modem: SIM: %s" % shown(status))

    async def _sim_status(self):
        status = b""
        for _ in range(5):  # busy for a moment after the PIN
            lines = await self.at.command("AT+CPIN?", "+CPIN:")
            status = lines[0][7:].strip() if lines else b"no answer"
            if status in (b"READY", b"SIM PIN", b"SIM PUK"):
                break
            await asyncio.sleep_ms(_POLL_MS)
        return status

    async def _register(self):
        began_ms = time.ticks_ms()
        while True:
            lines = await self.at.command("AT%s?" % self._kind.REGISTERED, self._kind.REGISTERED)
            stat = lines[0].split(b",")[1].strip() if lines and b"," in lines[0] else b""
            if stat in (_HOME, _ROAMING):
                return
            if time.ticks_diff(time.ticks_ms(), began_ms) >= self._register_ms:
                raise LinkError("modem: no network: %s" % _STATES.get(stat, "unknown"))
            await asyncio.sleep_ms(_POLL_MS)

    async def open(self, host, port, limit_ms=30000):
        """A ModemStream. What an earlier connection left is closed first."""
        if self.state != "on":
            raise LinkError("modem: %s" % self.state)
        self._drop()
        if self._leftover:
            await self._close_leftover()
        self._leftover = True
        stream = self._stream = ModemStream(self.at, self._kind)
        await self._kind.open_tcp(self.at, host, port, limit_ms)
        return stream

    async def _close_leftover(self):
        try:
            await self._kind.close_tcp(self.at)
        except LinkError as e:
            log.debug("modem", "%s", e)  # the other side had closed it before

    async def rest(self):
        """Close what is open; the network stays. Never raises."""
        self._drop()
        if self._leftover and self.state == "on":
            await self._close_leftover()
            self._leftover = False

    def _drop(self):
        if self._stream:
            self._stream.end(LinkError("modem: closed"))
            self._stream = None

    def _on_urc(self, line):
        meaning = self._kind.meaning(line)
        if meaning == "off":
            self.state = "off the network"
        if meaning and self._stream:
            self._stream.told(meaning)
        elif not meaning:
            log.debug("modem", "%s", line)

    def _on_end(self, error):
        self.state = "gone"
        if self._stream:
            self._stream.end(error)


def _first_number(lines, otherwise):
    try:
        return int(lines[0].split(b":")[1].split(b",")[0])
    except (IndexError, ValueError):
        return otherwise
