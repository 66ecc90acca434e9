"""One MQTT client publishes at QoS 1 as fast as it can; started by ../../mqtt.py.

    SCENARIO='{"client": "hedge", "port": 1883, "count": 2000}' micropython publish.py

client: hedge (3.1.1), hedge-5, umqtt (micropython-lib's umqtt.simple), mqtt_async (a fork of
mqtt_as). Each message waits for its PUBACK before the next; "pipelined" are ours with up to 8 in
flight, which the others cannot. Prints one JSON line: messages a second; bytes of heap that the
modules take from .py files, which is nothing where they are frozen; bytes that a connected client
takes; bytes allocated a message.
"""

import asyncio
import gc
import json
import os
import sys
import time

_TOPIC = "bench/up"
_PAYLOAD = bytes(100)
_WARM = 50


def _used_bytes():
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


class Hedge:
    @staticmethod
    def load():
        from hedge.net import mqtt, tcp  # noqa: F401

    def __init__(self, args):
        from hedge.net.mqtt import Client
        from hedge.net.tcp import Tcp

        version = 5 if args["client"] == "hedge-5" else 4
        tcp = Tcp("127.0.0.1", args["port"])
        self._client = Client(tcp.open, "bench", clean_session=True, version=version)

    async def connect(self):
        await self._client.connect()

    async def publish(self, count):
        for _ in range(count):
            await self._client.publish(_TOPIC, _PAYLOAD, 1)

    async def pipelined(self, count):
        for _ in range(count):
            await self._client.publish(_TOPIC, _PAYLOAD, 1, wait=False)
        while self._client.inflight:
            await self._client.wait_change()

    async def close(self):
        await self._client.disconnect()


class Hedge5(Hedge):
    @staticmethod
    def load():
        from hedge.net import mqtt, mqtt5, tcp  # noqa: F401


class Umqtt:
    @staticmethod
    def load():
        from umqtt import simple  # noqa: F401

    def __init__(self, args):
        from umqtt.simple import MQTTClient

        self._client = MQTTClient("bench", "127.0.0.1", args["port"], keepalive=60)

    async def connect(self):
        self._client.connect()

    async def publish(self, count):
        for _ in range(count):
            self._client.publish(_TOPIC, _PAYLOAD, False, 1)

    async def close(self):
        self._client.disconnect()


class MqttAsync:
    @staticmethod
    def load():
        sys.modules["uasyncio"] = asyncio  # its name in MicroPython 1.12 to 1.20
        import mqtt_async  # noqa: F401

    def __init__(self, args):
        import mqtt_async

        config = mqtt_async.MQTTConfig()
        config.server, config.port, config.client_id = "127.0.0.1", args["port"], "bench"
        self._client = mqtt_async.MQTTClient(config)
        # It takes apart what getaddrinfo returns, which is opaque on the Unix port.
        self._client._dns_lookup = lambda: None
        self._client._addr = ("127.0.0.1", args["port"])

    async def connect(self):
        await self._client.connect()

    async def publish(self, count):
        for _ in range(count):
            await self._client.publish(_TOPIC, _PAYLOAD, qos=1)

    async def close(self):
        await self._client.disconnect()


_CLIENTS = {"hedge": Hedge, "hedge-5": Hedge5, "umqtt": Umqtt, "mqtt_async": MqttAsync}


async def _rate(work, count, pieces):
    """Messages a second, the median of so many pieces.

    A busy computer stops a process for some milliseconds at a time: pieces must be shorter.
    """
    times_us = []
    for _ in range(pieces):
        start_us = time.ticks_us()
        await work(count // pieces)
        times_us.append(time.ticks_diff(time.ticks_us(), start_us))
    times_us.sort()
    return count // pieces * 1000000 / times_us[pieces // 2]


async def main(args):
    start_bytes = _used_bytes()
    maker = _CLIENTS[args["client"]]
    maker.load()
    code_bytes = _used_bytes() - start_bytes
    client = maker(args)
    await client.connect()
    await client.publish(_WARM)
    told = {"code_bytes": code_bytes, "client_bytes": _used_bytes() - start_bytes - code_bytes}
    told["each_bytes"] = await _allocated(client)
    told["per_s"] = await _rate(client.publish, args["count"], min(args["count"] // 2, 50))
    if args["client"].startswith("hedge"):
        told["pipelined_per_s"] = await _rate(client.pipelined, args["count"], 10)
    await client.close()
    print(json.dumps(told))


async def _allocated(client, count=20):
    """Bytes of heap for one message: what it leaves behind is garbage, and counted here."""
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    await client.publish(count)
    each_bytes = (gc.mem_alloc() - before) // count
    gc.enable()
    return each_bytes


asyncio.run(main(json.loads(os.getenv("SCENARIO"))))
