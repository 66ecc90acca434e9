"""The record log of a node: segments in a volume, bounded, safe against power cuts.

Rule -> store: stream, seq, device time, kind, values. Bytes and the order of operations that
makes it safe are in SPEC.md.
"""

import os

from ..core import log
from ..core.errors import StoreError
from . import disk
from . import segment as seg
from .reader import Batch, Reader  # noqa: F401  Batch belongs to this interface
from .state import State
from .stream import Stream

EVENTS = 0  # alarms, decisions, link, health: dropped last
TELEMETRY = 1  # summaries, report-on-change
DIAG = 2  # dropped first
MAX_STREAMS = 8

_ACK_SAVE_EVERY = 32  # records; after a crash at most about these are sent again
_BOOTS_SKIPPED = 256  # when the number of the last start is lost
_U32_MAX = 0xFFFFFFFF


def fresh_boot():
    """Number for the first start of a new log: 1 to 2**20, in steps of 256, by chance.

    A node whose flash was wiped keeps its name. Starting at 1 again, it would give out numbers
    that the gateway has seen, and its records would be taken for known ones.
    """
    return 1 + (int.from_bytes(os.urandom(2), "little") & 0xFFF) * 256


class Store:
    """One log; one process, one task at a time. Open before use.

    boot: number of this start, >= 1. dropped: {stream: records given up for space}. torn: starts
    that found a half-written tail. refused: appends of this run that found no space at all.
    state_lost: the saved state was damaged, counts restarted and records are sent again.
    generation: of the server whose acks are believed, None before the first.
    """

    def __init__(
        self,
        path,
        max_bytes=262144,
        segment_bytes=8192,
        keep_acked=False,
        flush=None,
        first_boot=1,
    ):
        """path: a folder, or a volume such as hedge.store.region.Region, which then has its own
        bounds. max_bytes bounds all segments; a log of many takes larger ones than segment_bytes.

        keep_acked: for audit, segments of acknowledged records are renamed, not removed, when
        their space is needed. flush: make each append durable by itself; None for what this
        platform needs. first_boot: number of the first start in a new log, see fresh_boot().
        """
        if isinstance(path, str):
            from .files import Files

            path = Files(path, max_bytes, segment_bytes, keep_acked, flush)
        self.volume = path
        self.boot = 0
        self.refused = 0
        self._first_boot = first_boot
        self._streams = {}  # number -> Stream
        self._state = None
        self._unsaved_acks = 0
        self._drop_told = False  # later drops are only counted

    # ---- life ----

    def open(self, goes_on=None):
        """Recover what is there, start a new boot. Raises StoreError if the volume is no use.

        goes_on(store): asked once everything is loaded; True if this start goes on with the boot
        before, as a wake-up from deep sleep does (resume.py, which hedge.power uses).
        """
        from . import recover

        volume = self.volume
        starter = volume.recovery()
        try:
            starter.start(volume)
            self._state = State(volume)
            newest = max(starter.newest_boot(volume), self._state.newest_boot())
            segments, torn = recover.load_segments(volume, starter, newest, self._state.dropping)
            self._state.torn += torn
            self._take_over(segments, newest)
            if goes_on and goes_on(self):
                return
            self._claim_boot(starter)
        except OSError as fault:
            raise StoreError("%s: %r" % (volume.name, fault))
        finally:
            recover.forget()
        while not volume.has_room(0, False) and self._free_one(EVENTS):
            pass  # the limit was lowered since
        self._save_state()

    def _take_over(self, segments, newest):
        for segment in segments:
            self.stream(segment.stream).segments.append(segment)
        for number in list(self._streams):
            stream = self._streams[number]
            stream.floor, stream.above = self._state.marks_of(number)
            stream.settle()
        self._state.marks = None  # the streams have them now
        last = max([segment.last_boot for segment in segments] or [0])
        if newest:
            self.boot = max(newest, last) + 1
        else:
            self.boot = last + _BOOTS_SKIPPED if last else self._first_boot

    def stream(self, number):
        """The Stream of that number, made if need be."""
        if number not in self._streams:
            self._streams[number] = Stream(self.volume, number)
        return self._streams[number]

    def streams(self):
        """Streams in use, most important first."""
        return [self._streams[number] for number in sorted(self._streams)]

    def _claim_boot(self, starter):
        while True:
            try:
                return starter.claim(self.volume, self.boot)
            except OSError as fault:
                if not disk.is_full(fault) or not self._free_one(EVENTS):
                    raise

    def close(self):
        """Save what is only in RAM (acks, counts) and close the files."""
        for stream in self.streams():
            self.seal(stream)
        self._save_state()

    @property
    def dropped(self):
        """{stream: records given up for space}, since the log was made."""
        return self._state.dropped

    @property
    def torn(self):
        """Starts that found a half-written record at the end of a segment."""
        return self._state.torn

    @property
    def state_lost(self):
        """True if this start found the saved state damaged."""
        return self._state.damaged

    # ---- append ----

    def append(self, stream, payload):
        """Log payload (bytes-like, 1 to 192 bytes); returns its number once it is in the log.

        A full log or disk gives up the oldest acknowledged segment, else the oldest one of the
        least important stream, this one or a less important one. Raises StoreError if nothing can
        be freed or the payload does not fit; then `refused` counts it.
        """
        if not 0 <= stream < MAX_STREAMS or not 1 <= len(payload) <= seg.MAX_PAYLOAD_BYTES:
            raise self.refusal("stream %d, record of %d bytes" % (stream, len(payload)))
        target = self.stream(stream)
        seq = target.next_seq
        if seq > _U32_MAX:
            raise self.refusal("stream %d: numbers used up until a restart" % stream)
        self._write_or_free(target, seq, payload)
        target.next_seq = seq + 1
        return seq

    def prepare(self):
        """For a moment when nothing is urgent: do ahead what an append would have to wait for.

        On raw flash the erase of a sector, 45 ms typically, 400 ms at most (W25Q16JV datasheet);
        mostly nothing. Never raises.
        """
        self.volume.prepare()

    def refusal(self, text):
        """A StoreError, counted."""
        self.refused += 1
        return StoreError(text)

    def _write_or_free(self, stream, seq, payload):
        retried = False
        while True:
            try:
                return self._write(stream, seq, payload)
            except OSError as fault:
                from .trouble import salvage

                if salvage(self, stream, seq):
                    return None
                full = disk.is_full(fault)
                if full and not self._free_one(stream.number):
                    raise self.refusal("full of more important records")
                if not full and retried:
                    raise self.refusal("%s: %r" % (self.volume.name, fault))
                retried = True

    def _write(self, stream, seq, payload):
        size = seg.RECORD_HEAD_BYTES + len(payload)
        segment = self._segment_for(stream, size)
        extra = self._extra_bytes(segment)
        if not self.volume.has_room(extra + size, segment is None):
            raise OSError(disk.ENOSPC, "log full")
        if segment is None:
            segment = seg.Segment(stream.number, self.boot, seq)
            self.volume.begin(segment)
            stream.active = segment
            head = seg.header(segment, stream.end())
        else:
            head = seg.mark(segment, self.boot) if extra else b""
        self.volume.append(segment, head + seg.record(segment, self.boot, seq, payload))
        self.written(stream, segment, seq, extra + size)

    def _extra_bytes(self, segment):
        """What goes before a record: a header, or a mark if the last one is of another boot."""
        if segment is None:
            return seg.HEADER_BYTES
        return 0 if segment.last_boot == self.boot else seg.MARK_BYTES

    def _segment_for(self, stream, size):
        """The segment that takes so many bytes more, open for them; None if a new one must."""
        segment = stream.active or (stream.segments[-1] if stream.segments else None)
        if segment and segment.is_closed:
            return None
        if (
            segment
            and segment.size + self._extra_bytes(segment) + size > self.volume.segment_bytes
        ):
            self.seal(stream)
            return None  # its end is in the header of the one that follows
        if segment and not stream.active:
            self.volume.begin(segment, True)
            stream.active = segment
        return segment

    def written(self, stream, segment, seq, size):
        """Record seq and what came with it are in the segment."""
        if not segment.count:
            stream.segments.append(segment)
        segment.add(self.boot, seq, size)
        stream.added()

    def seal(self, stream):
        """No more records for the open segment of this stream."""
        if stream.active:
            self.volume.seal(stream.active)
            stream.active = None

    # ---- space ----

    def _free_one(self, stream):
        """Free one segment for a record of `stream`; False if all others matter more."""
        victim = self._next_acked()
        if victim:
            return self.let_go(victim, victim.segments[0])
        for victim in self.streams()[::-1]:
            if victim.number >= stream and victim.segments:
                return self._drop(victim, victim.segments[0])
        return False

    def _next_acked(self):
        """The stream whose oldest segment is acknowledged and, for even wear, first to go."""
        best, best_turn = None, 0
        for stream in self.streams():
            if stream.segments and stream.unacked(stream.segments[0]) == 0:
                turn = self.volume.turn(stream.segments[0])
                if best is None or turn < best_turn:
                    best, best_turn = stream, turn
        return best

    def _drop(self, stream, segment):
        unacked = stream.unacked(segment)
        if not self._drop_told:
            self._drop_told = True
            log.warn("store", "full: dropping %d records of stream %d", unacked, stream.number)
        dropped = self._state.dropped
        dropped[stream.number] = dropped.get(stream.number, 0) + unacked
        stream.give_up(segment)
        # Counted first, with the name: a cut in between neither forgets nor repeats the count.
        self._state.dropping = segment.name()
        self._save_state()
        self._state.dropping = None
        return self.let_go(stream, segment, False)

    def let_go(self, stream, segment, keep=True):
        """Remove a segment, or set it aside; False if the volume refuses."""
        if segment is stream.active:
            self.seal(stream)
        try:
            self.volume.remove(segment, keep)
        except OSError as fault:
            log.warn("store", "removing %s: %r", segment.name(), fault)
            return False
        stream.take_out(segment)
        self._state.corrupt += segment.lost
        return True

    # ---- acknowledgement ----

    def ack(self, boot, stream, upto):
        """The server has (boot, stream) up to number upto; returns how many records that is more.

        They stay in the log until their space is needed: see forget_acks(). Unknown boots and
        streams are fine: 0. A number of this boot that was never given out is not believed (the
        server means another node of the same name): 0 and a warning.
        """
        target = self._streams.get(stream)
        if not target or not target.holds(boot):
            return 0
        last = target.next_seq - 1
        if boot == self.boot and upto > last:
            log.warn("store", "ack %d of stream %d, but only %d were made", upto, stream, last)
            return 0
        before = target.pending()
        target.mark(boot, upto)
        count = before - target.pending()
        self._unsaved_acks += count
        if self._unsaved_acks >= _ACK_SAVE_EVERY:
            self._save_state()
        return count

    def forget_acks(self):
        """The server lost its memory: all that the log still holds is to be sent again.

        Returns how many records that adds. Readers must rewind().
        """
        before = self.pending()
        for stream in self.streams():
            stream.forget_acks()
        self._save_state()
        return self.pending() - before

    @property
    def generation(self):
        """Generation of the server's database, None before the first ack."""
        return self._state.generation

    def set_generation(self, generation):
        """Remember it, over restarts too."""
        if generation != self._state.generation:
            self._state.generation = generation
            self._save_state()

    def acked_upto(self, boot, stream):
        """Highest number of (boot, stream) that is known to be acknowledged, 0 if none is."""
        target = self._streams.get(stream)
        return target.acked_upto(boot) if target else 0

    def last_seq(self, stream):
        """Number of the newest record of this boot in the stream, 0 if there is none yet."""
        target = self._streams.get(stream)
        return target.next_seq - 1 if target else 0

    def pending(self, stream=None):
        """Records not acknowledged, of one stream or all; damage not yet read counts too."""
        total = 0
        for target in self.streams():
            if stream is None or target.number == stream:
                total += target.pending()
        return total

    def reader(self):
        """A new Reader at the oldest unacknowledged record."""
        return Reader(self)

    @property
    def corrupt(self):
        """Records lost to damage in the log, as far as they were read."""
        total = self._state.corrupt
        for stream in self.streams():
            total += sum([segment.lost for segment in stream.segments])
        return total

    def _save_state(self):
        for stream in self.streams():
            for segment in stream.segments:
                if segment.lost and segment.end() <= stream.floor:
                    self._state.corrupt += segment.lost  # it will not be counted again
                    segment.lost = 0
        self._unsaved_acks = 0
        self._state.save(self.streams())
