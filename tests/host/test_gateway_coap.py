"""The gateway's CoAP listener: frames in, acks out, keys, refusals, wild datagrams."""

import asyncio
import contextlib
import json
import random
import socket

import pytest
from click.testing import CliRunner
from test_gateway_service import some_frame

from hedge.net.coap import numbers as n
from hedge.net.coap.message import Message, decode
from hedge.wire import ack, cbor
from hedgerow.cli.gateway import command
from hedgerow.errors import ConfigError, GatewayError, UsageError
from hedgerow.gateway import Gateway, GatewayConfig
from hedgerow.gateway.coap_keys import key_store

SECRET = bytes(range(16))


@pytest.fixture
def config(tmp_path):
    def make(**options):
        settings = {"db": tmp_path / "farm.db", "http_port": 0, "mqtt_port": 0, "coap_port": 0}
        return GatewayConfig(broker="python", **{**settings, **options})

    return make


def datagram(path, payload, code=n.POST, mid=1, kind=n.CON, **options):
    message = Message(kind, code, mid, b"tk", payload=payload)
    for part in path.split("/"):
        message.add(n.URI_PATH, part)
    for number, value in options.items():
        message.add(getattr(n, number), value)
    return bytes(message.encode())


async def ask(port, data):
    """The first answer that is not an empty ACK."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(("127.0.0.1", port))
        for _ in range(10):  # a busy listener's buffer may be full: send again, as CoAP does
            await loop.sock_sendall(sock, data)
            with contextlib.suppress(TimeoutError):
                answer = decode(await asyncio.wait_for(loop.sock_recv(sock, 2000), 2))
                while answer.code == n.EMPTY:
                    answer = decode(await asyncio.wait_for(loop.sock_recv(sock, 2000), 20))
                return answer
        raise AssertionError("no answer")


def test_frame_and_info(config):
    async def scenario():
        async with Gateway(config()) as gateway:
            port = gateway.coap_port
            info = cbor.encode({"name": "Bed", "sample_s": 900})
            answer = await ask(port, datagram("info/bed-1", info, n.PUT, 1))
            assert (answer.code, answer.payload) == (n.CHANGED, b"")
            answer = await ask(port, datagram("up/bed-1", some_frame(1), mid=2))
            assert answer.code == n.CHANGED
            assert ack.unpack(answer.payload, "bed-1")[2] == [(1, 1, 3)]
            answer = await ask(port, datagram(".well-known/core", b"", n.GET, 3))
            assert answer.code == n.CONTENT

    asyncio.run(scenario())


def test_what_is_refused_says_why(config):
    cases = (
        (datagram("up/bed-1", b"x" * 300), n.TOO_LARGE, b"oversize"),
        (datagram("up/bed-1", b"junk"), n.BAD_REQUEST, b"frame: "),
        (datagram("up/bed-2", some_frame(1)), n.BAD_REQUEST, b"device: "),
        (datagram("up/Bed_1", some_frame(1)), n.BAD_REQUEST, b"topic: "),
        (datagram("up/bed-1", some_frame(1), n.PUT), n.METHOD_NOT_ALLOWED, b""),
        (datagram("up/bed-1", b"x" * 16, BLOCK1=0x08), n.TOO_LARGE, b"one datagram"),
        (datagram("nothing", b""), n.NOT_FOUND, b""),
        (datagram("info/bed-1", b"\xff", n.PUT), n.BAD_REQUEST, b"info: "),
    )

    async def scenario():
        async with Gateway(config()) as gateway:
            for data, code, text in cases:
                answer = await ask(gateway.coap_port, data)
                assert (n.code_text(answer.code), text in answer.payload) == (
                    n.code_text(code),
                    True,
                )

    asyncio.run(scenario())


def test_a_frame_key_is_asked_for_here_too(config):
    async def scenario():
        async with Gateway(config(keys={"bed-1": b"k" * 32})) as gateway:
            answer = await ask(gateway.coap_port, datagram("up/bed-1", some_frame(1)))
            assert answer.code == n.UNAUTHORIZED
            signed = some_frame(1, key=b"k" * 32)
            answer = await ask(gateway.coap_port, datagram("up/bed-1", signed, mid=2))
            assert ack.unpack(answer.payload, "bed-1", b"k" * 32)[2] == [(1, 1, 3)]

    asyncio.run(scenario())


def test_a_disk_that_takes_nothing_is_told_as_for_now(config, monkeypatch):
    async def scenario():
        async with Gateway(config()) as gateway:
            monkeypatch.setattr(gateway.runtime.writer, "offer", lambda message, answer: False)
            answer = await ask(gateway.coap_port, datagram("up/bed-1", some_frame(1)))
            assert answer.code == n.UNAVAILABLE
            assert answer.uint(n.MAX_AGE) == 10

    asyncio.run(scenario())


def test_with_keys_nothing_comes_in_clear(config):
    pytest.importorskip("lakers", reason="the extra aiocoap[oscore] is not installed")

    async def scenario():
        async with Gateway(config(coap_keys={"bed-1": SECRET})) as gateway:
            answer = await ask(gateway.coap_port, datagram("up/bed-1", some_frame(1)))
            assert (answer.code, b"not the key" in answer.payload) == (n.UNAUTHORIZED, True)

    asyncio.run(scenario())


async def _hear(sock, heard):
    """For ever: each datagram must be a well-formed message."""
    while True:
        heard.append(decode(await asyncio.get_running_loop().sock_recv(sock, 2000)))


async def _more_than(count, heard, reader):
    while len(heard) <= count and not reader.done():
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)  # what comes after them is looked at too
    reader.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await reader


def test_wild_datagrams_leave_the_listener_alive(config, caplog):
    """Mutated requests from one socket; each answer is well-formed, and a frame is still taken."""

    async def scenario():
        dice = random.Random(5)
        async with Gateway(config()) as gateway:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                sock.connect(("127.0.0.1", gateway.coap_port))
                heard = []
                reader = asyncio.create_task(_hear(sock, heard))
                for mid in range(1500):
                    data = bytearray(datagram("up/bed-1", some_frame(1), mid=mid))
                    for _ in range(dice.randint(1, 6)):
                        data[dice.randrange(len(data))] = dice.randrange(256)
                    with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
                        sock.send(data[: dice.randint(0, len(data))])
                    if mid % 50 == 0:
                        await asyncio.sleep(0.01)
                await asyncio.wait_for(_more_than(20, heard, reader), 60)
            answer = await ask(gateway.coap_port, datagram("up/bed-1", some_frame(4), mid=7))
            assert answer.code == n.CHANGED

    asyncio.run(scenario())
    assert not [r for r in caplog.records if r.exc_info]


def test_port_in_use(config):
    async def scenario(port):
        async with Gateway(config(coap_port=port)):
            pass

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(GatewayError, match="--coap"):
            asyncio.run(scenario(taken.getsockname()[1]))


def test_key_folders(tmp_path):
    """Counters outlive a restart, a new secret begins anew, a second user is told."""
    pytest.importorskip("lakers", reason="the extra aiocoap[oscore] is not installed")
    folder = tmp_path / "oscore"
    with key_store(folder, {"bed-1": SECRET}) as keys:
        keys[":bed-1"].sender_sequence_number = 77
        with (
            pytest.raises(GatewayError, match="another gateway"),
            key_store(folder, {"bed-1": SECRET}),
        ):
            pass
    with key_store(folder, {"bed-1": SECRET}) as keys:
        assert keys[":bed-1"].sender_sequence_number == 77
    with key_store(folder, {"bed-1": SECRET[::-1]}) as keys:
        assert keys[":bed-1"].sender_sequence_number == 0
    secret_file = folder / "bed-1" / "secret.json"
    assert secret_file.stat().st_mode & 0o077 == 0
    assert json.loads(secret_file.read_text())["secret_hex"] == SECRET[::-1].hex()


def test_key_files_that_do_not_serve(tmp_path):
    with pytest.raises(ConfigError, match="key of its own"), key_store(tmp_path, {"*": SECRET}):
        pass


def test_keys_without_a_port_are_a_wrong_command_line(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"bed-1 {SECRET.hex()}\n")
    outcome = CliRunner().invoke(command, ["--coap-keys", str(keys)])
    assert isinstance(outcome.exception, UsageError)
    assert "--coap" in str(outcome.exception)
