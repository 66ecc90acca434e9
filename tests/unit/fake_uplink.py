"""A store in memory, a gateway that commits, and a link between them that can be bad."""

import asyncio

from hedge.core.errors import LinkError
from hedge.wire import ack, frame


class Batch:
    def __init__(self, boot, stream, seq, oldest, records):
        self.boot = boot
        self.stream = stream
        self.seq = seq
        self.oldest = oldest
        self.records = records


class FakeStore:
    """hedge.store.Store's interface; `rows` lists [boot, stream, seq, payload], unacknowledged."""

    def __init__(self, boot=1):
        self.boot = boot
        self.rows = []
        self.kept = []  # acknowledged ones
        self.acks = []  # every ack() call
        self.generation = None
        self._last = {}

    def append(self, stream, payload):
        seq = self._last.get(stream, 0) + 1
        self._last[stream] = seq
        self.rows.append([self.boot, stream, seq, payload])
        return seq

    def last_seq(self, stream):
        return self._last.get(stream, 0)

    def ack(self, boot, stream, upto):
        self.acks.append((boot, stream, upto))
        gone = [r for r in self.rows if r[:2] == [boot, stream] and r[2] <= upto]
        self.rows = [r for r in self.rows if r not in gone]
        self.kept += gone

    def acked_upto(self, boot, stream):
        return max([r[2] for r in self.kept if r[:2] == [boot, stream]] or [0])

    def forget_acks(self):
        count = len(self.kept)
        self.rows = sorted(self.kept + self.rows)
        self.kept = []
        return count

    def set_generation(self, generation):
        self.generation = generation

    def reader(self):
        return _FakeReader(self)


class _FakeReader:
    def __init__(self, store):
        self._store = store
        self._given = set()

    def rewind(self):
        self._given = set()

    def next(self, max_bytes):
        rows = sorted((r for r in self._store.rows), key=lambda r: (r[1], r[0], r[2]))
        todo = [r for r in rows if (r[0], r[1], r[2]) not in self._given]
        if not todo:
            return None
        boot, stream, seq, _ = todo[0]
        records = []
        for row in todo:
            wanted = [boot, stream, seq + len(records)]
            max_bytes -= 1 + len(row[3])
            if row[:3] != wanted or (records and max_bytes < 0):
                break
            records.append(row[3])
            self._given.add((boot, stream, wanted[2]))
        held = rows + self._store.kept
        oldest = min(r[2] for r in held if r[:2] == [boot, stream])
        return Batch(boot, stream, seq, oldest, records)


class FakeGateway:
    """Commits frames, insert or ignore, and answers with the watermark."""

    def __init__(self):
        self.rows = {}  # (boot, stream, seq) -> payload
        self.frames = []
        self.repeated = 0
        self.generation = 7
        self.epoch_s = 0

    def take(self, data):
        """One frame in, its ack out."""
        got = frame.unpack(data)
        self.frames.append(got)
        for i, payload in enumerate(got.records):
            key = (got.boot, got.stream, got.seq + i)
            self.repeated += key in self.rows
            if self.rows.setdefault(key, payload) != payload:
                raise AssertionError("two payloads under %r" % (key,))
        mark = self._watermark(got)
        return ack.pack(self.generation, self.epoch_s, [mark] if mark[2] else [])

    def _watermark(self, got):
        upto = got.oldest - 1
        while (got.boot, got.stream, upto + 1) in self.rows:
            upto += 1
        return got.boot, got.stream, upto


class FakeLink:
    """A link in memory. lose(kind) is asked for each "frame", "ack" and "connect": True loses it.

    Knobs: refuse (connect fails), silent (gateway answers nothing), kept (session resumed),
    reorder and duplicate (of acks). break_it() ends the session.
    """

    window = 8
    ack_timeout_ms = 10000

    def __init__(self, gateway=None):
        self.gateway = gateway or FakeGateway()
        self.lose = lambda kind: False
        self.refuse = self.silent = self.kept = self.reorder = self.duplicate = False
        self.bytes_sent = 0
        self.connects = self.closes = 0
        self.sent = []  # frames of all sessions, as bytes
        self._acks = []
        self._held = None
        self._open = False
        self._changed = asyncio.Event()

    async def connect(self):
        await asyncio.sleep_ms(0)
        self.connects += 1
        if self.refuse or self.lose("connect"):
            raise LinkError("broker refused: bad user name or password")
        self._open = True
        self._changed.clear()
        return self.kept

    async def send(self, data):
        await asyncio.sleep_ms(0)
        if not self._open:
            raise OSError(104)
        self.bytes_sent += len(data)
        self.sent.append(data)
        if not self.lose("frame"):
            answer = self.gateway.take(data)
            if not self.silent and not self.lose("ack"):
                self._put(answer)

    def _put(self, answer):
        if self.reorder and self._held is None:
            self._held = answer
            return
        self.answer(answer)
        if self._held:
            self.answer(self._held)
            self._held = None
        if self.duplicate:
            self.answer(answer)

    def answer(self, data):
        self._acks.append(data)
        self._changed.set()

    def break_it(self):
        self._open = False
        self._changed.set()

    async def recv(self):
        while not self._acks:
            if not self._open:
                raise LinkError("broker closed the connection")
            self._changed.clear()
            await self._changed.wait()
        return self._acks.pop(0)

    async def close(self):
        self.closes += 1
        self._open = False
