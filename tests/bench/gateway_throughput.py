"""How many records a second the gateway takes, each acked after its commit was synced to the disk.

    python tests/bench/gateway_throughput.py [FRAMES]      prints one line per way in

ingest: frames handed to Ingest.commit in groups of 200, no broker. mosquitto, python: frames
published by one client over loopback until the ack of the last one is back.
"""

import asyncio
import sys
import tempfile
import threading
import time
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from hedge.wire import ack, frame, senml
from hedgerow.gateway import Gateway, GatewayConfig
from hedgerow.gateway.database import open_database
from hedgerow.gateway.ingest import Ingest
from hedgerow.gateway.messages import Inbound

RECORDS_PER_FRAME = 6


def make_frames(count):
    """Frames of about 150 bytes, six records each, as a node fills them."""
    frames = []
    for n in range(count):
        seq = 1 + n * RECORDS_PER_FRAME
        values = range(seq, seq + RECORDS_PER_FRAME)
        packs = [senml.encode(1_790_000_000 + v, [("soil.vwc", "%", v / 7)]) for v in values]
        frames.append(frame.pack("bed-1", 1, 1, seq, 1, packs))
    return frames


def bench_ingest(folder, frames):
    """Records per second of Ingest alone."""
    ingest = Ingest(open_database(folder / "ingest.db"))
    inbound = [Inbound("hedge/bed-1/up", data, time.time()) for data in frames]
    begin_s = time.perf_counter()
    for start in range(0, len(inbound), 200):
        ingest.commit(inbound[start : start + 200])
    return len(frames) * RECORDS_PER_FRAME / (time.perf_counter() - begin_s)


async def bench_broker(folder, broker, frames):
    """Records per second from publish to ack."""
    settings = GatewayConfig(db=folder / f"{broker}.db", http_port=0, mqtt_port=0, broker=broker)
    async with Gateway(settings) as gateway:
        where = (gateway.mqtt_host, gateway.mqtt_port)
        return await asyncio.to_thread(publish_until_acked, *where, frames)


def publish_until_acked(host, port, frames):
    last = len(frames) * RECORDS_PER_FRAME
    subscribed, done = threading.Event(), threading.Event()

    def on_message(_client, _userdata, message):
        if message.topic.endswith("/ack"):
            marks = ack.unpack(message.payload)[2]
            if any(upto >= last for _, _, upto in marks):
                done.set()

    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="bed-1")
    client.max_inflight_messages_set(100)
    client.on_connect = lambda client, *_: client.subscribe("hedge/bed-1/ack", 1)
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = on_message
    client.connect(host, port)
    client.loop_start()
    assert subscribed.wait(10)
    begin_s = time.perf_counter()
    for data in frames:
        client.publish("hedge/bed-1/up", data, qos=1)
    assert done.wait(120), "not all acked"
    seconds = time.perf_counter() - begin_s
    client.disconnect()
    client.loop_stop()
    return last / seconds


def measure(count=2000):
    """[{name, value, unit, how}] of the three ways in; value is None where a broker is missing."""
    frames = make_frames(count)
    with tempfile.TemporaryDirectory(prefix="hedgerow-bench-") as name:
        folder = Path(name)
        found = {"ingest": bench_ingest(folder, frames)}
        for broker in ("mosquitto", "python"):
            found[broker] = asyncio.run(bench_broker(folder, broker, frames))
    how = f"{count} frames of {RECORDS_PER_FRAME} records, synchronous=FULL, one device"
    return [
        {"name": f"gateway.{way}", "value": round(rate), "unit": "records/s", "how": how}
        for way, rate in found.items()
    ]


if __name__ == "__main__":
    for row in measure(int([*sys.argv, "2000"][1])):
        print(f"{row['name']}: {row['value']} {row['unit']} ({row['how']})")
