"""What a node keeps: selected values and all events, as SenML records in the store.

From -> to (DESIGN.md): rule -> store, one SenML-CBOR pack per record, 12 to 40 bytes, events with
their cause up to 160. The node never stops for the store: a record that cannot be kept is counted
in `lost`, and `drops()` tells once in a while what the store had to give up.
"""

from .core import clock, log
from .core.errors import StoreError
from .dsp.report import Deadband, Summary
from .wire import senml

EVENTS = 0
TELEMETRY = 1
DIAG = 2

MAX_TEXT = 110  # characters of a cause: with its names it stays below 160 bytes
_TELL_DROPS_S = 6 * 3600


class _Report:
    """One [[record]]: when and how channel `i` is recorded."""

    def __init__(self, i, channel, deadband, max_s, summary_s, mean_only, stream):
        self.i = i
        self.mean_only = mean_only
        self.channel = channel
        self.stream = stream
        self.change = Deadband(deadband, max_s) if deadband >= 0 or max_s else None
        self.summary = Summary(summary_s) if summary_s else None


class Recorder:
    """Owns no file: `store` is a Store or None, `on_append()` is called after each record."""

    def __init__(self, store, on_append=None):
        self.created = 0
        self.lost = 0  # could not be appended at all
        self._failing = False  # the last one was lost: it is told when writing works again
        self._store = store
        self._on_append = on_append
        self._reports = []
        self._told = ({}, 0)  # drops and losses already told
        self._told_s = None

    def add(
        self, i, channel, deadband=-1, max_s=0, summary_s=0, mean_only=False, stream=TELEMETRY
    ):
        """Record value i of the vector: see Deadband and Summary for the arguments (ints).

        mean_only: of a summary keep the mean, not minimum and maximum.
        """
        self._reports.append(_Report(i, channel, deadband, max_s, summary_s, mean_only, stream))

    def write(self, stream, entries, time_s=None):
        """One record; entries: (name, unit or None, value). Never raises."""
        if time_s is None:
            time_s = clock.epoch_s()
        try:
            if self._store is None:
                raise StoreError("no store")
            self._store.append(stream, senml.encode(time_s, entries))
        except (StoreError, MemoryError) as error:
            if not self.lost:
                log.warn("store", "record lost: %r", error)
            self.lost += 1
            self._failing = True
            return
        self._failing = False
        self.created += 1
        if self._on_append:
            self._on_append()

    def event(self, name, value, text_name=None, text=""):
        """An event with one value and, if named, one text."""
        entries = [(name, None, value)]
        if text_name:
            entries.append((text_name, None, text[:MAX_TEXT]))
        self.write(EVENTS, entries)

    def values(self, values, epoch_s, local_s, now_s):
        """Record what of a tick's values is worth it. local_s: for the windows of summaries."""
        for report in self._reports:
            value = values[report.i]
            if report.change and report.change.due(value, now_s):
                self._value(report, value, epoch_s)
            done = report.summary and report.summary.add(value, local_s)
            if done:
                self._summary(report, done, epoch_s - (local_s - done[4]))

    def _value(self, report, value, epoch_s):
        channel = report.channel
        entry = (channel.name, channel.unit, real(value, channel.scale))
        self.write(report.stream, [entry], epoch_s)

    def _summary(self, report, done, time_s):
        channel = report.channel
        low, mean, high = done[:3]
        entries = [(channel.name + ".mean", channel.unit, real(mean, channel.scale))]
        if not report.mean_only:
            entries.insert(0, (channel.name + ".min", channel.unit, real(low, channel.scale)))
            entries.append((channel.name + ".max", channel.unit, real(high, channel.scale)))
        self.write(report.stream, entries, max(time_s, 0))

    def drops(self, now_s):
        """Say what was dropped or could not be kept since the last time, every six hours at most.

        Counts are totals: dropped since the log was begun, lost since this start.
        """
        if self._store is None or not self._store.boot or self._failing:
            return
        recent = self._told_s is not None and now_s - self._told_s < _TELL_DROPS_S
        dropped, lost = self._store.dropped, self.lost
        if recent or (dropped, lost) == self._told:
            return
        self._told = (dict(dropped), lost)
        self._told_s = now_s
        entries = [("store.dropped", None, sum(dropped.values())), ("store.lost", None, lost)]
        for stream in sorted(dropped):
            entries.append(("store.dropped.%d" % stream, None, dropped[stream]))
        self.write(EVENTS, entries)


def real(value, scale):
    """A scaled int as the number that is sent: an int where it can be."""
    return value // scale if value % scale == 0 else value / scale
