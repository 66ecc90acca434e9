"""CoAP's other ends: libcoap's programs, and aiocoap as server and client, with OSCORE."""

import asyncio
import binascii
import contextlib
import json
import random
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from peers import LoopThread, soon
from ports import free_udp_port

_NAMES = ("openssl", "gnutls", "notls")
_BODY_BYTES = 1500
_LATE_S = 0.06  # longest delay of a late datagram


def body_of(size: int) -> bytes:
    """As in upy/coap_scenarios.py."""
    return bytes([(i * 7 + (i >> 4)) & 0xFF for i in range(size)])


def libcoap_program(program: str) -> str | None:
    """Path of coap-client or coap-server of Debian."""
    found = [shutil.which(f"{program}-{name}") for name in _NAMES]
    return next((p for p in found if p), None)


def libcoap(program: str) -> str:
    """As above; skips when there is none."""
    path = libcoap_program(program)
    return path or pytest.skip(f"{program} is not installed (Debian package libcoap3-bin)")


@contextlib.contextmanager
def libcoap_server(*options: str, port: int = 0):
    """coap-server on a port of its own, which it gives once it answers; DTLS on the next."""
    port = port or free_udp_port(2)
    command = [libcoap("coap-server"), "-A", "127.0.0.1", "-p", str(port), "-v", "2", *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for_ping(port, server)
            yield port
        finally:
            server.kill()


def wait_for_ping(port: int, server: subprocess.Popen | None = None) -> None:
    """Until something resets an empty CON; a lossy server needs some, each a datagram of its."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(1)
        sock.connect(("127.0.0.1", port))
        soon(lambda: _is_reset(sock, server), f"something that speaks CoAP on {port}")


def _is_reset(sock: socket.socket, server: subprocess.Popen | None) -> bool:
    assert server is None or server.poll() is None, f"it ended: {server.args}"
    try:
        sock.send(b"\x40\x00\x12\x34")
        return sock.recv(10)[0] == 0x70
    except OSError:
        return False


def libcoap_client(url: str, *options: str, payload: bytes = b"", limit_s: float = 120.0) -> bytes:
    """What coap-client prints of the answer."""
    command = [libcoap("coap-client"), "-v", "3", "-B", str(int(limit_s)), *options]
    command += ["-f", "-", url] if payload else [url]
    done = subprocess.run(command, input=payload, capture_output=True, timeout=limit_s + 10)
    return done.stdout + done.stderr


def libcoap_observes(url: str, count: int) -> list[bytes]:
    """The first lines, at least so many, that coap-client prints of what it observes."""
    command = [libcoap("coap-client"), "-v", "3", "-B", "120", "-s", "120", "-w", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
        assert client.stdout
        lines = [line for line, _ in zip(client.stdout, range(count), strict=False)]
        client.send_signal(signal.SIGINT)
        return lines + client.stdout.readlines()


class AiocoapServer:
    """aiocoap with /t (observable, changes by itself), /big, /sink, /slow. secret: of OSCORE."""

    def __init__(
        self, thread: LoopThread, secret: bytes | None = None, folder: Path | None = None
    ):
        self.port = free_udp_port()
        self._thread = thread
        self._secret = secret
        self._folder = folder
        self.infos: list[bytes] = []  # what nodes told of themselves

    def __enter__(self) -> "AiocoapServer":
        self._thread.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.run(self._stop())

    async def _start(self) -> None:
        import aiocoap

        root = _site(self.infos)
        self._contexts = []
        if self._secret:
            from aiocoap import credentials
            from aiocoap.oscore_sitewrapper import OscoreSiteWrapper

            keys = credentials.CredentialsMap()
            keys[":node"] = oscore_context(self._folder, self._secret, b"", b"\x01")
            self._contexts.append(keys[":node"])
            root = OscoreSiteWrapper(root, keys)
        self._server = await aiocoap.Context.create_server_context(
            root, bind=("127.0.0.1", self.port), transports=["udp6"]
        )

    async def _stop(self) -> None:
        await self._server.shutdown()
        for context in self._contexts:
            context._destroy()


def oscore_context(folder: Path, secret: bytes, sender: bytes, recipient: bytes):
    """aiocoap's security context, its state in folder."""
    from aiocoap import oscore

    folder.mkdir(exist_ok=True)
    settings = {
        "algorithm": "AES-CCM-16-64-128",
        "kdf-hashfun": "sha256",
        "secret_hex": secret.hex(),
        "salt_hex": b"salt".hex(),
        "sender-id_hex": sender.hex(),
        "recipient-id_hex": recipient.hex(),
    }
    (folder / "secret.json").write_text(json.dumps(settings))
    return oscore.FilesystemSecurityContext(str(folder))


def _site(infos: list[bytes]):
    import aiocoap
    import aiocoap.resource as resource

    class Ticking(resource.ObservableResource):
        def __init__(self) -> None:
            super().__init__()
            self.count = 0
            self._task = asyncio.get_running_loop().create_task(self._tick())

        async def _tick(self) -> None:
            while True:
                await asyncio.sleep(0.15)
                self.count += 1
                self.updated_state()

        async def render_get(self, request):
            return aiocoap.Message(payload=b"%d" % self.count, max_age=60)

    class Big(resource.Resource):
        async def render_get(self, request):
            return aiocoap.Message(payload=body_of(_BODY_BYTES))

    class Sink(resource.Resource):
        async def render_put(self, request):
            crc = binascii.crc32(request.payload)
            text = f"{len(request.payload)} bytes, crc {crc}".encode()
            return aiocoap.Message(code=aiocoap.CHANGED, payload=text)

        render_post = render_put

    class Slow(resource.Resource):
        async def render_get(self, request):
            await asyncio.sleep(0.5)
            return aiocoap.Message(payload=b"late")

    class Gateway(resource.Resource, resource.PathCapable):
        """Answers a frame with itself, as gateway_stub does; keeps the infos."""

        async def render(self, request):
            if request.code == aiocoap.PUT:
                infos.append(request.payload)
            return aiocoap.Message(code=aiocoap.CHANGED, payload=request.payload)

    site = resource.Site()
    site.add_resource(["up"], Gateway())
    site.add_resource(["info"], Gateway())
    for name, made in (("t", Ticking), ("big", Big), ("sink", Sink), ("slow", Slow)):
        site.add_resource([name], made())
    return site


class AiocoapClient:
    """Requests of aiocoap, from outside its loop. keys: a CredentialsMap entry for all URLs."""

    def __init__(self, thread: LoopThread, port: int, context=None):
        self._thread = thread
        self._url = f"coap://127.0.0.1:{port}/"
        self._context = context

    def __enter__(self) -> "AiocoapClient":
        self._thread.run(self._start())
        return self

    async def _start(self) -> None:
        import aiocoap

        self._client = await aiocoap.Context.create_client_context()
        if self._context is not None:
            self._client.client_credentials[self._url + "*"] = self._context

    def __exit__(self, *_: object) -> None:
        self._thread.run(self._client.shutdown())
        if self._context is not None:
            self._context._destroy()

    def ask(self, code: str, path: str, payload: bytes = b"", **options) -> tuple[str, bytes]:
        """(code such as "2.05", payload)."""
        return self._thread.run(self._ask(code, path, payload, options))

    async def _ask(self, code, path, payload, options):
        import aiocoap

        message = aiocoap.Message(
            code=getattr(aiocoap, code), uri=self._url + path, payload=payload, **options
        )
        response = await asyncio.wait_for(self._client.request(message).response, 120)
        return response.code.dotted, response.payload

    def observe(self, path: str, count: int, act) -> list[bytes]:
        """The first `count` values; act() is awaited after each."""
        return self._thread.run(self._observe(path, count, act))

    async def _observe(self, path, count, act):
        import aiocoap

        message = aiocoap.Message(code=aiocoap.GET, uri=self._url + path, observe=0)
        request = self._client.request(message)
        values = [(await asyncio.wait_for(request.response, 120)).payload]
        notifications = aiter(request.observation)
        while len(values) < count:
            await act(len(values))
            values.append((await asyncio.wait_for(anext(notifications), 120)).payload)
        request.observation.cancel()
        return values

    async def put(self, path: str, payload: bytes) -> None:
        await self._ask("PUT", path, payload, {})


class LossyRelay:
    """Between nodes and a CoAP server: loses, doubles and delays datagrams, both ways.

    seed: of the dice. loss, double, late: shares of the datagrams; late ones arrive after those
    that follow. Lost are all while `silent`. passed, dropped, doubled, delayed: how many were.
    """

    def __init__(
        self,
        thread: LoopThread,
        target: int,
        seed: int,
        loss: float,
        double: float,
        late: float = 0.0,
    ):
        self.port = free_udp_port()
        self.target = target
        self.silent = False
        self.passed = self.dropped = self.doubled = self.delayed = 0
        self._dice = random.Random(seed)
        self._loss, self._double, self._late = loss, double, late
        self._thread = thread
        self._ways: dict = {}

    def __enter__(self) -> "LossyRelay":
        self._front = self._thread.run(_datagrams(self._upward, local=self.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.run(self._close())

    async def _close(self) -> None:
        for transport in (self._front, *[await way for way in self._ways.values()]):
            transport.close()

    def _copies(self) -> int:
        fate = self._dice.random()
        lost, doubled = self.silent or fate < self._loss, fate > 1 - self._double
        self.dropped += lost
        self.doubled += doubled and not lost
        self.passed += not lost
        return 0 if lost else 1 + doubled

    def _send(self, sendto, *datagram) -> None:
        for _ in range(self._copies()):
            if self._dice.random() >= self._late:
                sendto(*datagram)
                continue
            self.delayed += 1
            delay_s = self._dice.uniform(0.01, _LATE_S)
            asyncio.get_running_loop().call_later(delay_s, sendto, *datagram)

    def _upward(self, data: bytes, node) -> None:
        asyncio.get_running_loop().create_task(self._send_up(data, node))

    async def _send_up(self, data: bytes, node) -> None:
        if node not in self._ways:  # one for all that it sends before that is open
            back = lambda answer, _, node=node: self._send_down(answer, node)  # noqa: E731
            self._ways[node] = asyncio.ensure_future(_datagrams(back, remote=self.target))
        self._send((await self._ways[node]).sendto, data)

    def _send_down(self, data: bytes, node) -> None:
        self._send(self._front.sendto, data, node)


async def _datagrams(receive, local: int = 0, remote: int = 0):
    """A transport that hands what comes to receive(data, address)."""

    class Protocol(asyncio.DatagramProtocol):
        def datagram_received(self, data, addr):
            receive(data, addr)

    where = {"local_addr": ("127.0.0.1", local)} if local else {}
    where |= {"remote_addr": ("127.0.0.1", remote)} if remote else {}
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Protocol, **where)
    return transport
