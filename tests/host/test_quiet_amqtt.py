"""The in-process broker, with clients that come, go and die: no traceback reaches a user."""

import asyncio
import contextlib
import gc
import struct

import pytest
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler

from hedgerow.gateway.broker import start_broker
from hedgerow.gateway.config import GatewayConfig

_WAIT_S = 60
_PING = b"\xc0\0"


@pytest.fixture
def broker(tmp_path):
    """async with broker() as (host, port)"""

    @contextlib.asynccontextmanager
    async def start():
        config = GatewayConfig(tmp_path / "farm.db", mqtt_port=0, broker="python")
        async with start_broker(config, print) as found:
            yield found.address.host, found.address.port

    return start


def _text(words):
    return struct.pack(">H", len(words)) + words.encode()


def _packet(first_byte, body):
    assert len(body) < 128
    return bytes((first_byte, len(body))) + body


def connect(name, clean=False):
    """MQTT 3.1.1, 3.1: keep alive 60 s."""
    flags = 2 if clean else 0
    return _packet(0x10, _text("MQTT") + bytes((4, flags, 0, 60)) + _text(name))


def subscribe(topic, qos=1):
    return _packet(0x82, b"\0\1" + _text(topic) + bytes((qos,)))


def publish(topic, data, mid=1, retain=False):
    return _packet(0x33 if retain else 0x32, _text(topic) + struct.pack(">H", mid) + data)


async def _until(reader, first_byte):
    """Body of the next packet of this kind."""
    while True:
        head = await asyncio.wait_for(reader.readexactly(2), _WAIT_S)
        body = await asyncio.wait_for(reader.readexactly(head[1]), _WAIT_S)
        if head[0] & 0xF6 == first_byte:  # not DUP, not RETAIN
            return body


async def _enter(where, name, *packets):
    """(reader, writer) of a client that is connected and has sent these packets."""
    reader, writer = await asyncio.open_connection(*where)
    writer.write(connect(name))
    assert (await _until(reader, 0x20))[1] == 0
    writer.write(b"".join(packets))
    return reader, writer


def _complaints(caplog):
    asked = (r for r in caplog.records if r.name == "asyncio" or r.exc_info)
    return [r.getMessage().split("\n")[0] for r in asked]


def test_clients_that_subscribe_while_others_are_handed_what_is_retained(broker, caplog):
    """amqtt walks all subscriptions for each newcomer, and waits on the way."""

    async def newcomers(where):
        for _ in range(20):
            reader, writer = await _enter(where, "bed-1", subscribe("hedge/bed-1/ack", 0))
            await _until(reader, 0x90)  # SUBACK: it was not sent away
            writer.close()

    async def scenario():
        async with broker() as where:
            topics = [f"hedge/old-{number}/info" for number in range(10)]
            kept = [publish(topic, b"i", retain=True) + subscribe(topic, 0) for topic in topics]
            reader, writer = await _enter(where, "keeper", *kept)
            comers = asyncio.create_task(newcomers(where))
            while not comers.done():
                writer.write(subscribe(f"hedge/{len(topics)}/ack", 0))
                topics.append(await _until(reader, 0x90))
            await comers
            writer.close()

    asyncio.run(scenario())
    assert _complaints(caplog) == []


def test_it_ends_while_it_waits_for_a_client_that_is_gone_or_never_spoke(broker, caplog):
    async def scenario():
        async with broker() as where:
            _, silent = await asyncio.open_connection(*where)
            mine = publish("hedge/bed-1/ack", b"a", retain=True)
            reader, gone = await _enter(where, "bed-1", mine, subscribe("hedge/bed-1/ack"))
            await _until(reader, 0x32)  # no PUBACK: its connection's task waits for it
            reader, writer = await _enter(where, "bed-1", subscribe("hedge/bed-1/ack"))
            await _until(reader, 0x32)
            gone.transport.abort()
        assert len(asyncio.all_tasks()) == 1, "the broker left tasks behind"
        silent.close()
        writer.close()

    asyncio.run(scenario())
    gc.collect()
    assert _complaints(caplog) == []


@pytest.mark.parametrize("steps", range(12))
def test_it_ends_while_a_client_sends(broker, caplog, steps):
    """steps: of the loop between the last packet and the end, to meet each stage of it."""

    async def scenario():
        async with broker() as where:
            _, writer = await _enter(where, "bed-1")
            _, deaf = await _enter(where, "bed-2")
            deaf.write(_PING * 9)
            for _ in range(steps):
                await asyncio.sleep(0)
            writer.write(_PING)
        writer.close()
        deaf.close()

    asyncio.run(asyncio.wait_for(scenario(), _WAIT_S))
    assert _complaints(caplog) == []


async def _fails():
    raise ValueError("ours")


@pytest.mark.parametrize("ours", [False, True])
def test_an_error_nobody_looks_at_is_printed_only_if_it_is_not_amqtts(broker, caplog, ours):
    async def scenario():
        async with broker():
            handler = BrokerProtocolHandler(None)  # no session: its calls raise
            task = asyncio.create_task(
                _fails() if ours else handler.mqtt_publish("t", b"", 1, False)
            )
            await asyncio.wait([task])
        del task
        gc.collect()

    asyncio.run(scenario())
    assert _complaints(caplog) == (["Task exception was never retrieved"] if ours else [])


def test_the_handler_that_was_there_is_asked_and_is_wrapped_once(broker):
    told = []

    async def scenario():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context["message"]))
        async with broker():
            pass
        first = loop.get_exception_handler()
        async with broker():
            assert loop.get_exception_handler() is first
        loop.call_exception_handler({"message": "not of the broker"})

    asyncio.run(scenario())
    assert told == ["not of the broker"]
