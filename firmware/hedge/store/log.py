"""The record log of a node: segment files in one folder, bounded, safe against power cuts.

Rule -> store: stream, seq, device time, kind, values. Bytes and the order of file operations that
makes it safe are in SPEC.md.
"""

import os

from ..core import log
from ..core.errors import StoreError
from . import disk, recover
from . import segment as seg
from .kv import disk_needs_flush
from .reader import Batch, Reader  # noqa: F401  Batch belongs to this interface
from .state import State

EVENTS = 0  # alarms, decisions, link, health: dropped last
TELEMETRY = 1  # summaries, report-on-change
DIAG = 2  # dropped first
MAX_STREAMS = 8
MAX_SEGMENTS = 192  # files, hence RAM: each start adds one per stream it uses

_ACK_SAVE_EVERY = 32  # records; after a crash at most about these are sent again
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
    state_lost: the state file was damaged, counts restarted and records are sent again.
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
        """max_bytes bounds all segments; keep_acked renames them when done, not removes.

        segment_bytes bounds one, but a large log takes files of max_bytes / 64 (MAX_SEGMENTS).
        flush: make each append durable by itself; None for what this platform needs.
        first_boot: number of the first start in a new folder, see fresh_boot().
        """
        self.path = path
        self.boot = 0
        self.refused = 0
        self.segments = {}  # stream -> list of Segment, oldest first
        self._max_bytes = max_bytes
        self._segment_bytes = max(segment_bytes, max_bytes // 64)
        self._keep_acked = keep_acked
        self._first_boot = first_boot
        self._flush = disk_needs_flush() if flush is None else flush
        self._bytes = 0
        self._active = {}  # stream -> (Segment, open file)
        self._next_seq = {}  # stream -> int
        self._state = None
        self._unsaved_acks = 0
        self._drop_told = False  # later drops are only counted

    # ---- life ----

    def open(self, goes_on=None):
        """Recover what is there, start a new boot. Raises StoreError if the folder is no use.

        goes_on(store): asked once everything is loaded; True if this start goes on with the boot
        before, as a wake-up from deep sleep does (resume.py).
        """
        try:
            disk.make_dirs(self.path)
            self._state = State(self.path)
            names = disk.names(self.path)
            self._load(recover.remove_leftovers(self.path, names, self._state.dropping))
            if goes_on and goes_on(self):
                return
            self._claim_boot()
            recover.forget_boots(self.path, names)
        except OSError as fault:
            raise StoreError("%s: %r" % (self.path, fault))
        self._retire_acked()
        while self._bytes > self._max_bytes and self._free_one(EVENTS):
            pass  # the limit was lowered since
        self._save_state()

    def _load(self, names):
        newest = recover.last_boot(names, self._state.marks)
        segments, torn = recover.load_segments(self.path, names, newest)
        for segment in segments:
            self.segments.setdefault(segment.stream, []).append(segment)
            self._bytes += segment.size
        self._state.torn += torn
        self.boot = newest + 1 if newest else self._first_boot

    def _claim_boot(self):
        while True:
            try:
                return recover.claim_boot(self.path, self.boot)
            except OSError as fault:
                if not disk.is_full(fault) or not self._free_one(EVENTS):
                    raise

    def close(self):
        """Save what is only in RAM (acks, counts) and close the files."""
        for stream in list(self._active):
            self._seal(stream)
        self._retire_acked()
        self._save_state()

    @property
    def dropped(self):
        """{stream: records given up for space}, since the folder was made."""
        return self._state.dropped

    @property
    def torn(self):
        """Starts that found a half-written record at the end of a file."""
        return self._state.torn

    @property
    def state_lost(self):
        """True if this start found the state file damaged."""
        return self._state.damaged

    # ---- append ----

    def append(self, stream, payload):
        """Log payload (bytes-like, 1 to 192 bytes); returns its number once it is in the file.

        One write. A full store or disk drops the oldest segment of the least important stream,
        this one or a less important one. Raises StoreError if nothing can be freed or the payload
        does not fit; then `refused` counts it.
        """
        if not 0 <= stream < MAX_STREAMS or not 1 <= len(payload) <= seg.MAX_PAYLOAD_BYTES:
            raise self._refusal("stream %d, record of %d bytes" % (stream, len(payload)))
        seq = self._next_seq.get(stream, 1)
        if seq > _U32_MAX:
            raise self._refusal("stream %d: numbers used up until a restart" % stream)
        self._make_room(stream, seg.HEADER_BYTES + seg.RECORD_HEAD_BYTES + len(payload))
        self._write_or_free(stream, seq, payload)
        self._next_seq[stream] = seq + 1
        return seq

    def _refusal(self, text):
        self.refused += 1
        return StoreError(text)

    def _make_room(self, stream, size):
        while self._bytes + size > self._max_bytes or self._count() >= MAX_SEGMENTS:
            if not self._free_one(stream):
                raise self._refusal("full of more important records")

    def _write_or_free(self, stream, seq, payload):
        retried = False
        while True:
            try:
                return self._write(stream, seq, payload)
            except OSError as fault:
                if self._salvage(stream, seq):
                    return None
                if not (self._free_one(stream) if disk.is_full(fault) else not retried):
                    raise self._refusal("%s: %r" % (self.path, fault))
                retried = True

    def _write(self, stream, seq, payload):
        segment, file = self._active.get(stream, (None, None))
        size = seg.RECORD_HEAD_BYTES + len(payload)
        if segment and segment.size + size > self._segment_bytes:
            self._seal(stream)
            segment = None
        head = b""
        if not segment:
            segment = seg.Segment(stream, self.boot, seq)
            head = seg.header(segment)
            file = open(self.file_path(segment), "wb", 0)
            self._active[stream] = (segment, file)
        data = head + seg.record(segment, seq, payload)
        disk.write(file, data, self._flush)
        self._written(segment, seq, len(data))

    def _written(self, segment, seq, size):
        if not segment.size:
            self.segments.setdefault(segment.stream, []).append(segment)
        segment.size += size
        segment.last = seq
        self._bytes += size

    def _salvage(self, stream, seq):
        """After a failed write: leave that file for good. True if the record is in it anyway.

        If the file cannot even be read the number is given up, so that it never stands for two
        records, and StoreError is raised.
        """
        if stream not in self._active:
            return False  # creating the file was what failed
        segment = self._active[stream][0]
        self._seal(stream)
        try:
            end = self._end_of_record(segment, seq)
            if not end and not segment.size:
                disk.remove(self.file_path(segment))
        except OSError as fault:
            self._next_seq[stream] = seq + 1
            raise self._refusal("%s: %r" % (segment.name(), fault))
        if end:
            self._written(segment, seq, end - segment.size)
        return end > 0

    def _end_of_record(self, segment, seq):
        """Offset after record seq, the next one expected in the file; 0 if it is not there."""
        try:
            file = open(self.file_path(segment), "rb")
        except OSError as fault:
            if fault.errno == disk.ENOENT:
                return 0  # littlefs: never synced, so never there
            raise
        try:
            scan = seg.Scan(file, segment, segment.size or seg.HEADER_BYTES, seq)
            return scan.offset if scan.next() is not None and scan.seq == seq else 0
        finally:
            file.close()

    def _seal(self, stream):
        """No more records for the open segment of this stream."""
        segment, file = self._active.pop(stream)
        try:
            file.close()
        except OSError as fault:
            log.warn("store", "closing %s: %r", segment.name(), fault)

    # ---- space ----

    def _count(self):
        return sum([len(segments) for segments in self.segments.values()])

    def _free_one(self, stream):
        """Free one segment for a record of `stream`; False if all others matter more."""
        for segments in self.segments.values():
            for segment in segments:
                if self._unacked(segment) == 0:
                    return self._let_go(segment)
        for victim_stream in range(MAX_STREAMS - 1, stream - 1, -1):
            if self.segments.get(victim_stream):
                return self._drop(self.segments[victim_stream][0])
        return False

    def _drop(self, segment):
        unacked = self._unacked(segment)
        if not self._drop_told:
            self._drop_told = True
            log.warn("store", "full: dropping %d records of stream %d", unacked, segment.stream)
        dropped = self._state.dropped
        dropped[segment.stream] = dropped.get(segment.stream, 0) + unacked
        # Counted first, with the name: a cut in between neither forgets nor repeats the count.
        self._state.dropping = segment.name()
        self._save_state()
        self._state.dropping = None
        return self._let_go(segment, keep=False)

    def _let_go(self, segment, keep=True):
        """Remove a segment, or set it aside; False if the file system refuses."""
        if self.is_active(segment):
            self._seal(segment.stream)
        path = self.file_path(segment)
        try:
            if self._keep_acked and keep:
                os.rename(path, self.path + "/" + segment.name(seg.KEPT))
            else:
                disk.remove(path)
        except OSError as fault:
            log.warn("store", "removing %s: %r", segment.name(), fault)
            return False
        self.segments[segment.stream].remove(segment)
        self._bytes -= segment.size
        self._state.corrupt += segment.lost
        return True

    # ---- acknowledgement ----

    def ack(self, boot, stream, upto):
        """Forget the records of (boot, stream) up to and including number upto; returns how many.

        Unknown boots and streams are fine: 0. A number of this boot that was never given out is
        not believed (the server means another node of the same name): 0 and a warning.
        """
        segments = [s for s in self.segments.get(stream, ()) if s.boot == boot]
        if not segments:
            return 0
        last = segments[-1].last
        if upto > last and boot == self.boot:
            log.warn("store", "ack %d of stream %d, but only %d were made", upto, stream, last)
            return 0
        before = max(self.mark(boot, stream), segments[0].first - 1)
        upto = min(upto, last)
        if upto <= before:
            return 0
        self._state.marks[(boot, stream)] = upto
        for segment in segments:
            if segment.last <= upto and not self.is_active(segment):
                self._let_go(segment)
        self._unsaved_acks += upto - before
        if self._unsaved_acks >= _ACK_SAVE_EVERY:
            self._save_state()
        return upto - before

    def _retire_acked(self):
        for segments in list(self.segments.values()):
            for segment in list(segments):
                if self._unacked(segment) == 0 and not self.is_active(segment):
                    self._let_go(segment)

    def mark(self, boot, stream):
        """Records of (boot, stream) up to this number are acknowledged; 0 if none is."""
        return self._state.marks.get((boot, stream), 0)

    def _unacked(self, segment):
        mark = self.mark(segment.boot, segment.stream)
        return max(segment.last - max(mark, segment.first - 1), 0)

    def last_seq(self, stream):
        """Number of the newest record of this boot in the stream, 0 if there is none yet."""
        return self._next_seq.get(stream, 1) - 1

    def pending(self, stream=None):
        """Records not acknowledged, of one stream or all; damage not yet read counts too."""
        total = 0
        for number, segments in self.segments.items():
            if stream is None or number == stream:
                total += sum([self._unacked(segment) for segment in segments])
        return total

    # ---- reading ----

    def reader(self):
        """A new Reader at the oldest unacknowledged record."""
        return Reader(self)

    def file_path(self, segment):
        """Path of a live segment."""
        return self.path + "/" + segment.name()

    def is_active(self, segment):
        """True while records are still appended to it."""
        active = self._active.get(segment.stream)
        return active is not None and active[0] is segment

    def first_unacked(self, stream, boot=None):
        """(boot, seq) of the oldest unacknowledged record held of a stream, or of one boot of it.

        (0, 0) if there is none. Damage that was not read yet counts as records.
        """
        for segment in self.segments.get(stream, ()):
            if boot in (None, segment.boot) and self._unacked(segment):
                return segment.boot, max(segment.first, self.mark(segment.boot, stream) + 1)
        return 0, 0

    # ---- damage ----

    @property
    def corrupt(self):
        """Records lost to damage in the files, as far as they were read."""
        total = self._state.corrupt
        for segments in self.segments.values():
            total += sum([segment.lost for segment in segments])
        return total

    def count_damage(self, segment, first, last):
        """Records first to last were found damaged; counted once, and not if acknowledged."""
        first = max(first, segment.checked + 1, self.mark(segment.boot, segment.stream) + 1)
        if last >= first:
            segment.lost += last - first + 1
            segment.checked = last
            log.warn("store", "%s: %d records damaged", segment.name(), last - first + 1)

    def shorten(self, segment, last):
        """Nothing can be read after number `last` of a finished segment; an empty rest goes."""
        segment.last = last
        if self._unacked(segment) == 0:
            self._let_go(segment)

    def _save_state(self):
        marks = self._state.marks
        for boot, stream in list(marks):
            if not self.first_unacked(stream, boot)[0] and boot != self.boot:
                del marks[(boot, stream)]
        self._unsaved_acks = 0
        self._state.save(self._flush)
