"""DNS, SNTP, the set-up page, HTTP answers, modems, GPS, the links by cable and by ESP-NOW."""

import asyncio
import random
import struct

from trial import Reader

from hedge.core.errors import FrameError, LinkError, SensorError
from hedge.net import dns_message, espnow_parts, serial_lines, setup_dns, setup_http, sntp_packet
from hedge.net.http_client import Http
from hedge.net.modem import sim800, sim7080
from hedge.net.modem.at import At
from hedge.net.modem.at_lines import MAX_DATA_BYTES, MAX_LINE_BYTES, AtLines
from hedge.net.modem.modem import _first_number
from hedge.wire import frame

_NAME = "gateway.farm"
_QUESTION = dns_message.query(7, _NAME)
_RECORD = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04\xc0\xa8\x01\x02"
_CNAME = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x1e\x00\x08\x05other\xc0\x14"
_COOKIE = bytes(range(8))
_STAMP = struct.pack(">II", 3998988800, 1 << 31)
_FAULTS = (FrameError, LinkError)


def _answer(flags, count, records):
    return struct.pack(">HHHHHH", 7, flags, 1, count, 0, 0) + _QUESTION[12:] + records


def _dns():
    seeds = [_answer(0x8180, 1, _RECORD), _answer(0x8180, 2, _CNAME + _RECORD)]
    seeds.append(_answer(0x8183, 0, b""))

    def read(data):
        address, ttl_s = dns_message.answer(data, 7, _NAME)
        assert len(address.split(".")) == 4 and 0 <= ttl_s < 1 << 30

    return Reader(read, seeds, _FAULTS, (b"\xc0\x0c", b"\xc0\x00", b"?"))


def _own_dns():
    def read(data):
        answer = setup_dns.reply(data, b"\x0a\x00\x00\x01")
        if answer is None:
            return "no question"
        assert len(answer) <= len(data) + 16 and answer[:2] == data[:2]
        return None

    return Reader(read, [_QUESTION, _QUESTION[:-4] + b"\x00\x1c\x00\x01"], tokens=(b"\xc0\x0c",))


def _sntp():
    seeds = [
        b"\x24\x02\x06\xec" + bytes(20) + _COOKIE + _STAMP * 2,
        b"\x24\x00\x06\xec" + bytes(8) + b"RATE" + bytes(8) + _COOKIE + _STAMP * 2,
    ]

    def read(data):
        received, sent = sntp_packet.reply(data, _COOKIE)
        assert 0 <= sent - received < 1 << 43

    return Reader(read, seeds, _FAULTS)


def _setup_head():
    seeds = [
        b"GET / HTTP/1.1\r\nHost: 192.168.4.1\r\nUser-Agent: phone",
        b"POST /save HTTP/1.1\r\nContent-Length: 44\r\nHost: a",
    ]

    def read(data):
        length = setup_http.head(data)[2]
        assert 0 <= length <= setup_http.MAX_BODY_BYTES

    return Reader(
        read, seeds, _FAULTS, (b"\r\n", b":", b"99999", b" ", b"-1", b"Content-Length: ")
    )


def _setup_form():
    seeds = [
        b"ssid=farm&key=secret+password&name=bed-3&host=gateway.farm",
        b"ssid=Hof+%26+Garten%2b%C3%A4&key=",
    ]

    def read(data):
        found = setup_http.form(data)
        assert len(found) <= setup_http.MAX_FIELDS
        shown = setup_http.escape("".join(found.values()))
        assert not [c for c in "<>\"'" if c in shown]

    return Reader(read, seeds, _FAULTS, (b"&", b"=", b"%", b"%00", b"%ff", b"&a=b" * 20))


class _Stream:
    """Gives bytes in pieces, then the end."""

    def __init__(self, data):
        self.bytes_sent = 0
        self._data = data

    async def write(self, data, limit_ms):
        pass

    async def readinto(self, buf):
        size = min(1 + random.getrandbits(8) % 99, len(buf), len(self._data))
        buf[:size], self._data = self._data[:size], self._data[size:]
        return size

    def close(self):
        pass


def _http():
    seeds = [
        b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 503 Busy\r\nRetry-After: 10\r\n\r\nlater",
        b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ]
    tokens = (
        b"\r\n",
        b":",
        b"9999",
        b"-",
        b"\x00\xff",
        b"x" * 300,
        b"\n\n",
        b"HTTP/1.1 100 a\r\n\r\n",
    )

    async def read(data):
        async def give():
            return _Stream(data)

        http = Http(give, "farm")
        status, body = await http.request("POST", "/api/up/bed-3", b"frame")
        assert 0 <= status <= 999 and len(body) <= 512 and len(http._held) <= 2048

    return Reader(read, seeds, _FAULTS, tokens)


MODEM_SAID = [
    b"AT+CSQ\r\r\n+CSQ: 18,99\r\n\r\nOK\r\n",
    b"\r\n+CPIN: READY\r\n\r\nOK\r\n\r\n+CEREG: 0,5\r\n\r\nOK\r\n",
    b'\r\n+CNACT: 0,1,"10.0.0.2"\r\n+CNACT: 1,0,"0.0.0.0"\r\n\r\nOK\r\n+APP PDP: 0,ACTIVE\r\n',
    b"\r\n+CAOPEN: 0,0\r\n\r\nOK\r\n\r\n> \r\nOK\r\n\r\n+CADATAIND: 0\r\n\r\n+CASTATE: 0,0\r\n",
    b"\r\n+CARECV: 20,\x00\xff\r\nOK\r\n> 12345678901\r\n\r\nOK\r\n\r\n+CARECV: 0\r\n\r\nOK\r\n",
    b"\r\nOK\r\n\r\nCONNECT OK\r\n\r\n> \r\nSEND OK\r\n\r\n+CIPRXGET: 1\r\n\r\nCLOSED\r\n",
    b"\r\n+CIPRXGET: 2,9,0\r\n\x10\x00\r\nhello\r\n\r\nOK\r\n\r\nCLOSE OK\r\n\r\nSHUT OK\r\n",
    b"\r\n+CME ERROR: SIM not inserted\r\n\r\nNO CARRIER\r\n\r\nERROR\r\nSTATE: TCP CLOSED\r\n",
]
_PREFIXES = (b"+CSQ:", b"+CPIN:", b"+CNACT:", b"+CARECV:", b"+CIPRXGET: 2,", b"")


def _at(kind):
    def make():
        urcs = []
        at = At(None, AtLines(*kind.COUNTED), urcs.append, urcs.append)
        lines = at._lines

        def read(data):
            if not random.getrandbits(3):
                lines.reset()
            lines.wants_prompt = not random.getrandbits(1)
            at._prefix, at._answer, at._sent = _PREFIXES[random.getrandbits(8) % 6], [], b"AT+CSQ"
            at._final = None
            _feed(kind, at, data)
            assert len(at._answer) <= 8
            _first_number(at._answer, 99)
            del urcs[:]
            return "no end" if at._final is None else None

        return Reader(
            read, MODEM_SAID, tokens=(b">", b"\r\n", b"99999", b",", b"-", b"\x00" * 300)
        )

    return make


def _feed(kind, at, data):
    lines = at._lines
    while data:
        size = 1 + random.getrandbits(6)
        for what, value in lines.feed(data[:size]):
            assert what in ("line", "prompt", "data")
            assert len(value) <= (MAX_DATA_BYTES if what == "data" else MAX_LINE_BYTES + 64)
            at._take(what, value)
            kind.meaning(value)
        assert len(lines._held) <= max(MAX_LINE_BYTES, lines._missing) + 64
        data = data[size:]


class _Uart:
    def __init__(self):
        self.held = b""

    def init(self, **how):
        pass

    def any(self):
        return len(self.held)

    def readinto(self, buf):
        buf[:1], self.held = self.held[:1], self.held[1:]
        return 1


def _gps():
    from array import array

    from hedge.drivers.gps import GPS

    seeds = [
        b"$GPGGA,123519.00,4807.03812,N,01131.00031,E,1,08,0.9,545.4,M,46.9,M,,*4E\r\n"
        b"$GPRMC,123519.00,A,4807.03812,N,01131.00031,E,022.4,084.4,230394,003.1,W*48\r\n"
    ]
    uart, out = _Uart(), array("i", (0,) * 5)
    gps = GPS(uart)

    def read(data):
        uart.held = b""
        gps.start()
        uart.held = data
        while uart.held:
            if gps.poll(out):
                assert gps.epoch_s() >= 0
                return None
        return "no fix"

    return Reader(
        read, seeds, (SensorError,), (b"$", b"*", b",", b".", b"-", b"9" * 20), _nmea, True
    )


def _nmea(data):
    """Right checksums for the sentences that are left."""
    found = b""
    for line in data.split(b"\r\n"):
        body, check = line[1:].split(b"*")[0], 0
        for byte in body:
            check ^= byte
        found += b"$" + body + b"*%02X\r\n" % check
    return found


class _Bridge:
    """A connected SerialLink or EspnowLink; what the mutants do to its session ends it."""

    def __init__(self, link):
        self.link = link
        self.session = b"\x12\x34"

    def take(self, messages):
        link, taken = self.link, 0
        link._session = self.session
        link._acks.clear()
        for kind, body in messages:
            if body[:2] == self.session:
                taken += 1
                link._take(kind, body[2:], self.session)
        assert len(link._acks) <= len(messages)
        return None if taken else "not ours"


def _serial_link():
    from board_wire import line_sealed

    from hedge.net.serial_link import SerialLink

    bridge = _Bridge(SerialLink(None, "bed-3"))
    seeds = [serial_lines.pack(k, bridge.session + b) for k, b in _BODIES]
    return Reader(
        lambda data: bridge.take(bridge.link._lines.feed(data)),
        seeds,
        _FAULTS,
        (b"#~", b"\n", bridge.session),
        line_sealed,
    )


def _uplink_acks():
    """No ack takes a record out of the store that was not sent, whatever it says."""
    from board_wire import with_crc
    from fake_uplink import FakeStore

    from hedge.net.uplink import Uplink
    from hedge.wire import ack

    marks = [[(7, 1, 3)], [(7, 0, 1), (6, 1, 2)], [(7, 1, 0xFFFFFFFF)], [(8, 1, 1)]]
    seeds = [ack.pack(9, 1760000000, found) for found in marks]

    def read(data):
        store = FakeStore(7)
        for stream in (0, 1, 1, 1, 1):
            store.append(stream, b"x")
        uplink = Uplink(None, store, "bed-3", set_clock=False)
        uplink._reader, uplink._sent_upto = store.reader(), {0: 1, 1: 3}
        uplink._take_ack(data)
        assert [7, 1, 4, b"x"] in store.rows, "a record is forgotten that was never sent"
        return "bad ack" if uplink.bad_acks else None

    return Reader(read, seeds, seal=with_crc)


_BODIES = (("w", b""), ("a", b"ack"), ("p", b""), ("n", b"no such session"), ("a", bytes(200)))


def _espnow_link():
    from hedge.net.espnow_link import EspnowLink

    bridge = _Bridge(EspnowLink(None, "bed-3"))
    seeds = []
    for number, (kind, body) in enumerate(_BODIES):
        seeds += espnow_parts.pack(b"\x02node1", 1, number, kind, bridge.session + body)

    def read(data):
        message = bridge.link._parts.take(data[:8] + bytes((random.getrandbits(8),)) + data[9:])
        return bridge.take([message[2:]]) if message else "part"

    return Reader(read, seeds, _FAULTS)


class _Air:
    """The radio of a relay: one datagram at a time."""

    mac = b"\x02relay"

    def __init__(self):
        self.given = None
        self.came = asyncio.Event()

    async def recv(self):
        while self.given is None:
            self.came.clear()
            await self.came.wait()
        data, self.given = self.given, None
        return b"\x02node%d" % random.getrandbits(1), data

    async def send(self, mac, data):
        return True


class _Link:
    """A node's link that takes frames and nothing else, as that over LoRaWAN."""

    async def connect(self):
        pass

    async def send(self, data):
        frame.unpack(data)

    async def recv(self):
        await asyncio.Event().wait()

    async def close(self):
        pass


class _Relayed:
    """The relay's own task must outlive every datagram."""

    def __init__(self):
        from hedge.net.espnow_relay import Relay
        from hedge.wire.frame import is_device_name

        def make(device, info):
            assert is_device_name(device), device
            return _Link()

        self._air = _Air()
        self._relay = Relay(self._air, make, most=3)
        self._task = None

    async def read(self, data):
        if self._task is None:
            self._task = asyncio.create_task(self._relay.run())
            await asyncio.sleep(0)
        self._air.given = data[:8] + bytes((random.getrandbits(8),)) + data[9:]
        self._air.came.set()
        for _ in range(4):
            await asyncio.sleep(0)
        if self._task.done():
            task, self._task = self._task, None
            await task
        nodes = self._relay._nodes
        assert len(nodes) <= 3
        for node in nodes.values():
            assert not (node._tasks[0].done() and node.session), "a node's task ended"
        return None if self._air.given is None else "busy"


def _relay():
    hello, good = b"\x01\x00\x3cbed-3", frame.pack("bed-3", 1, 1, 1, 1, [bytes(30)])
    seeds = []
    for node in (b"\x02node1", b"\x02node2"):
        for kind, body in (("H", hello), ("I", b"\xa0"), ("U", good), ("P", b""), ("B", b"")):
            seeds += espnow_parts.pack(node, 0, 1, kind, b"ab" + body)
    return Reader(_Relayed().read, seeds, deaf=True)


READERS = {
    "dns answer": _dns,
    "set-up dns": _own_dns,
    "sntp": _sntp,
    "set-up head": _setup_head,
    "set-up form": _setup_form,
    "http answer": _http,
    "at, sim7080": _at(sim7080),
    "at, sim800": _at(sim800),
    "gps": _gps,
    "serial link": _serial_link,
    "uplink acks": _uplink_acks,
    "espnow link": _espnow_link,
    "espnow relay": _relay,
}
