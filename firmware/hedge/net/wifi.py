"""Wi-Fi of a node: joins the best known network, says why if it cannot, and starts again.

    wifi = Wifi([("farm", "secret"), ("yard", "other")], country="DE", hostname="bed-3")
    task = asyncio.create_task(wifi.run())
    await wifi.ready(30000)     # LinkError("Wi-Fi: farm: wrong password") if there is none

DESIGN: beside the uplink; the control loop never waits for it. Only start() blocks, while the
radio's firmware loads, and is called before the loop. The driver's own reconnecting is off: one
policy decides. Source: MicroPython 1.25, docs/library/network.WLAN.rst and network.rst.
"""

import asyncio
import time

from ..core import log
from ..core.errors import ConfigError, LinkError
from . import wifi_status as status
from .backoff import Backoff
from .wifi_scan import better, order

_WEAK_DBM = -75  # below this another access point of the same name is looked for
_POWER = {"none": "PM_NONE", "performance": "PM_PERFORMANCE", "powersave": "PM_POWERSAVE"}


class Wifi:
    """networks: [(ssid, key or None)] by preference; at least one, or setup.

    network: the module `network`, for tests. static: (address, mask, gateway, dns) instead of
    DHCP. power: "none", "performance", "powersave". scan: see wifi_scan.scanner().
    attempt_ms: for one network to give an address. on_change(up, reason): on each change.
    setup: async function of this Wifi, called after setup_after rounds in which no network took
        us (some 2 min), or when ask_setup() was called: the set-up page, see setup.py.
    dns: give resolver.py the name server that DHCP or static names.

    state: "off", "connecting", "up", "waiting". reason: why it is not up, in words of
    wifi_status. failures: {ssid: reason of its last attempt}. joins, losses: counters.
    """

    def __init__(
        self,
        networks,
        network=None,
        country=None,
        hostname=None,
        static=None,
        power="performance",
        scan=None,
        attempt_ms=15000,
        retry_min_ms=1000,
        retry_max_ms=8000,
        poll_ms=100,
        roam_ms=60000,
        on_change=None,
        dns=True,
        setup=None,
        setup_after=10,
    ):
        if not networks and setup is None:
            raise ConfigError("Wi-Fi: no networks, and no page to set them up")
        if network is None:
            import network
        self._networks = networks
        self._network = network
        self._country = country
        self._hostname = hostname
        self._static = static
        self._power = power
        self._scan = scan
        self._attempt_ms = attempt_ms
        self._poll_ms = poll_ms
        self._roam_ms = roam_ms
        self._dns = dns
        self._setup = setup
        self._setup_after = setup_after
        self._vain = 0 if networks else setup_after  # rounds in a row
        self._backoff = Backoff(retry_min_ms, retry_max_ms)
        self._wlan = None
        self._bssid = None
        self._rounds = 0  # in which every network was tried in vain
        self._changed = asyncio.Event()
        self.listeners = [on_change] if on_change else []
        self.state = "off"
        self.reason = "not started"
        self.ssid = None
        self.address = None
        self.failures = {}
        self.joins = self.losses = 0
        self.task = None  # of run(), for who starts it

    @property
    def network(self):
        """The module."""
        return self._network

    @property
    def wlan(self):
        """The network.WLAN, None before start()."""
        return self._wlan

    def start(self):
        """Switch the radio on. Blocks while its firmware loads. Raises ConfigError, OSError."""
        if self._wlan:
            return
        network = self._network
        if self._country:
            _named("country", network.country, self._country)
        if self._hostname:
            _named("hostname", network.hostname, self._hostname)
        wlan = network.WLAN(network.WLAN.IF_STA)
        wlan.active(True)
        _try_config(wlan, "reconnects", 0)  # ESP32 only; CYW43 does not reconnect by itself
        _try_config(wlan, "pm", getattr(network.WLAN, _POWER[self._power], None))
        self._wlan = wlan

    async def run(self):
        """Loop until cancelled."""
        self.start()
        try:
            while True:
                try:
                    if await self._round():
                        self._backoff.reset()
                        self._vain = 0
                        await self._hold()
                        continue
                except OSError as e:  # the driver refused a call
                    self.reason = "driver: %r" % e
                self._rounds += 1
                self._vain += 1
                self._set("waiting", self.reason)
                await self._offer_setup()
                await asyncio.sleep_ms(self._backoff.next_ms())
        finally:
            self._set("off", "stopped")

    def ask_setup(self):
        """A button was held: the set-up page comes after the next attempt."""
        self._vain = self._setup_after

    async def _offer_setup(self):
        if self._setup and self._vain >= self._setup_after:
            self._vain = 0
            await self._setup(self)

    async def ready(self, limit_ms=30000, known=None):
        """Until it is up. Raises LinkError with the reason when no network took us.

        known: text of such an error; the same one is not raised again before limit_ms.
        """
        try:
            await asyncio.wait_for_ms(self._up_or_refused(known), limit_ms)
        except asyncio.TimeoutError:
            raise LinkError("Wi-Fi: %s" % self.describe())

    async def _up_or_refused(self, known):
        rounds = self._rounds
        while self.state != "up":
            said = "Wi-Fi: %s" % self.describe()
            if self._rounds != rounds and said != known:
                raise LinkError(said)
            self._changed.clear()
            await self._changed.wait()

    def describe(self):
        """E.g. "farm: wrong password; yard: not found"."""
        if not self.failures:
            return self.reason
        failed = [ssid for ssid, _ in self._networks if ssid in self.failures]
        return "; ".join(["%s: %s" % (ssid, self.failures[ssid]) for ssid in failed])

    # One round, one attempt

    async def _round(self):
        self.reason = "no network set up"
        found = await self._scan(self._wlan) if self._scan else ()
        for ssid, key, bssid in order(self._networks, found):
            self._set("connecting", "trying %s" % ssid)
            self.reason = await self.attempt(ssid, key, bssid)
            if self.reason == status.UP:
                self._joined(ssid, bssid)
                return True
            if self.failures.get(ssid) != self.reason:
                log.warn("wifi", "%s: %s", ssid, self.reason)
            self.failures[ssid] = self.reason
        return False

    async def attempt(self, ssid, key, bssid=None):
        """status.UP, or why not. Not beside run(), unless from setup."""
        wlan = self._wlan
        await self._leave()
        if self._static:
            wlan.ifconfig(self._static)
        if bssid:
            wlan.connect(ssid, key, bssid=bssid)
        else:
            wlan.connect(ssid, key)
        start_ms = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), start_ms) < self._attempt_ms:
            await asyncio.sleep_ms(self._poll_ms)
            now = status.meaning(self._network, wlan.status())
            if now not in (status.CONNECTING, status.IDLE):
                return now
        joined = status.is_joined(self._network, wlan)
        return status.NO_ADDRESS if joined else status.NO_ANSWER

    async def _leave(self):
        """What an earlier attempt or network left behind, its last status too."""
        try:
            self._wlan.disconnect()
        except OSError:
            pass  # ESP-IDF refuses when there is nothing to leave
        await asyncio.sleep_ms(self._poll_ms)

    def _joined(self, ssid, bssid):
        self.joins += 1
        self.ssid = ssid
        self._bssid = bssid
        self.failures.clear()
        self.address = self._wlan.ifconfig()[0]
        self._take_dns_server()
        log.info("wifi", "%s: %s", ssid, self.address)
        self._set("up", ssid)

    def _take_dns_server(self):
        server = self._wlan.ifconfig()[3]
        if self._dns and server != "0.0.0.0":
            from . import resolver

            resolver.servers[:] = [server]

    # While it is up

    async def _hold(self):
        """Until the network is lost, or another access point is better."""
        looked_ms = time.ticks_ms()
        while self._wlan.isconnected():
            self._check_address()
            await self._offer_setup()
            if time.ticks_diff(time.ticks_ms(), looked_ms) > self._roam_ms:
                looked_ms = time.ticks_ms()
                if await self._is_better_elsewhere():
                    self._lost("a better access point")
                    return
            await asyncio.sleep_ms(self._poll_ms)
        self._lost(status.meaning(self._network, self._wlan.status()))

    def _lost(self, reason):
        self.losses += 1
        log.warn("wifi", "%s left: %s", self.ssid, reason)
        self._set("connecting", reason)

    def _check_address(self):
        """DHCP may give another address: connections over the old one are dead."""
        address = self._wlan.ifconfig()[0]
        if address != self.address:
            log.warn("wifi", "address changed from %s to %s", self.address, address)
            self.address = address
            self._tell(False, "address changed")
            self._tell(True, self.ssid)

    async def _is_better_elsewhere(self):
        if self._scan is None:
            return False
        rssi = self._wlan.status("rssi")
        if rssi >= _WEAK_DBM:
            return False
        return better(await self._scan(self._wlan), self.ssid, self._bssid, rssi) is not None

    def _set(self, state, reason):
        was_up = self.state == "up"
        self.state = state
        self.reason = reason
        if was_up != (state == "up"):
            self._tell(state == "up", reason)
        self._changed.set()

    def _tell(self, up, reason):
        for listener in self.listeners:
            listener(up, reason)


def _named(what, function, value):
    try:
        function(value)
    except (ValueError, TypeError) as error:
        raise ConfigError("Wi-Fi: %s %r: %s" % (what, value, error))


def _try_config(wlan, name, value):
    """Set what not every port has."""
    if value is None:
        return
    try:
        wlan.config(**{name: value})
    except ValueError:
        log.debug("wifi", "this port has no %s", name)
