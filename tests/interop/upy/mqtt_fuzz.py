"""A client that is fed mutated packets, session after session, and must neither die nor grow.

    SEEDS=HEX micropython mqtt_fuzz.py VERSION PACKETS    HEX: (length of 2 bytes, packet)...

Every session connects well, publishes at each QoS, subscribes, gets some mutated packets and the
end of the stream. What the client raises is LinkError or OSError, or the program ends. The last
line is JSON.
"""

import asyncio
import binascii
import gc
import json
import os
import random
import sys
import time

from script_mqtt import CONNACK, CONNACK5, CONNACK5_PRESENT, CONNACK_PRESENT, ScriptBroker

from hedge.core import log
from hedge.core.errors import LinkError
from hedge.net.mqtt import Client

_WARM = 200  # sessions after which the heap must have found its size
_LIMIT_MS = 5000  # a session that takes longer hangs


def _seeds(text):
    data, found = binascii.unhexlify(text), []
    while data:
        size = data[0] << 8 | data[1]
        found.append(data[2 : 2 + size])
        data = data[2 + size :]
    return found


def _mutated(seeds):
    data = bytearray(random.choice(seeds))
    for _ in range(random.randrange(4)):
        at = random.randrange(len(data) + 1)
        kind = random.randrange(4)
        if kind == 0 and at < len(data):
            data[at] = random.choice((0, 0x7F, 0x80, 0xFF, random.randrange(256)))
        elif kind == 1 and len(data) > 9:
            data[at:] = data[at + random.randint(1, 8) :]
        elif kind == 2:
            data[at:] = data[at : at + 4] + data[at:]
        else:
            data[at:] = bytes((random.randrange(256),)) + data[at:]
    return bytes(data)


class Fuzz:
    def __init__(self, version, seeds):
        self.told = {"packets": 0, "sessions": 0, "ended": 0, "messages": 0}
        self._seeds = seeds
        self._connacks = (
            (CONNACK, CONNACK_PRESENT) if version == 4 else (CONNACK5, CONNACK5_PRESENT)
        )
        self._broker = ScriptBroker(self._connacks[0])
        more = {"topic_alias_max": 2} if version == 5 else {}
        self._client = Client(
            self._broker.open_stream,
            "fuzz",
            version=version,
            keepalive_s=0,
            timeout_ms=2000,
            max_inflight=6,
            max_packet_bytes=128,
            on_message=self._count,
            **more,
        )

    def _count(self, *message):
        self.told["messages"] += 1

    async def session(self):
        broker, client = self._broker, self._client
        del broker.heard[:], broker.streams[:]
        broker.answers[1] = self._connacks[random.randrange(2) and self.told["sessions"] > 0]
        await asyncio.wait_for_ms(client.connect(), _LIMIT_MS)
        self.told["sessions"] += 1
        work = asyncio.create_task(self._work())
        for _ in range(random.randint(1, 6)):
            broker.say(_mutated(self._seeds))
            self.told["packets"] += 1
            if random.randrange(2):
                await asyncio.sleep_ms(0)
        for _ in range(4):
            await asyncio.sleep_ms(0)
        self.told["ended"] += not client.connected
        broker.hang_up()
        await asyncio.wait_for_ms(work, _LIMIT_MS)
        client.close()

    async def _work(self):
        """What a node does meanwhile; a session that ends under it is no fault."""
        client = self._client
        try:
            for qos in range(3):
                if client.inflight < 5:
                    await client.publish("t", b"x", qos, wait=False)
            await client.subscribe("t")
        except (LinkError, OSError):
            pass  # counted as "ended" by the caller


async def main(version, count, seeds):
    log.level = log.WARN + 1
    random.seed(version)
    fuzz = Fuzz(version, seeds)
    start_bytes = 0
    start_ms = time.ticks_ms()
    while fuzz.told["packets"] < count:
        try:
            await fuzz.session()
        except (LinkError, OSError):
            fuzz._client.close()  # a lie about the session, or a resend that was cut
        if fuzz.told["sessions"] == _WARM:
            gc.collect()
            start_bytes = gc.mem_alloc()
    gc.collect()
    told = fuzz.told
    told["growth_bytes"] = gc.mem_alloc() - start_bytes
    told["ms"] = time.ticks_diff(time.ticks_ms(), start_ms)
    print(json.dumps(told))


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), _seeds(os.getenv("SEEDS"))))
