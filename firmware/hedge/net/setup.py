"""First configuration from a phone: an access point of the board's own with one page.

    portal = Portal(wifi, {"name": "bed-3", "host": "gateway.farm"}, "/log/setup.kv")
    saved = await portal.run()     # True: somebody filled it in, it works, and it is saved

The control loop goes on meanwhile. What is entered is saved only after the board joined that
network with it. 10 minutes without success and the access point is gone. Bounds: 3 connections at
once, heads of 2 KB, forms of 1 KB, 8 s for a request. The page travels in clear over the board's
own network; give the access point a key where neighbours are near.
"""

import asyncio

from ..core import log
from ..core.errors import FrameError, StoreError
from . import setup_dns, setup_http, setup_page, setup_saved
from . import wifi_status as status

_LIMIT_MS = 600000
_REQUEST_MS = 8000
_MAX_CONNECTIONS = 3
_PAUSE_MS = 20  # after a socket error, so that a broken socket does not spin
_SHOWN_MS = 8000  # the last page, before the access point goes
_MAX_NETWORKS = 20
_NAME_CHARS = "abcdefghijklmnopqrstuvwxyz0123456789-"


class Portal:
    """wifi: a Wifi; values: what the form begins with; path: of the file it saves.

    networks: names that a scan found, to choose from. key: of the access point, None for open.
    """

    def __init__(
        self, wifi, values, path, networks=(), key=None, host="0.0.0.0", port=80, dns_port=53
    ):
        self._wifi = wifi
        self._values = {"ssid": "", "name": "node", "host": ""}
        self._values.update(values)
        self._path = path
        self._networks = list(networks)[:_MAX_NETWORKS]
        self._key = key
        self._where = host, port, dns_port
        self._connections = 0
        self._trying = None
        self._error = ""
        self._joined = ""  # address, once it worked
        self._done = asyncio.Event()
        self.address = "192.168.4.1"

    async def run(self, limit_ms=_LIMIT_MS):
        """True once settings are saved, False after limit_ms. The access point is off then, and
        where the page cannot be served: OSError.
        """
        self._wifi.start()
        access_point = self._open_access_point()
        host, port, _ = self._where
        server = names = None
        try:
            server = await asyncio.start_server(self._serve, host, port)
            names = asyncio.create_task(self._serve_names())
            await asyncio.wait_for_ms(self._done.wait(), limit_ms)
            await asyncio.sleep_ms(_SHOWN_MS)
            return True
        except asyncio.TimeoutError:
            return False
        finally:
            for task in (names, self._trying):
                if task:
                    task.cancel()
            if server:
                server.close()
            access_point.active(False)

    def _open_access_point(self):
        network = self._wifi.network
        access_point = network.WLAN(network.WLAN.IF_AP)
        name = ("hedgerow-%s" % self._values["name"])[:32]
        if self._key:
            access_point.config(ssid=name, key=self._key)
        else:
            access_point.config(ssid=name, security=0)
        access_point.active(True)
        self.address = access_point.ifconfig()[0]
        log.warn("setup", "join the network %s, then http://%s/", name, self.address)
        return access_point

    # HTTP: asyncio's streams, so that both Pythons can play it

    async def _serve(self, reader, writer):
        if self._connections < _MAX_CONNECTIONS:
            self._connections += 1
            try:
                await asyncio.wait_for_ms(self._exchange(reader, writer), _REQUEST_MS)
            except (OSError, asyncio.TimeoutError) as e:
                log.debug("setup", "a request ended: %r", e)
            finally:
                self._connections -= 1
        writer.close()
        try:
            await writer.wait_closed()
        except OSError as e:
            log.debug("setup", "already closed: %r", e)

    async def _exchange(self, reader, writer):
        try:
            method, path, fields = await self._request(reader)
            said = self._answer(method, path, fields)
        except FrameError as e:
            said = setup_http.answer("400 Bad Request", setup_http.escape(str(e)))
        writer.write(said)
        await writer.drain()

    async def _request(self, reader):
        data = b""
        while b"\r\n\r\n" not in data:
            if len(data) > setup_http.MAX_HEAD_BYTES:
                raise FrameError("HTTP: more than %d bytes" % setup_http.MAX_HEAD_BYTES)
            data += await self._some(reader)
        at = data.find(b"\r\n\r\n")
        method, path, length = setup_http.head(data[:at])
        body = data[at + 4 :]
        while len(body) < length:
            body += await self._some(reader)
        return method, path, setup_http.form(body[:length])

    async def _some(self, reader):
        part = await reader.read(256)
        if not part:
            raise FrameError("HTTP: the request ended early")
        return part

    def _answer(self, method, path, fields):
        if method == "POST" and path == "/save":
            return self._take(fields)
        if method == "GET" and path in ("/", "/status"):
            return setup_http.answer("200 OK", self._page())
        # Phones ask for a page of their maker's; this shows them ours.
        return setup_http.answer("302 Found", more="Location: http://%s/\r\n" % self._shown_at())

    def _shown_at(self):
        port = self._where[1]
        return self.address if port == 80 else "%s:%d" % (self.address, port)

    def _page(self):
        values = self._values
        if self._joined:
            return setup_page.done_page(values["name"], values["ssid"], self._joined)
        if self._trying:
            return setup_page.trying_page(values["name"], values["ssid"])
        return setup_page.form_page(values, self._networks, self._error)

    # What was entered

    def _take(self, fields):
        if not self._trying and not self._joined:
            wanted = {name: fields.get(name, "").strip() for name in ("ssid", "name", "host")}
            wanted["key"] = fields.get("key", "")
            self._error = fault_of(wanted)
            if not self._error:
                self._values.update(wanted)
                self._trying = asyncio.create_task(self._try(wanted))
        return setup_http.answer("303 See Other", more="Location: /status\r\n")

    async def _try(self, wanted):
        try:
            said = await self._wifi.attempt(wanted["ssid"], wanted["key"] or None)
            if said == status.UP:
                setup_saved.save(self._path, wanted)
                self._joined = self._wifi.wlan.ifconfig()[0]
                self._done.set()
            else:
                self._error = "%s: %s" % (wanted["ssid"], said)
        except (OSError, StoreError) as e:
            self._error = str(e)
        self._values.pop("key", None)
        self._trying = None

    # DNS

    async def _serve_names(self):
        from .coap.udp import Udp

        host, _, port = self._where
        own = bytes([int(part) for part in self.address.split(".")])
        udp = Udp.at(host, port)
        try:
            await self._answer_names(udp, own)
        finally:
            udp.close()

    async def _answer_names(self, udp, own):
        while True:
            try:
                data, sender = await udp.recv()
                answer = setup_dns.reply(data, own)
                if answer:
                    udp.send(answer, sender)
            except (
                OSError
            ) as e:  # a question from port 0, a phone that left: the others are answered
                log.debug("setup", "names: %r", e)
                await asyncio.sleep_ms(_PAUSE_MS)


def fault_of(values):
    """What is wrong with an entry, "" if nothing."""
    if not 1 <= len(values["ssid"].encode()) <= 32:
        return "The network's name has 1 to 32 letters."
    if values["key"] and not 8 <= len(values["key"]) <= 64:
        return "A Wi-Fi password has 8 to 63 characters."
    name = values["name"]
    if not 1 <= len(name) <= 24 or [c for c in name if c not in _NAME_CHARS]:
        return "The node's name has 1 to 24 of a-z 0-9 -"
    host = values["host"]
    if len(host) > 64 or [c for c in host if not (c.isalpha() or c.isdigit() or c in ".-:")]:
        return "The gateway is a name or an address, without http:// and port."
    return ""
