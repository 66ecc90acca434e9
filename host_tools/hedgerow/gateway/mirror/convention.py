"""What a convention is to the session that speaks it: messages in and out, no sockets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hedgerow.gateway.mirror.snapshot import Device


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message to publish."""

    topic: str
    payload: bytes
    retain: bool = False
    qos: int = 1


class Convention(Protocol):
    """Home Assistant's discovery, Sparkplug B. All calls come from one thread.

    topics: what to subscribe to, (filter, QoS).
    """

    name: str
    topics: tuple[tuple[str, int], ...]

    def will(self) -> Message:
        """For the next connection."""

    def born(self) -> list[Message]:
        """A connection is made: what comes first. Nothing published before is relied on."""

    def update(self, devices: Sequence[Device]) -> list[Message]:
        """What the present devices differ in from what was published."""

    def received(self, topic: str, payload: bytes) -> list[Message]:
        """A message of `topics`. Bad ones are ignored."""

    def farewell(self) -> list[Message]:
        """Before a connection is closed on purpose."""
