"""What the HTTP API answers; FastAPI makes the OpenAPI description from these.

All times are epoch seconds. time_s is for charts: the node's clock where it was set, else the
gateway's; *_seen_s, received_s, opened_s, closed_s are always the gateway's clock.
"""

from typing import Any, Literal

from pydantic import BaseModel


class LastValue(BaseModel):
    name: str
    unit: str
    time_s: float
    value: float | None
    text: str | None


class Device(BaseModel):
    id: str
    name: str
    status: Literal["online", "offline", "unknown"]
    status_s: float | None
    catching_up: bool
    first_seen_s: float
    last_seen_s: float | None
    first_time_s: float | None
    last_time_s: float | None
    boot: int | None
    info: dict[str, Any]
    frames: int
    frame_bytes: int
    records: int
    backlog_records: int
    duplicates: int
    undecodable: int
    missing: int
    dropped: int
    open_alerts: int
    last: list[LastValue]


class Series(BaseModel):
    """Columns of equal length. bucket_s 0: every point; else mean, min and max of each bucket.

    A row of nulls is a break: nothing is known there (node off, sensor failed, records dropped).
    backlog 1: the point was written while the link was down and came later.
    """

    device: str
    name: str
    unit: str
    from_s: float
    to_s: float
    bucket_s: float
    t: list[float]
    mean: list[float | None]
    min: list[float | None]
    max: list[float | None]
    backlog: list[int | None]


class Entry(BaseModel):
    name: str
    unit: str
    value: float | None
    text: str | None


class Event(BaseModel):
    time_s: float
    received_s: float
    boot: int
    seq: int
    backlog: bool
    kind: str
    entries: list[Entry]


class Span(BaseModel):
    """to_s None: not over yet."""

    kind: Literal["outage", "off", "dropped", "sensor", "silent"]
    from_s: float
    to_s: float | None
    text: str


class Gap(BaseModel):
    first_seq: int
    last_seq: int
    noticed_s: float


class Sequence(BaseModel):
    boot: int
    stream: int
    watermark: int
    top: int
    count: int
    gaps: list[Gap]


class Sequences(BaseModel):
    sequences: list[Sequence]


class Records(BaseModel):
    """[seq, payload in hex], ascending; ask again with after = the last seq until it is empty."""

    records: list[tuple[int, str]]


class Alert(BaseModel):
    id: int
    device: str
    kind: str
    key: str
    severity: Literal["info", "warning", "critical"]
    text: str
    count: int
    opened_s: float
    last_s: float
    closed_s: float | None


class Reject(BaseModel):
    reason: str
    count: int
    last_s: float
    topic: str


class Stats(BaseModel):
    """revision changes with every commit; now_s is where charts end (simulated time in a demo)."""

    generation: int
    schema_version: int
    revision: str
    note: str
    wall_s: float
    now_s: float
    devices: int
    records: int
    duplicates: int
    conflicts: int
    dropped: int
    undecodable: int
    frames: int
    frame_bytes: int
    raw_bytes: float | None
    sent_bytes: float | None
    rejects: list[Reject]
    database_bytes: int


class Health(BaseModel):
    status: Literal["ok", "degraded"]
    faults: list[str]
    broker_kind: str
    broker: str
    broker_connected: bool
    queued: int
    generation: int
    uptime_s: float
