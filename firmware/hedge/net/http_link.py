"""The link over HTTP or HTTPS: a frame is POSTed, the ack is the answer's body.

DESIGN: uplink -> gateway: POST /api/up/<device> with a frame, 200 with the ack; PUT
/api/info/<device> at the begin of a session. For networks that let nothing else through.

    [uplink]
    kind = "http"
    host = "gateway.farm"
    tls = true
    ca = "ca.pem"

HTTP has no sessions: that the gateway is gone shows at the next frame. A connection is kept for
idle_ms after the last answer. What blocks the loop is what tcp.py names.
"""

import asyncio
from binascii import b2a_base64, hexlify

from ..core.errors import LinkError
from ..wire.mac import hmac_sha256
from .asking import AskingLink
from .http_client import Http

_ENDED = (LinkError, OSError, asyncio.TimeoutError, MemoryError)
_IDLE_MS = 4000  # servers close after 5 s and more


class HttpLink(AskingLink):
    """http: an Http. path: what stands before /up/<device>. key: signs the info map, or None.

    account: (user, password) where the gateway's broker asks for one, or None.
    """

    window = 4
    ack_timeout_ms = 30000  # past the limit of an exchange

    def __init__(
        self, http, device, info=b"", key=None, path="/api", idle_ms=_IDLE_MS, account=None
    ):
        AskingLink.__init__(self, [])  # waiting, or the first one under way
        self._http = http
        self._up = path + "/up/" + device
        self._info_path = path + "/info/" + device
        self._info = info
        self._head = _authorised(*account) if account else ""
        self._info_head = _signed(key, device, info) if key else ""
        self._idle_ms = idle_ms
        self._worker = None
        self._work = asyncio.Event()

    @property
    def bytes_sent(self):
        return self._http.bytes_sent

    async def connect(self):
        """Always False. The info map shows that the gateway is there and takes what we send."""
        await self.close()
        try:
            await self._ask("PUT", self._info_path, self._info, self._info_head)
        except asyncio.TimeoutError:
            raise LinkError("HTTP: no answer in time")
        self._worker = asyncio.create_task(self._run())
        self._is_open = True
        return False

    async def _ask(self, method, path, body, headers=""):
        status, said = await self._http.request(method, path, body, self._head + headers)
        if not 200 <= status < 300:
            raise LinkError("gateway refused: %d %s" % (status, _printable(said)))
        return said

    async def send(self, frame):
        await self._wait_for_room()
        self._under_way.append(bytes(frame))
        self._work.set()

    async def _run(self):
        """One frame after the other; the first failure ends the session."""
        try:
            while True:
                await self._wait_for_frame()
                ack = await self._ask("POST", self._up, self._under_way[0])
                self._under_way.pop(0)
                self._acks.append(ack)
                self._changed.set()
        except _ENDED as e:
            silent = isinstance(e, asyncio.TimeoutError)
            self._fault = LinkError("HTTP: no answer in time") if silent else e
            self._changed.set()

    async def _wait_for_frame(self):
        while not self._under_way:
            self._work.clear()
            try:
                await asyncio.wait_for_ms(self._work.wait(), self._idle_ms)
            except asyncio.TimeoutError:
                self._http.close()
                await self._work.wait()

    async def close(self):
        worker, self._worker = self._worker, None
        if worker:
            worker.cancel()
        self._http.close()
        self._end()


def _signed(key, device, info):
    """The header that proves that an info map is this node's; see SPEC.md."""
    mac = hmac_sha256(key, b"info" + device.encode() + b"\0" + info)
    return "Hedge-Mac: %s\r\n" % hexlify(mac).decode()


def _authorised(user, password):
    """RFC 7617."""
    account = b2a_base64(("%s:%s" % (user, password)).encode())
    return "Authorization: Basic %s\r\n" % account.decode().strip()


def _printable(said):
    return "".join([chr(c) if 32 <= c < 127 else "?" for c in said[:80]])


PORT = 80  # where cfg has none, without TLS


def make(cfg, device, info, open_stream=None):
    """See link.make_link. key: hex digits. timeout_ms: of an exchange.

    open_stream: in place of TCP, where a modem has the network.
    """
    from binascii import unhexlify

    tls = None
    if cfg.get("tls"):
        from .tls_context import client_context

        tls = client_context(cfg.get("ca"), cfg.get("cert"), cfg.get("cert_key"))
    name = cfg.get("server_hostname") or cfg["host"]
    usual = 443 if tls else PORT
    port = cfg.get("port") or usual
    shown = "[%s]" % name if ":" in name else name
    host = shown if port == usual else "%s:%d" % (shown, port)
    if open_stream is None:
        from .tcp import Tcp

        open_stream = Tcp(cfg["host"], port, tls, cfg.get("server_hostname")).open
    http = Http(open_stream, host, limit_ms=cfg.get("timeout_ms") or 20000)
    key = unhexlify(cfg["key"]) if cfg.get("key") else None
    account = (cfg["user"], cfg.get("password") or "") if cfg.get("user") else None
    return HttpLink(http, device, info, key, cfg.get("path") or "/api", account=account)
