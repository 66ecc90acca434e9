"""What goes into the ingest and comes out of it."""

from dataclasses import dataclass

from hedgerow.gateway.alerts import AlertKey
from hedgerow.gateway.watermark import StreamKey


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message from a node; received_s: the gateway's clock, epoch s; source: the link."""

    topic: str
    data: bytes
    received_s: float
    source: str = "mqtt"


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message to a node, to be sent after the commit that made it.

    covers: the (boot, stream) pairs whose watermarks are in it.
    """

    topic: str
    data: bytes
    covers: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something the gateway itself noticed: opens or closes an alert in the same queue."""

    alert: AlertKey
    text: str
    is_over: bool
    received_s: float


class Refused(Exception):
    """A message that is not stored; `reason` is one of a small set of words, for counting."""

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(detail or reason)
        self.reason = reason


Outcome = StreamKey | Refused | None  # of one message: stored there, refused, nothing to ack


def ack_topic(device: str) -> str:
    return f"hedge/{device}/ack"
