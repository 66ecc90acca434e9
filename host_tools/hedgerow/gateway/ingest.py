"""MQTT messages in, committed rows and acknowledgements out. No sockets, no threads (sans-io).

The line of DESIGN.md this serves: uplink -> gateway, one frame: version, device id, boot, stream,
seq, SenML-CBOR packs, MAC where the link has none, <= 200 bytes (firmware/hedge/wire/SPEC.md).

    ingest = Ingest(open_database("farm.db"))
    for ack in ingest.commit([Inbound("hedge/n1/up", data, time.time())]):
        publish(ack.topic, ack.data)  # only now: the rows are on the disk
"""

import json
import sqlite3
from collections.abc import Callable, Sequence

from hedge.core.errors import FrameError
from hedge.wire import ack, cbor, frame, frame_read
from hedgerow.gateway.alerts import AlertBook, AlertKey
from hedgerow.gateway.config import KeyOf
from hedgerow.gateway.database import transaction
from hedgerow.gateway.generation import CommitCount, generation_of, restored_s
from hedgerow.gateway.messages import Inbound, Note, Outbound, Outcome, Refused, ack_topic
from hedgerow.gateway.record_table import Inserted, RecordTable
from hedgerow.gateway.signals import Signals, dropped_text
from hedgerow.gateway.silence import silent_limit_s, uplink_every_s
from hedgerow.gateway.watermark import StreamKey, advance

_MAX_INFO_BYTES = 4096
_MAX_DEVICES = 4096
_SAMPLE_BYTES = 64

# last_time_s follows the newest boot's live records, also when the node's clock is set back.
_COUNT_FRAME = """
UPDATE device SET
    last_seen_s = :received_s,
    last_backlog = :backlog,
    frames = frames + 1,
    frame_bytes = frame_bytes + :bytes,
    records = records + :new,
    backlog_records = backlog_records + :new * :backlog,
    duplicates = duplicates + :duplicates,
    undecodable = undecodable + :undecodable,
    first_time_s = min(coalesce(first_time_s, :oldest), coalesce(:oldest, first_time_s)),
    last_time_s = CASE
        WHEN :newest IS NULL OR :boot < last_boot THEN last_time_s
        WHEN :backlog AND :newest < last_time_s THEN last_time_s
        ELSE :newest END,
    last_boot = max(coalesce(last_boot, 0), :boot)
WHERE id = :device
"""


class Ingest:
    """The one writer. commit() is atomic: after an exception nothing of its messages is stored.

    outcomes: what became of each message of the last commit, in their order.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        key_of: KeyOf | None = None,
        give_time: bool = True,
    ):
        self._connection = connection
        self._key_of = key_of
        self._give_time = give_time
        self.generation = generation_of(connection)
        self._alerts = AlertBook(connection)
        self._signals = Signals(self._alerts)
        self._records = RecordTable(connection)
        self._info: dict[str, dict] = {}
        self._touched: dict[str, dict[tuple[int, int], int]] = {}
        self.outcomes: list[Outcome] = []
        self._load_devices()
        self._commits = CommitCount(connection)
        self._tell_restored()

    def _tell_restored(self) -> None:
        when_s = restored_s(self._connection)
        alert = AlertKey("", "restored")
        if when_s is not None and not self._alerts.was_raised(alert, when_s):
            text = "the database is a restored backup: nodes send again what they still hold; "
            text += "what they do not hold any more is a gap for good"
            with transaction(self._connection):
                self._alerts.raise_(alert, text, when_s)

    def commit(self, messages: Sequence[Inbound | Note]) -> list[Outbound]:
        """Store all messages in ONE transaction; return the acks to publish.

        Malformed ones are counted by reason, not raised. Raises sqlite3.Error when the database
        cannot take them (disk full): nothing is stored, call again with the same messages.
        """
        self._touched = {}
        try:
            with transaction(self._connection):
                self.outcomes = [self._take(message) for message in messages]
                self._commits.count()
        except BaseException:
            self._forget()
            raise
        self._commits.committed()
        now_s = max((m.received_s for m in messages), default=0.0)
        return [out for device in self._touched for out in self._acks(device, now_s)]

    def _forget(self) -> None:
        self._records.forget()
        self._signals.forget()
        self._alerts.reload()
        self._load_devices()

    def _load_devices(self) -> None:
        rows = self._connection.execute("SELECT id, info FROM device")
        self._info = {device: json.loads(info) for device, info in rows}

    def _acks(self, device: str, now_s: float) -> list[Outbound]:
        epoch_s = int(now_s) if self._give_time else 0
        marks = [(boot, stream, n) for (boot, stream), n in self._touched[device].items()]
        parts = [marks[i : i + ack.MAX_MARKS] for i in range(0, len(marks), ack.MAX_MARKS)]
        key = self._key_of(device) if self._key_of else None
        return [
            Outbound(
                ack_topic(device),
                ack.pack(self.generation, epoch_s, part, device, key),
                tuple((boot, stream) for boot, stream, _ in part),
            )
            for part in parts
        ]

    # One message

    def _take(self, message: Inbound | Note) -> Outcome:
        if isinstance(message, Note):
            self._note(message)
            return None
        try:
            device, kind = _parse_topic(message.topic)
            return _KINDS[kind](self, device, message)
        except Refused as refused:
            self._reject(message, refused)
            return refused

    def _note(self, note: Note) -> None:
        if note.is_over:
            self._alerts.close(note.alert, note.received_s)
        else:
            self._alerts.raise_(note.alert, note.text, note.received_s)

    def _up(self, device: str, message: Inbound) -> StreamKey:
        parsed = self._unpack(device, message.data)
        self._ensure_device(device, message.received_s)
        key = StreamKey(device, parsed.boot, parsed.stream)
        inserted = self._records.insert(
            key,
            parsed.seq,
            parsed.records,
            received_s=message.received_s,
            backlog=bool(parsed.backlog),
        )
        self._move_watermark(key, parsed, inserted, message.received_s)
        self._count_frame(device, parsed, inserted, message)
        self._alert(key, inserted, message.received_s)
        return key

    def _unpack(self, device: str, data: bytes) -> frame_read.Frame:
        if len(data) > frame.HARD_MAX_BYTES:
            raise Refused("oversize", f"{len(data)} bytes, at most {frame.HARD_MAX_BYTES}")
        if self._key_of and self._key_of(device) is None:
            raise Refused("mac", f"no key for device {device!r}")
        try:
            parsed = frame.unpack(data, key=self._key_of)
        except FrameError as error:
            raise Refused(_reason(error), str(error)) from error
        if parsed.device != device:
            raise Refused("device", f"frame of {parsed.device!r} on the topic of {device!r}")
        return parsed

    def _move_watermark(
        self, key: StreamKey, parsed: frame_read.Frame, inserted: Inserted, now_s: float
    ) -> None:
        last = parsed.seq + len(parsed.records) - 1
        new_seqs = [record.seq for record in inserted.new]
        mark, holes = advance(self._connection, key, parsed.oldest, last, new_seqs, now_s)
        self._touched.setdefault(key.device, {})[key.boot, key.stream] = mark.upto
        if holes:
            alert = AlertKey(key.device, "dropped", str(key.stream))
            count = sum(len(hole) for hole in holes)
            self._alerts.raise_(alert, dropped_text(key, holes), now_s, count)

    def _count_frame(
        self, device: str, parsed: frame_read.Frame, inserted: Inserted, message: Inbound
    ) -> None:
        times = [record.time_s for record in inserted.new]
        self._connection.execute(
            _COUNT_FRAME,
            {
                "device": device,
                "received_s": message.received_s,
                "bytes": len(message.data),
                "new": len(inserted.new),
                "backlog": int(bool(parsed.backlog)),
                "duplicates": inserted.duplicates,
                "undecodable": inserted.undecodable,
                "boot": parsed.boot,
                "oldest": min(times, default=None),
                "newest": max(times, default=None),
            },
        )

    def _alert(self, key: StreamKey, inserted: Inserted, now_s: float) -> None:
        self._signals.look(key, inserted.new, self._info.get(key.device, {}), now_s)
        if inserted.conflicts:
            text = f"{len(inserted.conflicts)} records came again with other contents"
            alert = AlertKey(key.device, "conflict", f"{key.boot}.{key.stream}")
            self._alerts.raise_(alert, text, now_s, len(inserted.conflicts))
        if inserted.refused_series:
            text = f"too many value names; not charted: {sorted(inserted.refused_series)[0]}"
            self._alerts.raise_(AlertKey(key.device, "series"), text, now_s)

    def _status(self, device: str, message: Inbound) -> None:
        status = {b"online": "online", b"offline": "offline"}.get(message.data)
        if status is None:
            raise Refused("status", "expected online or offline")
        self._ensure_device(device, message.received_s)
        self._connection.execute(
            "UPDATE device SET status = ?, status_s = ? WHERE id = ? AND status != ?",
            (status, message.received_s, device, status),
        )
        alert = AlertKey(device, "silent", "offline")
        if status == "online":
            self._alerts.close(alert, message.received_s)
        elif not self._alerts.is_open(alert) and not uplink_every_s(self._info[device]):
            self._alerts.raise_(alert, "node is offline", message.received_s)

    def _info_map(self, device: str, message: Inbound) -> None:
        if len(message.data) > _MAX_INFO_BYTES:
            raise Refused("oversize", f"info of {len(message.data)} bytes")
        try:
            info = cbor.decode(message.data)
        except FrameError as error:
            raise Refused("info", str(error)) from error
        if not isinstance(info, dict):
            raise Refused("info", "not a map")
        self._ensure_device(device, message.received_s)
        self._info[device] = {str(key): _plain(value) for key, value in info.items()}
        self._connection.execute(
            "UPDATE device SET info = ?, info_s = ? WHERE id = ?",
            (json.dumps(self._info[device]), message.received_s, device),
        )

    def _ensure_device(self, device: str, now_s: float) -> None:
        if device in self._info:
            return
        if len(self._info) >= _MAX_DEVICES:
            raise Refused("devices", f"more than {_MAX_DEVICES} device names")
        sql = "INSERT OR IGNORE INTO device (id, first_seen_s) VALUES (?, ?)"
        self._connection.execute(sql, (device, now_s))
        self._info[device] = {}

    def _reject(self, message: Inbound, refused: Refused) -> None:
        topic, sample = message.topic[:200], message.data[:_SAMPLE_BYTES]
        self._connection.execute(
            "INSERT INTO reject VALUES (?, 1, ?, ?, ?) ON CONFLICT (reason) DO UPDATE SET "
            "count = count + 1, last_s = excluded.last_s, topic = excluded.topic, "
            "sample = excluded.sample",
            (refused.reason, message.received_s, topic, sample),
        )
        over = "" if message.source == "mqtt" else f" over {message.source}"
        text = f"message on {topic[:80]}{over} refused ({refused.reason}): {refused}"
        self._alerts.raise_(AlertKey("", "malformed", refused.reason), text, message.received_s)

    # Time passes

    def tick(self, now_s: float) -> None:
        """Conditions that no message announces: silent nodes, alerts that went quiet."""
        with transaction(self._connection):
            self._alerts.close_quiet(now_s)
            for device, status, last_seen_s in self._last_seen():
                self._check_silent(device, status, last_seen_s, now_s)
        self._commits.sync()

    def _last_seen(self) -> list[tuple[str, str, float]]:
        sql = "SELECT id, status, last_seen_s FROM device WHERE last_seen_s IS NOT NULL"
        return self._connection.execute(sql).fetchall()

    def _check_silent(self, device: str, status: str, last_seen_s: float, now_s: float) -> None:
        alert = AlertKey(device, "silent", "late")
        silent_s = now_s - last_seen_s
        if silent_s <= silent_limit_s(self._info.get(device, {}), status):
            self._alerts.close(alert, now_s)
        elif not self._alerts.is_open(alert):
            self._alerts.raise_(alert, f"nothing received for {silent_s / 60:.0f} minutes", now_s)


_KINDS: dict[str, Callable[[Ingest, str, Inbound], StreamKey | None]] = {
    "up": Ingest._up,
    "status": Ingest._status,
    "info": Ingest._info_map,
}


def _parse_topic(topic: str) -> tuple[str, str]:
    parts = topic.split("/")
    if len(parts) != 3 or parts[0] != "hedge" or parts[2] not in _KINDS:
        raise Refused("topic", "expected hedge/<device>/up, status or info")
    if not frame.is_device_name(parts[1]):
        raise Refused("topic", "device names are 1 to 24 characters of a-z, 0-9 and -")
    return parts[1], parts[2]


def _reason(error: FrameError) -> str:
    text = str(error)
    return "mac" if "MAC" in text or "signed" in text else "frame"


def _plain(value: object, depth: int = 1) -> object:
    """A CBOR value as JSON can hold it; what lies deeper than 4 levels is cut."""
    if isinstance(value, dict) and depth < 4:
        return {str(k): _plain(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple) and depth < 4:
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)[:256]
