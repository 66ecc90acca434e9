"""Home Assistant's MQTT discovery: one retained message describes a node with all its entities.

    homeassistant/device/hedgerow_<node>/config    device, origin, components; retained
    hedgerow/<node>/<component>                    last value, retained
    hedgerow/<node>/availability                   online, offline; retained
    hedgerow/<gateway>/status                      the same of this gateway; offline is its will

Source: Home Assistant's documentation of the MQTT integration, "Device discovery payload" and
"Using availability topics"; names of fields in full, which it takes as well as abbreviations.
"""

import binascii
import json
import re
from collections.abc import Sequence
from typing import Any

from hedgerow import __version__
from hedgerow.gateway.mirror.convention import Message
from hedgerow.gateway.mirror.ha_classes import describe
from hedgerow.gateway.mirror.snapshot import Device, Value

_PREFIX = "homeassistant/device"
_MAX_STATE = 255  # characters; Home Assistant takes no longer state
_DIAGNOSTIC = re.compile(r"boot|config|firmware|link|reason|(diag|health)\..*")


class HomeAssistant:
    """gateway: names this gateway's status topic; discovery messages that name it are its own."""

    name = "home-assistant"

    def __init__(self, gateway: str):
        self._status = f"hedgerow/{gateway}/status"
        self.topics: tuple[tuple[str, int], ...] = ((f"{_PREFIX}/+/config", 1),)
        self._sent: dict[str, bytes] = {}  # by topic, as the broker retains it
        self._devices: dict[str, dict[str, str]] = {}  # node -> component -> platform

    def will(self) -> Message:
        return Message(self._status, b"offline", retain=True)

    def born(self) -> list[Message]:
        # A broker that lost its retained messages gets all of them again.
        self._sent = dict.fromkeys(self._sent, b"?")
        return [Message(self._status, b"online", retain=True)]

    def farewell(self) -> list[Message]:
        return [self.will()]

    def received(self, topic: str, payload: bytes) -> list[Message]:
        """Discovery that is retained: of ours, remembered, so that what is gone is removed."""
        try:
            config = json.loads(payload)
            if config["availability"][0]["topic"] != self._status:
                return []
            parts = config["components"].values()
            topics = [str(part["state_topic"]) for part in parts if "state_topic" in part]
            topics.append(str(config["availability"][1]["topic"]))
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
            return []  # removed, or not ours
        for known in (topic, *filter(_is_ours, topics)):
            self._sent.setdefault(known, b"?")
        return []

    def update(self, devices: Sequence[Device]) -> list[Message]:
        wanted: dict[str, bytes] = {}
        out: list[Message] = []
        for device in devices:
            parts = components(device)
            out += self._drop_parts(device, parts)
            wanted[_config_topic(device)] = _json(self._config(device, parts))
            wanted[_availability(device)] = b"online" if device.online else b"offline"
            for key, value in _keyed(device):
                wanted[_state_topic(device, key)] = _state(value)
        out += [Message(topic, b"", retain=True) for topic in self._sent if topic not in wanted]
        for topic, payload in wanted.items():
            if self._sent.get(topic) != payload:
                out.append(Message(topic, payload, retain=True))
        self._sent = wanted
        return out

    def _drop_parts(self, device: Device, parts: dict[str, dict[str, Any]]) -> list[Message]:
        """A component that left must be named once with its platform alone."""
        platforms = {key: part["platform"] for key, part in parts.items()}
        before = self._devices.get(device.id, {})
        self._devices[device.id] = platforms
        left = {k: {"platform": p} for k, p in before.items() if platforms.get(k) != p}
        if not left:
            return []
        config = self._config(device, {**parts, **left})
        return [Message(_config_topic(device), _json(config), retain=True)]

    def _config(self, device: Device, parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
        about = {
            "identifiers": [f"hedgerow_{device.id}"],
            "name": device.name,
            "manufacturer": "Hedgerow",
            "model": device.board,
            "sw_version": device.firmware,
        }
        return {
            "device": {key: text for key, text in about.items() if text},
            "origin": {"name": "Hedgerow", "sw_version": __version__},
            "availability": [{"topic": self._status}, {"topic": _availability(device)}],
            "availability_mode": "all",
            "qos": 1,
            "components": parts,
        }


def components(device: Device) -> dict[str, dict[str, Any]]:
    """Of a node's discovery message: component id -> its settings."""
    return {key: _component(device, key, value) for key, value in _keyed(device)}


def _component(device: Device, key: str, value: Value) -> dict[str, Any]:
    part: dict[str, Any] = {
        "platform": "sensor" if value.kind in ("number", "text") else "binary_sensor",
        "unique_id": f"hedgerow_{device.id}_{key}",
        "name": value.name,
        "state_topic": _state_topic(device, key),
    }
    if value.kind == "number":
        part.update(describe(value.name, value.unit))
    elif value.kind != "text":
        part.update(payload_on="1", payload_off="0")
    if value.kind == "problem":
        part["device_class"] = "problem"
    if _DIAGNOSTIC.fullmatch(value.name):
        part["entity_category"] = "diagnostic"
    return part


def _keyed(device: Device) -> list[tuple[str, Value]]:
    """Ids of Home Assistant's alphabet. Of two names that would share one, the later in the
    alphabet gets a checksum."""
    keyed: dict[str, Value] = {}
    for value in device.values:
        key = re.sub(r"[^a-zA-Z0-9_-]", "_", value.name)
        if key in keyed:
            key += f"_{binascii.crc32(value.name.encode()):08x}"
        keyed[key] = value
    return list(keyed.items())


def _state(value: Value) -> bytes:
    if isinstance(value.value, float):
        return f"{value.value:.7g}".encode()  # what a node's float32 holds
    text = str(value.value)
    return text[:_MAX_STATE].encode() or b" "  # an empty retained message would be none


def _json(table: dict[str, Any]) -> bytes:
    return json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()


def _is_ours(topic: str) -> bool:
    """True for a topic that this file could have made; others are not emptied at anyone's word."""
    return re.fullmatch(r"hedgerow/[a-z0-9-]+/[a-zA-Z0-9_-]+", topic) is not None


def _config_topic(device: Device) -> str:
    return f"{_PREFIX}/hedgerow_{device.id}/config"


def _state_topic(device: Device, key: str) -> str:
    return f"hedgerow/{device.id}/{key}"


def _availability(device: Device) -> str:
    return f"hedgerow/{device.id}/availability"
