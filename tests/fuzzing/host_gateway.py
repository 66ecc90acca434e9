"""The gateway: messages over MQTT, HTTP and CoAP, the formats of its mirrors, the bridge."""

import contextlib
import gc
import random
import tempfile
from pathlib import Path
from types import SimpleNamespace

from board_wire import SIGNS, line_sealed, with_crc
from trial import Reader, taken

from hedge.net import serial_lines
from hedge.wire import ack, cbor, frame, senml
from hedgerow.bridge.session import Session
from hedgerow.gateway import cayenne
from hedgerow.gateway.coap_guard import is_sound
from hedgerow.gateway.database import open_database
from hedgerow.gateway.ingest import Ingest
from hedgerow.gateway.messages import Inbound, Refused
from hedgerow.gateway.mirror import sparkplug_payload
from hedgerow.gateway.mirror.home_assistant import HomeAssistant
from hedgerow.gateway.mirror.snapshot import Device, Value

_NOW_S = 1_790_000_000.0
_ANEW = 5000  # messages after which the database is a new one: rows are no growth of ours
_RECORDS = [senml.encode(int(_NOW_S) + i, [("soil.vwc", "%", 20.5 + i)]) for i in range(3)]
_ODD = [senml.encode(0, [("pump", None, True), ("rule.a.b", None, "dry"), ("raw", None, b"\xff")])]
_FRAMES = [
    frame.pack("bed-1", 1, 1, 7, 3, _RECORDS),
    frame.pack("bed-1", 2, 0, 1, 1, _RECORDS + _ODD, True),
    frame.pack("bed-1", 0xFFFFFFFF, 255, 0xFFFFFFFE, 1, [b"x", b"\x80"]),
]
_INFO = {
    "name": "Bed",
    "sample_s": 900,
    "uplink_every_s": 60,
    "channels": [{"n": "t", "u": "Cel"}],
}
_INFOS = [cbor.encode(_INFO), cbor.encode({1: [2, {"a": b"x"}], "sample_s": -1})]


class _Gateway:
    """An Ingest over a database in memory."""

    def __init__(self):
        self._stack = contextlib.ExitStack()
        self._count = 0
        self.ingest = self._fresh()

    def _fresh(self):
        self._stack.close()
        return Ingest(self._stack.enter_context(contextlib.closing(open_database(":memory:"))))

    def commit(self, topic, data, source="mqtt"):
        """The outcome's word, None for what was stored; and the acks."""
        self._count += 1
        if self._count % _ANEW == 0:
            self.ingest = self._fresh()
            gc.collect()
        out = self.ingest.commit([Inbound(topic, data, _NOW_S + self._count, source)])
        for answer in out:
            ack.unpack(answer.data)
        (outcome,) = self.ingest.outcomes
        return outcome, out


def _word(outcome):
    return outcome.reason if isinstance(outcome, Refused) else None


def _up():
    gateway = _Gateway()
    read = lambda data: _word(gateway.commit("hedge/bed-1/up", data)[0])  # noqa: E731
    return Reader(read, _FRAMES, seal=with_crc)


def _info():
    gateway = _Gateway()

    def read(data):
        word = _word(gateway.commit("hedge/bed-1/info", data)[0])
        gateway.ingest.tick(_NOW_S)
        return word

    return Reader(read, _INFOS, tokens=(b"\xbf", b"\x9f", b"\xc1", b"\xfb\x7f\xf0", b"\xa1"))


def _topic():
    gateway = _Gateway()
    seeds = [b"hedge/bed-1/up", b"hedge/bed-1/status", b"hedge/bed-1/info"]
    bodies = [*_FRAMES, *_INFOS, b"online", b"offline", b""]

    def read(data):
        return _word(gateway.commit(data.decode("utf-8", "replace"), random.choice(bodies))[0])

    return Reader(read, seeds, tokens=(b"/", b"+", b"#", b"$SYS", b"\x00", b"\xc3\xa4"))


class _Site:
    """The app's routes by ASGI, without a socket; frames go to an Ingest in memory."""

    def __init__(self):
        from fastapi import FastAPI

        from hedgerow.gateway.api import add_api
        from hedgerow.gateway.http_door import add_http_door

        self._folder = tempfile.TemporaryDirectory(prefix="hedge-fuzz")
        self.close = self._folder.cleanup
        path = Path(self._folder.name) / "farm.db"
        open_database(path).close()
        self._gateway = _Gateway()
        self._app = FastAPI()
        add_api(self._app)
        add_http_door(self._app)
        address = SimpleNamespace(user="farm", password="secret")
        config = SimpleNamespace(db_path=path, keys=None, key_of=lambda: None, note="")
        self._app.state.runtime = SimpleNamespace(
            broker=SimpleNamespace(address=address),
            config=config,
            intake=self,
            revision="1",
            health=lambda: {"status": "ok"},
        )

    async def submit(self, device, data, *, source, kind="up"):
        outcome, out = self._gateway.commit(f"hedge/{device}/{kind}", data, source)
        if isinstance(outcome, Refused):
            raise outcome
        return out[0].data if out else b""

    async def ask(self, method, path, query=b"", body=b"", headers=()):
        """The status."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode("utf-8", "replace"),
            "query_string": query,
            "headers": list(headers),
            "scheme": "http",
            "server": ("farm", 80),
            "client": ("node", 1),
            "root_path": "",
        }
        said = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            said.append(message)

        await self._app(scope, receive, send)
        status = said[0]["status"]
        assert status < 500 and said[-1]["type"] == "http.response.body", status
        return status


_BINARY = (b"content-type", b"application/octet-stream")
_ACCOUNT = (b"authorization", b"Basic ZmFybTpzZWNyZXQ=")


def _http_body():
    site = _Site()

    async def read(data):
        method, path = (
            ("PUT", "/api/info/bed-1") if data[:1] > b"\x7f" else ("POST", "/api/up/bed-1")
        )
        status = await site.ask(method, path, body=data, headers=(_BINARY, _ACCOUNT))
        return None if status < 300 else f"status {status}"

    return Reader(read, _FRAMES + _INFOS, seal=with_crc, close=site.close)


def _http_head():
    """Path, content type and account by the mutant, split at newlines."""
    site = _Site()
    kind, account = _BINARY[1], _ACCOUNT[1]
    seeds = [b"\n".join((b"/api/up/bed-1", kind, account)), b"\n".join((b"/api/info/bed-1", kind))]

    async def read(data):
        path, kind, account, *_ = [*data.split(b"\n"), b"", b"", b""]
        headers = ((b"content-type", kind), (b"authorization", account), (b"hedge-mac", kind))
        path = path.decode("latin-1")
        status = await site.ask("POST", path, body=_FRAMES[0], headers=headers)
        return None if status < 300 else f"status {status}"

    tokens = (b"/", b"..", b"%2f", b"Basic ", b";", b"\xff", b"\n")
    return Reader(read, seeds, tokens=tokens, close=site.close)


def _http_query():
    site = _Site()
    seeds = [
        b"devices/bed-1/series?name=soil.vwc&from=1&to=1790000000&points=800",
        b"devices/bed-1/events?kind=boot&limit=5&from=1e9",
        b"devices/bed-1/records?boot=1&stream=1&after=0&limit=1000",
        b"devices/bed-1/spans?to=5",
        b"alerts?open=true&limit=3",
        b"devices",
    ]
    tokens = (b"&", b"=", b"?", b"%00", b"nan", b"inf", b"-1", b"1e400", b"9" * 30, b"'", b"%ff")

    async def read(data):
        path, _, query = data.partition(b"?")
        status = await site.ask("GET", "/api/" + path.decode("latin-1"), query)
        return None if status < 300 else f"status {status}"

    return Reader(read, seeds, tokens=tokens, close=site.close)


def _coap_guard():
    from board_coap import REQUESTS, TOKENS

    read = lambda data: None if is_sound(data) else "no message"  # noqa: E731
    return Reader(read, REQUESTS, tokens=TOKENS)


def _coap_door():
    """Door.render of what aiocoap made of a datagram that passed the guard."""
    import aiocoap
    from aiocoap.numbers import codes

    from hedge.net.coap import numbers as n
    from hedge.net.coap.message import Message
    from hedgerow.gateway.coap import Door

    gateway = _Gateway()

    class Submit:
        submit = _Site.submit
        _gateway = gateway

    door = Door(Submit(), "up", codes.POST, secure=False)
    seeds = []
    for body in _FRAMES:
        message = Message(n.CON, n.POST, 1, b"tk", [(n.URI_PATH, b"bed-1")], body)
        seeds.append(bytes(message.encode()))

    async def read(data):
        if not is_sound(data):
            return "no message"
        try:
            request = aiocoap.Message.decode(data)
        except Exception:  # noqa: BLE001  aiocoap's own; the guard logs it
            return "aiocoap refused"
        try:
            answer = await door.render(request)
        except aiocoap.error.RenderableError:
            return "4.05"
        return None if answer.code == codes.CHANGED else str(answer.code)

    return Reader(read, seeds)


def _cayenne():
    seeds = [
        bytes.fromhex(t) for t in ("03670110056700ff", "018806765ff2960a0003e8067104d2fb2e0000")
    ]
    return Reader(taken(cayenne.decode), seeds)


def _sparkplug():
    metric = sparkplug_payload.Metric("Node Control/Rebirth", 11, True, 5, "x")
    seeds = [sparkplug_payload.encode(5, [metric, metric], 7)]
    read = lambda data: None if sparkplug_payload.true_metrics(data) else "nothing"  # noqa: E731
    return Reader(
        read, seeds, (ValueError,), (b"\x12\xff\xff\xff\xff\x0f", b"\x0a\x00", b"\x72\x01")
    )


def _discovery():
    device = Device("bed-1", "Bed", True, "1", "x", (Value("a", "%", "number", 1, 0.0),))
    topic = "homeassistant/device/hedgerow_bed-1/config"

    def read(data):
        ours = HomeAssistant("gateway-1")
        ours.received(topic, data)
        messages = ours.update([])
        assert all(not m.payload and not set("#+") & set(m.topic) for m in messages)
        return None if messages else "not ours"

    return Reader(read, [HomeAssistant("gateway-1").update([device])[0].payload], tokens=SIGNS)


class _Broker:
    """A bridge client whose broker is always there."""

    ready, sessions, failures, reason = True, 1, 0, ""

    def set_info(self, info):
        pass

    def publish(self, data):
        return True

    def close(self):
        pass


def _bridge():
    pack, heard = serial_lines.pack, []
    bodies = (
        ("H", b"\x01\x00\x3cbed-3"),
        ("I", b"\xa0"),
        ("U", _FRAMES[0]),
        ("P", b""),
        ("B", b""),
    )
    seeds = [pack("H", b"ab\x01\x00\x3cbed-3") + pack(k, b"ab" + b) for k, b in bodies]
    session = Session(
        heard.append, lambda name, on_ack: _Broker(), lambda *_: None, lambda _: None
    )

    def read(data):
        del heard[:]
        session.feed(data, 0.0)
        session.give_ack(b"ack")
        session.tick(1.0)
        assert all(line.startswith(serial_lines.MARK) for line in heard)
        return None if heard else "nothing to say"

    return Reader(read, seeds, tokens=(b"#~", b"\n", b"\r"), seal=line_sealed)


READERS = {
    "gateway frame": _up,
    "gateway info": _info,
    "gateway topic": _topic,
    "gateway http body": _http_body,
    "gateway http head": _http_head,
    "gateway http query": _http_query,
    "gateway coap guard": _coap_guard,
    "gateway coap door": _coap_door,
    "cayenne": _cayenne,
    "sparkplug command": _sparkplug,
    "home assistant": _discovery,
    "bridge": _bridge,
}
