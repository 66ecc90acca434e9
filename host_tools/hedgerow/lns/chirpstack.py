"""For those who outgrow one site: ChirpStack v4 does LoRaWAN, we keep the records' part.

ChirpStack's MQTT integration publishes each uplink as JSON on
`application/<id>/device/<dev_eui>/event/up`; an answer goes to `.../command/down`, to be sent in
the device's next receive window. Source: ChirpStack v4 documentation, Integrations, MQTT; field
names as in its integration.proto in JSON (protobuf's camel case).

    hedgerow lns --chirpstack mqtt://chirpstack.local --broker mqtt://gateway.local
"""

import asyncio
import base64
import json
import logging
from typing import Any

from hedge.net.lorawan import payload
from hedge.wire.frame import is_device_name
from hedgerow.gateway.mqtt import BrokerAddress
from hedgerow.lns.broker import BrokerSession
from hedgerow.lns.records import Records

_log = logging.getLogger("hedgerow.lns.chirpstack")

_UP = "application/+/device/+/event/up"


class Event:
    """An uplink event. Raises ValueError saying what is wrong."""

    def __init__(self, topic: str, data: bytes):
        parts = topic.split("/")
        if len(parts) != 6:
            raise ValueError(f"topic {topic!r}")
        self.application, self.dev_eui = parts[1], parts[3].lower()
        try:
            table = json.loads(data)
        except RecursionError as error:
            raise ValueError("JSON nests too deep") from error
        if not isinstance(table, dict):
            raise ValueError("no JSON object")
        self.name = _text(table.get("deviceInfo"), "deviceName")
        self.port = table.get("fPort", 0)
        self.id = _text(table, "deduplicationId")
        self.data = base64.b64decode(_text(table, "data") or "", validate=True)

    def command(self, port: int, data: bytes) -> tuple[str, str]:
        """(topic, JSON) of the downlink that answers it."""
        body = {
            "devEui": self.dev_eui,
            "confirmed": False,
            "fPort": port,
            "data": base64.b64encode(data).decode(),
        }
        topic = f"application/{self.application}/device/{self.dev_eui}/command/down"
        return topic, json.dumps(body)


def _text(table: Any, key: str) -> str:
    value = table.get(key, "") if isinstance(table, dict) else ""
    return value if isinstance(value, str) else ""


class ChirpStack:
    """names: DevEUI in hex -> node; a device that is not in it goes by its name in ChirpStack.

    ignored: events of other ports or devices, or malformed.
    """

    def __init__(self, address: BrokerAddress, records: Records, names: dict[str, str]):
        self._records = records
        self._names = names
        self._last: dict[str, str] = {}
        self._nameless: set[str] = set()  # told of
        self._tasks: set[asyncio.Task[None]] = set()
        self.ignored = 0
        self.answered = 0
        self.session = BrokerSession(address, "hedgerow-chirpstack", [_UP], self._event)

    def start(self) -> None:
        self.session.start()

    def close(self) -> None:
        self.session.close()

    def _event(self, topic: str, data: bytes) -> None:
        try:
            event = Event(topic, data)
        except ValueError as error:
            self.ignored += 1
            _log.warning("event ignored: %s", error)
            return
        name = self._names.get(event.dev_eui, event.name)
        if not self._records.wants(name, event.port):
            self.ignored += 1
            return
        if not is_device_name(name):
            self._tell_nameless(event)
            return
        if name in self._records.cayenne and self._is_repeat(name, event.id):
            return
        task = asyncio.create_task(self._take(event, name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell_nameless(self, event: Event) -> None:
        self.ignored += 1
        if event.dev_eui not in self._nameless:
            self._nameless.add(event.dev_eui)
            said = (
                "messages of %s ignored: its name in ChirpStack, %r, is no node's (1 to 24 of "
                "a-z 0-9 -); give it one there, or list it in --devices"
            )
            _log.warning(said, event.dev_eui, event.name)

    def _is_repeat(self, name: str, id_: str) -> bool:
        """MQTT may deliver twice; records that we number would be stored twice."""
        repeated = bool(id_) and self._last.get(name) == id_
        self._last[name] = id_
        return repeated

    async def _take(self, event: Event, name: str) -> None:
        answer = await self._records.take(name, event.port, event.data)
        if answer:
            self.session.publish(*event.command(payload.PORT_RECORDS, answer))
            self.answered += 1
