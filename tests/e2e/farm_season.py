"""A season of three soil nodes as the frames they would send: input for the page and its tests.

Not a simulation of the firmware (tests of `hedgerow sim` and the demo do that): a plain, seeded
history with everything the page must show. One node lives through a link outage and sends its
records later; one is off for a while, drops records and loses a sensor; one dies.

    python tests/e2e/farm_season.py HOST PORT [DAYS]     publish it to a broker
"""

import math
import random
import sys
import threading
from dataclasses import dataclass, field

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from hedge.wire import cbor, frame, senml

HOUR_S, DAY_S = 3600, 86400
START_S = 1_774_000_000 // DAY_S * DAY_S  # a spring morning
DRY_PCT = 14.0


@dataclass
class Node:
    """What a node has written, in order of time: (stream, time_s, payload)."""

    device: str
    name: str
    lat: float
    lon: float
    outage: tuple[float, float] | None = None
    dropped: range = range(0)  # telemetry thrown away by a full store, by sequence number
    records: list[tuple[int, float, bytes]] = field(default_factory=list)

    def write(self, stream, time_s, *entries):
        self.records.append((stream, time_s, senml.encode(int(time_s), list(entries))))

    def info(self):
        return cbor.encode(
            {
                "name": self.name,
                "board": "UNIX",
                "firmware": "0.1.0",
                "sample_s": HOUR_S,
                "lat": self.lat,
                "lon": self.lon,
                "channels": {"soil.vwc": "%", "air.temp": "Cel", "battery.voltage": "V"},
                "thresholds": {"dry_pct": DRY_PCT, "battery_low_v": 3.3},
            }
        )


def season(days, seed=7):
    """Three nodes and what they wrote in `days` days (at least 10)."""
    weather = _weather(days, random.Random(seed))
    south = Node("bed-south", "South bed", 45.8803, -72.4809, (days - 6.5, days - 5.0))
    north = Node("bed-north", "North bed", 45.8811, -72.4802)
    north.dropped = range(days * 30, days * 30 + 40)
    hedge = Node("hedge-row", "Hedge row", 45.8806, -72.4793)
    _live(south, weather, random.Random(seed + 1), first_vwc=24.0)
    _live(north, weather, random.Random(seed + 2), first_vwc=21.0, broken=(days - 5.5, days - 4.0))
    _live(hedge, weather, random.Random(seed + 3), first_vwc=27.0, last_day=days - 2.6)
    return south, north, hedge


def _weather(days, dice):
    """(rain mm, mean deg C) of each day."""
    return [
        (dice.choice([0, 0, 0, 0, 0, 2, 6, 14]), 9 + day * 0.09 + dice.gauss(0, 2.5))
        for day in range(days)
    ]


def _live(node, weather, dice, first_vwc, broken=None, last_day=None):
    vwc, volts, raw, sent, wetting = first_vwc, 4.12, 0, 0, 0.0
    node.write(0, START_S, ("boot", None, 1), ("reason", None, "power on"))
    for hour in range(int((last_day or len(weather)) * 24)):
        time_s, day = START_S + hour * HOUR_S, hour / 24
        rain, mean_c = weather[hour // 24]
        sun = max(0.0, math.sin((hour % 24 - 6) / 12 * math.pi))
        air_c = mean_c + 6 * (sun - 0.35) + dice.gauss(0, 0.4)
        wetting = wetting * 0.7 + (rain / 12 if hour % 24 < 6 else 0)
        vwc += wetting * 0.06 - 0.075 * sun * (0.4 + vwc / 40) - max(0.0, vwc - 26) * 0.02
        volts -= 0.0009 * 40 / len(weather) if node.device == "bed-north" else 0.00009
        raw += 15 * 21  # bytes: a sample every 4 minutes
        _sample(node, time_s, hour, (vwc + dice.gauss(0, 0.05), air_c, volts + 0.02 * sun), broken)
        if hour % 24 == 5:
            wetting += _decide(node, time_s, vwc, rain)
            sent += 860
            node.write(2, time_s, ("diag.raw_bytes", "B", raw), ("diag.sent_bytes", "B", sent))
        _events(node, time_s, day, broken)


def _sample(node, time_s, hour, values, broken):
    vwc, air_c, volts = values
    if not (broken and broken[0] <= hour / 24 < broken[1]):
        node.write(1, time_s, ("soil.vwc", "%", round(vwc, 2)))
    if hour % 2 == 0:
        humidity = min(99.0, max(30.0, 88 - 1.6 * air_c))
        node.write(
            1,
            time_s,
            ("air.temp", "Cel", round(air_c, 2)),
            ("air.humidity", "%RH", round(humidity, 1)),
        )
    if hour % 6 == 0:
        node.write(1, time_s, ("battery.voltage", "V", round(volts, 3)))


def _decide(node, time_s, vwc, rain):
    """The morning's model run and decision; returns how much water goes to the soil."""
    scores = [1 / (1 + math.exp(1.4 * (vwc - DRY_PCT - slack))) for slack in (0.3, 0.9, 1.5)]
    names = ("model.dry_1d", "model.dry_2d", "model.dry_3d")
    entries = zip(names, scores, strict=True)
    node.write(1, time_s, *((name, "/", round(score, 3)) for name, score in entries))
    if scores[1] < 0.5 or rain > 5:
        return 0.0
    cause = f"water: dry_2d {scores[1]:.2f}>=0.50, soil.vwc {vwc:.1f}<16"
    node.write(0, time_s + 5, ("pump", None, True), ("rule", None, cause))
    node.write(0, time_s + 905, ("pump", None, False), ("rule", None, "water: on-time 900 s over"))
    return 14.0


def _events(node, time_s, day, broken):
    if node.outage and _is_hour_of(day, node.outage[0]):
        node.write(0, time_s, ("link", None, False), ("reason", None, "no answer from the broker"))
    if node.outage and _is_hour_of(day, node.outage[1]):
        node.write(0, time_s, ("link", None, True), ("reason", None, "connected"))
    if broken and _is_hour_of(day, broken[0]):
        node.write(0, time_s, ("health.soil", None, False), ("reason", None, "open circuit"))
    if broken and _is_hour_of(day, broken[1]):
        node.write(0, time_s, ("health.soil", None, True), ("reason", None, "answers again"))


def _is_hour_of(day, wanted):
    return int(day * 24) == int(wanted * 24)


def frames(node):
    """(time_s, frame) of a node in the order it sends them: live, and backlog after an outage."""
    seqs, waiting, out = {}, {}, []
    for stream, time_s, payload in node.records:
        seqs[stream] = seqs.get(stream, 0) + 1
        group = waiting.setdefault(stream, [])
        group.append((seqs[stream], time_s, payload))
        if _is_down(node, time_s):
            continue
        room = frame.MAX_FRAME_BYTES - 40 - sum(len(p) + 1 for _, _, p in group)
        if room < 60 or stream == 0:
            out += _flush(node, stream, group)
            waiting[stream] = []
    for stream, group in waiting.items():
        out += _flush(node, stream, group)
    return out


def _is_down(node, time_s):
    day = (time_s - START_S) / DAY_S
    return bool(node.outage) and node.outage[0] <= day < node.outage[1]


def _flush(node, stream, group):
    out = []
    while group:
        part, size = [], 0
        while group and size + len(group[0][2]) < frame.MAX_FRAME_BYTES - 45:
            part.append(group.pop(0))
            size += len(part[-1][2]) + 1
        backlog = _is_down(node, part[0][1])
        payloads = [payload for _, _, payload in part]
        first = part[0][0]
        if stream == 1 and any(seq in node.dropped for seq, _, _ in part):
            continue
        oldest = node.dropped.stop if stream == 1 and first >= node.dropped.stop > 0 else 1
        data = frame.pack(node.device, 1, stream, first, oldest, payloads, backlog=backlog)
        out.append((part[-1][1], data))
    return out


class Publisher:
    """A broker session that publishes with QoS 1 and can wait for all PUBACKs."""

    def __init__(self, host, port):
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.max_inflight_messages_set(200)
        connected = threading.Event()
        self._client.on_connect = lambda *_: connected.set()
        self._client.connect(host, port)
        self._client.loop_start()
        assert connected.wait(90), "the broker does not answer"
        self._last = None

    def publish(self, topic, data, *, retain=False):
        self._last = self._client.publish(topic, data, qos=1, retain=retain)

    def wait(self):
        if self._last is not None:
            self._last.wait_for_publish(60)

    def close(self):
        self.wait()
        self._client.disconnect()
        self._client.loop_stop()


def publish(host, port, nodes):
    """Send infos, all frames and the last status of every node. Returns the number of records."""
    publisher = Publisher(host, port)
    for node in nodes:
        publisher.publish(f"hedge/{node.device}/info", node.info(), retain=True)
        for _, data in frames(node):
            publisher.publish(f"hedge/{node.device}/up", data)
        status = b"offline" if node.device == "hedge-row" else b"online"
        publisher.publish(f"hedge/{node.device}/status", status, retain=True)
    publisher.close()
    return sum(len(node.records) for node in nodes)


if __name__ == "__main__":
    host, port, days = sys.argv[1], int(sys.argv[2]), int([*sys.argv, "90"][3])
    print(publish(host, port, season(days)), "records published")
