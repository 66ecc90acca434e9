"""The one thread that writes: takes messages off a queue, commits them in groups, then acks.

Group commit: while one transaction is being synced to the disk the next messages gather, so the
cost of the sync is shared when there is load and latency stays low when there is none.
"""

import contextlib
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from hedgerow.gateway.ingest import Ingest
from hedgerow.gateway.messages import Inbound, Note, Outbound, Outcome, ack_topic
from hedgerow.gateway.watermark import StreamKey

_log = logging.getLogger("hedgerow.gateway.writer")

_MAX_BATCH = 200
_LINGER_S = 0.02
_TICK_S = 2.0
_RETRY_MAX_S = 5.0
_QUEUE_LIMIT = 5000  # then the MQTT thread waits: back-pressure down to the broker

Done = Callable[[], None]
Answer = Callable[[Outcome, bytes], None]  # the outcome, and the ack of a frame that was stored


@dataclass(frozen=True, slots=True)
class _Item:
    message: Inbound | Note
    done: Done | None = None
    answer: Answer | None = None


class Writer:
    """Owns the writing connection from start() to stop().

    publish: called with each ack after its commit, from the writer's thread; must not block.
    """

    def __init__(self, ingest: Ingest, publish: Callable[[Outbound], None]):
        self._ingest = ingest
        self._publish = publish
        self._queue: queue.Queue[_Item] = queue.Queue(_QUEUE_LIMIT)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gateway-writer", daemon=True)
        self.fault = ""  # why the database takes nothing at the moment; "" when all is well
        self.commits = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Commit what is queued and end. Unfinished messages were not acked, so none is lost."""
        self._stopping.set()
        self._thread.join(timeout=30)

    def put(self, message: Inbound | Note, done: Done | None = None) -> None:
        """Queue a message; done is called after its commit. Blocks while the queue is full."""
        while not self._stopping.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(_Item(message, done), timeout=0.2)
                return

    def offer(self, message: Inbound, answer: Answer) -> bool:
        """Queue a message whose ack goes to answer (in the writer's thread), not to publish.

        False, at once, if the queue is full or the writer stops.
        """
        if self._stopping.is_set():
            return False
        try:
            self._queue.put_nowait(_Item(message, answer=answer))
        except queue.Full:
            return False
        return True

    @property
    def queued(self) -> int:
        return self._queue.qsize()

    def _run(self) -> None:
        next_tick_s = time.monotonic()
        while not self._stopping.is_set() or not self._queue.empty():
            items = self._gather()
            if items:
                self._commit(items)
            if time.monotonic() >= next_tick_s:
                self._tick()
                next_tick_s = time.monotonic() + _TICK_S

    def _gather(self) -> list[_Item]:
        """The next messages: waits for the first, then takes what comes within the linger."""
        try:
            items = [self._queue.get(timeout=0.2)]
        except queue.Empty:
            return []
        deadline_s = time.monotonic() + _LINGER_S
        while len(items) < _MAX_BATCH:
            try:
                items.append(self._queue.get(timeout=max(0.0, deadline_s - time.monotonic())))
            except queue.Empty:
                break
        return items

    def _commit(self, items: list[_Item]) -> None:
        """Commit, retrying for as long as the disk refuses; nothing is acked meanwhile."""
        retry_s = 0.2
        while True:
            try:
                acks = self._ingest.commit([item.message for item in items])
                break
            except sqlite3.Error as error:
                self._report(f"database: {error}")
                if self._stopping.wait(retry_s):
                    return
                retry_s = min(retry_s * 2, _RETRY_MAX_S)
            except Exception:  # noqa: BLE001  logged with its traceback; see the next line
                # A message that trips a bug of ours must not stop all others for ever.
                _log.exception("ingest failed on %d messages", len(items))
                self._commit_one_by_one(items)
                return
        self._report("")
        self._finish(items, self._ingest.outcomes, acks)

    def _commit_one_by_one(self, items: list[_Item]) -> None:
        if len(items) == 1:
            # Logged above; to keep it would make the broker send it again.
            self._finish(items, [None], [])
            return
        for item in items:
            self._commit([item])

    def _finish(self, items: list[_Item], outcomes: list[Outcome], acks: list[Outbound]) -> None:
        self.commits += 1
        to_publish = set()
        for item, outcome in zip(items, outcomes, strict=True):
            if item.done:
                item.done()
            if item.answer:
                item.answer(outcome, _ack_of(outcome, acks))
            elif isinstance(outcome, StreamKey):
                to_publish.add(ack_topic(outcome.device))
        for ack in acks:
            if ack.topic in to_publish:
                self._publish(ack)

    def _tick(self) -> None:
        try:
            self._ingest.tick(time.time())
        except sqlite3.Error as error:
            self._report(f"database: {error}")

    def _report(self, fault: str) -> None:
        """Log the first failure and the recovery, not every retry."""
        if fault and not self.fault:
            _log.error("%s; nothing is acknowledged until it works again", fault)
        elif self.fault and not fault:
            _log.warning("database works again")
        self.fault = fault


def _ack_of(outcome: Outcome, acks: list[Outbound]) -> bytes:
    """The ack that holds the watermark of the stream that a frame went to; b"" for no frame."""
    if not isinstance(outcome, StreamKey):
        return b""
    topic, stream = ack_topic(outcome.device), (outcome.boot, outcome.stream)
    return next(ack.data for ack in acks if ack.topic == topic and stream in ack.covers)
