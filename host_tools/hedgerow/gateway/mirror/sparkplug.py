"""Sparkplug B: the gateway as an edge node, each of our nodes as a device of it.

    spBv1.0/<group>/NBIRTH/<edge>            first of a session: bdSeq, Node Control/Rebirth
    spBv1.0/<group>/DBIRTH/<edge>/<node>     all metrics of a node; again when there are new ones
    spBv1.0/<group>/DDATA/<edge>/<node>      those that changed
    spBv1.0/<group>/DDEATH/<edge>/<node>     it is offline, or gone
    spBv1.0/<group>/NDATA/<edge>             how many nodes are online
    spBv1.0/<group>/NDEATH/<edge>            the will of the session, with its bdSeq

Source: Eclipse Sparkplug 3.0.0, chapters 4 to 6. A host that missed something asks for a rebirth.
"""

import re
import time
from collections.abc import Callable, Sequence

from hedgerow.errors import UsageError
from hedgerow.gateway.mirror import sparkplug_payload as payload
from hedgerow.gateway.mirror.convention import Message
from hedgerow.gateway.mirror.snapshot import Device, Value

_NAMESPACE = "spBv1.0"
_REBIRTH = "Node Control/Rebirth"
_ONLINE = "Nodes/Online"
_NO_ID = re.compile(r"[+#/\x00]|^$")
DEFAULT_EDGE = "hedgerow"


def parse_place(text: str) -> tuple[str, str]:
    """(group, edge node) of GROUP or GROUP/EDGE. Raises UsageError."""
    group, slash, edge = text.partition("/")
    edge = edge if slash else DEFAULT_EDGE
    if _NO_ID.search(group) or _NO_ID.search(edge):
        raise UsageError(
            f"--sparkplug {text}: expected GROUP or GROUP/EDGE, without +, # and other slashes"
        )
    return group, edge


class EdgeNode:
    """A session's order is kept by seq, 0 to 255 and around; a connection's by bdSeq."""

    name = "sparkplug"

    def __init__(self, group: str, edge: str, now_s: Callable[[], float] = time.time):
        self._group = group
        self._edge = edge
        self._now_s = now_s
        self._bd_seq = -1
        self._seq = 0
        self._devices: tuple[Device, ...] = ()
        self._told: dict[str, dict[str, Value]] = {}  # of each device that is born
        self._left_s: dict[str, float] | None = None  # of the absent, time of their latest value
        self._told_online: int | None = None
        self.topics: tuple[tuple[str, int], ...] = (
            (self._topic("NCMD"), 1),
            (self._topic("DCMD") + "/#", 1),
        )

    def _topic(self, kind: str, device: str = "") -> str:
        topic = f"{_NAMESPACE}/{self._group}/{kind}/{self._edge}"
        return f"{topic}/{device}" if device else topic

    def _message(self, kind: str, metrics: Sequence[payload.Metric], device: str = "") -> Message:
        self._seq = (self._seq + 1) % 256
        body = payload.encode(self._now_ms(), metrics, self._seq)
        return Message(self._topic(kind, device), body, qos=0)

    def _now_ms(self) -> int:
        return int(self._now_s() * 1000)

    # What the session calls

    def will(self) -> Message:
        """NDEATH of the next connection; its NBIRTH has the same bdSeq."""
        self._bd_seq = (self._bd_seq + 1) % 256
        return self._death()

    def farewell(self) -> list[Message]:
        return [self._death()]

    def _death(self) -> Message:
        body = payload.encode(self._now_ms(), [self._bd_metric()], None)
        return Message(self._topic("NDEATH"), body, qos=1)

    def born(self) -> list[Message]:
        """NBIRTH with seq 0; update() brings the devices' births."""
        self._told = {}
        self._told_online = self._count()
        self._seq = 255
        rebirth = payload.Metric(_REBIRTH, payload.BOOLEAN, False, self._now_ms())
        metrics = [self._bd_metric(), rebirth, self._online_metric()]
        return [self._message("NBIRTH", metrics)]

    def received(self, topic: str, data: bytes) -> list[Message]:
        """A rebirth if that is asked for; nothing else can be commanded."""
        try:
            asked = payload.true_metrics(data)
        except ValueError:
            return []
        if topic != self._topic("NCMD") or _REBIRTH not in asked:
            return []
        return self.born() + self.update(self._devices)

    def update(self, devices: Sequence[Device]) -> list[Message]:
        self._devices = tuple(devices)
        online = {device.id: device for device in devices if device.online}
        out = self._visits([device for device in devices if not device.online])
        gone = [id_ for id_ in self._told if id_ not in online]
        out += [self._device_death(id_) for id_ in gone]
        for device in online.values():
            out += self._of_device(device)
        if self._told_online != self._count():
            self._told_online = self._count()
            out.append(self._message("NDATA", [self._online_metric()]))
        return out

    # Devices

    def _visits(self, absent: Sequence[Device]) -> list[Message]:
        """What they brought that came, told and left between two looks; the deaths follow.

        A node that sleeps is there for less than that. Of those that were away from the first
        look on nothing is known but what is old.
        """
        times_s = {device.id: _latest_s(device) for device in absent}
        if self._left_s is None:
            self._left_s = times_s
        out = []
        for device in absent:
            if times_s[device.id] > self._left_s.get(device.id, 0.0):
                out += self._of_device(device)
        self._left_s |= times_s
        return out

    def _device_death(self, id_: str) -> Message:
        del self._told[id_]
        return self._message("DDEATH", [], id_)

    def _of_device(self, device: Device) -> list[Message]:
        values = {value.name: value for value in device.values}
        told = self._told.get(device.id)
        self._told[device.id] = values
        if told is None or any(not _same_kind(told.get(name), v) for name, v in values.items()):
            metrics = [_metric(value, in_birth=True) for value in device.values]
            return [self._message("DBIRTH", metrics, device.id)]
        changed = [v for v in device.values if told[v.name] != v]
        metrics = [_metric(value, in_birth=False) for value in changed]
        return [self._message("DDATA", metrics, device.id)] if metrics else []

    # Metrics of the edge node

    def _count(self) -> int:
        return sum(device.online for device in self._devices)

    def _bd_metric(self) -> payload.Metric:
        return payload.Metric("bdSeq", payload.INT64, self._bd_seq, self._now_ms())

    def _online_metric(self) -> payload.Metric:
        return payload.Metric(_ONLINE, payload.INT64, self._count(), self._now_ms())


def _latest_s(device: Device) -> float:
    return max((value.time_s for value in device.values), default=0.0)


def _same_kind(told: Value | None, value: Value) -> bool:
    return told is not None and (told.kind, told.unit) == (value.kind, value.unit)


def _metric(value: Value, *, in_birth: bool) -> payload.Metric:
    datatype = {"number": payload.DOUBLE, "text": payload.STRING}.get(value.kind, payload.BOOLEAN)
    unit = value.unit if in_birth else ""
    return payload.Metric(value.name, datatype, value.value, int(value.time_s * 1000), unit)
