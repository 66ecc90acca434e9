"""A node at work on a board without a network: log, uplink and MQTT client are the real ones, the
other end is a few lines here. Prints {"late": ms, "records": n, "frames": n}.

run(device): device is the block device of the log.
"""

import asyncio
import gc
import json
import time

from hedge.core import log
from hedge.net import mqtt_codec as codec
from hedge.net.mqtt_link import MqttLink
from hedge.net.uplink import Uplink
from hedge.store import Store
from hedge.store.region import Region
from hedge.wire import ack

_NAME = "bed-3"
_ACK_TOPIC = "hedge/bed-3/ack"
_KEY = b"k" * 16
_BACKLOG, _LIVE, _EVERY_MS = 60, 20, 100
_PROBE_MS = 5
_TRIP_MS = 10


class Broker:
    """The stream of an MQTT client, and what answers. marks: what the frames sent hold."""

    bytes_sent = 0
    heard = True

    def __init__(self):
        self.marks = []
        self._waiting = []
        self._last = None  # task
        self._arrived = asyncio.Event()

    async def open(self):
        return self

    async def write(self, data, limit_ms):
        kind, is_acked = data[0] >> 4, data[0] & 6
        if kind == codec.CONNECT:
            self._say(b"\x20\x02\x00\x00")
        elif kind == codec.SUBSCRIBE:
            self._say(b"\x90\x03" + bytes(data[2:4]) + b"\x01")
        elif kind == codec.PUBLISH and is_acked:
            at = 2 if data[1] < 128 else 3
            end = at + 2 + data[at + 1]
            self._say(b"\x40\x02" + bytes(data[end : end + 2]))
            self._last = asyncio.create_task(self._acknowledge(self.marks.pop(0)))

    async def _acknowledge(self, mark):
        await asyncio.sleep_ms(_TRIP_MS)
        payload = ack.pack(7, 0, [mark], _NAME, _KEY)
        self._say(codec.publish(_ACK_TOPIC, payload, 0, False, 0))

    def _say(self, data):
        self._waiting.append(data)
        self._arrived.set()

    async def readinto(self, buf):
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        data = self._waiting.pop(0)
        buf[: len(data)] = data
        return len(data)

    def close(self):
        """Nothing to close."""


class Noted(Uplink):
    """Tells the broker what to acknowledge, so that it need not read frames."""

    broker = None

    def _note(self, batch):
        Uplink._note(self, batch)
        self.broker.marks.append((batch.boot, batch.stream, batch.seq + len(batch.records) - 1))


class Late:
    def __init__(self):
        self.worst_us = 0

    async def run(self):
        while True:
            start_us = time.ticks_us()
            await asyncio.sleep_ms(_PROBE_MS)
            late_us = time.ticks_diff(time.ticks_us(), start_us) - _PROBE_MS * 1000
            self.worst_us = max(self.worst_us, late_us)


async def _work(device):
    store = Store(Region(device))
    store.open()
    for i in range(_BACKLOG):
        store.append(i % 2, bytes([i]) * 24)
    broker, late = Broker(), Late()
    link = MqttLink("broker", 1883, _NAME, open_stream=broker.open)
    uplink = Noted(link, store, _NAME, key=_KEY)
    uplink.broker = broker
    gc.collect()
    tasks = [asyncio.create_task(late.run()), asyncio.create_task(uplink.run())]
    for i in range(_LIVE):
        await asyncio.sleep_ms(_EVERY_MS)
        store.append(i % 2, bytes([i]) * 24)
        uplink.wake()
    while store.pending():
        await asyncio.sleep_ms(_EVERY_MS)
    for task in tasks:
        task.cancel()
    said = {"late": late.worst_us / 1000, "records": uplink.acked, "frames": uplink.frames_sent}
    print(json.dumps(said))


def run(device):
    log.level = log.WARN
    asyncio.run(_work(device))
