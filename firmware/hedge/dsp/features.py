"""Daily features: samples of the day -> statistics per day -> int8 vector for the model.

    daily = DailyFeatures(specs, channels=5, history=8)
    daily.push(epoch_s, (2310, 1542, 1820, 6400, 100950))  # ints per channel, None if unhealthy
    if daily.ready:
        daily.vector_into(model.input)

From -> to (DESIGN.md): filter -> features is a sequence of channel ints, features -> model an
int8 vector quantised with the model's scale and zero point. Training runs this same file under
CPython, so board and recipe agree by construction. Integers only.

A spec is nine ints, made by hedgerow.convert.features.compile_features:

    (channel, stat, lag, days, minus_lag, offset, mult_q16, zero_point, required)

    channel     index into the pushed values; -1 for the season
    stat        MEAN MIN MAX RANGE LAST of a day's samples; YEAR_SIN, YEAR_COS of the day itself
    lag         0 = the last complete day, 1 = the day before it, ...
    days        average of the statistic over `days` days, lag .. lag+days-1; days without
                samples are left out
    minus_lag   -1, or subtract the same average taken at this lag: a change
    offset, mult_q16, zero_point
                q = clamp(zero_point + round((x - offset) * mult_q16 / 65536)) to -128..127;
                a missing x gives q = zero_point, which training made the neutral value
    required    1: `ready` is False while this feature is missing

Memory: 4 bytes per (day of history, statistic used), plus 24 per channel. push() does not
allocate while sums fit a small int (on 32-bit boards 2**30: they are kept relative to the first
sample of the day); the rest runs once a day and may.
"""

import array
import struct

from ..core.errors import ModelError

MEAN = 0
MIN = 1
MAX = 2
RANGE = 3
LAST = 4
YEAR_SIN = 5  # 10000 * sin(2 pi * day of year / 365.25), day 0 = 1 January
YEAR_COS = 6

SPEC_LEN = 9
_DAY_S = 86400
_MISSING = -0x80000000
_NO_DAY = -1
_STATE = "<BBBBii"  # version, history, channels, columns, check of the specs, current day
_TODAY = "<Iiqiii"  # count, first, sum relative to first, min, max, last
_STATE_VERSION = 1


def clamp_int8(value):
    """value limited to -128..127."""
    return -128 if value < -128 else min(value, 127)


def year_sin(quarter_days):
    """10000 * sin of a turn of 1461 quarter days, within 17 of the true value; any int.

    Bhaskara I's rational approximation, so every board gets the same integers.
    """
    turn = quarter_days % 1461
    sign = 1
    if 2 * turn >= 1461:
        turn = 2 * turn - 1461
        sign = -1
    else:
        turn = 2 * turn  # now in units where pi = 1461
    product = turn * (1461 - turn)
    return sign * (10000 * 16 * product // (5 * 1461 * 1461 - 4 * product))


class _Day:
    """Statistics of one channel over the samples of the current day."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.count = self.first = self.sum = self.min = self.max = self.last = 0

    def add(self, value):
        if not self.count:
            self.first = self.min = self.max = value
            self.sum = 0
        self.count += 1
        self.sum += value - self.first
        self.last = value
        self.min = min(self.min, value)
        self.max = max(self.max, value)

    def value(self, stat):
        """The statistic, or _MISSING if there was no sample. MEAN rounds half up."""
        if not self.count:
            return _MISSING
        if stat == MEAN:
            return self.first + (2 * self.sum + self.count) // (2 * self.count)
        if stat == RANGE:
            return self.max - self.min
        return (self.min, self.max, None, self.last)[stat - MIN]

    def pack(self):
        return struct.pack(_TODAY, self.count, self.first, self.sum, self.min, self.max, self.last)

    def unpack(self, data, at):
        values = struct.unpack_from(_TODAY, data, at)
        self.count, self.first, self.sum, self.min, self.max, self.last = values


class DailyFeatures:
    """Keeps `history` complete days of the statistics that the specs ask for.

    specs: sequence of nine-int sequences (module docstring). channels: length of the pushed
    values. history: complete days kept. day_offset_s: a day runs from 00:00 UTC + this.
    min_samples: days with fewer good samples of a channel count as missing for it.
    Raises ModelError if a spec does not fit.
    """

    def __init__(self, specs, channels, history, day_offset_s=0, min_samples=1):
        self._specs = [_checked(spec, channels, history) for spec in specs]
        self._history = history
        self._offset_s = day_offset_s
        self._min_samples = min_samples
        self._today = [_Day() for _ in range(channels)]
        self._columns = []  # distinct (channel, stat)
        for spec in self._specs:
            if spec[0] >= 0 and (spec[0], spec[1]) not in self._columns:
                self._columns.append((spec[0], spec[1]))
        self._days = array.array("i", [_NO_DAY] * history)
        self._rows = array.array("i", [_MISSING] * (history * len(self._columns)))
        self._current = _NO_DAY

    def __len__(self):
        """Number of features: the length of the model's input."""
        return len(self._specs)

    @property
    def day(self):
        """Number of the last complete day since 1970-01-01 (lag 0), or -1 before any sample."""
        return self._current - 1 if self._current > 0 else _NO_DAY

    @property
    def ready(self):
        """True if no required feature is missing for the last complete day."""
        if self._current == _NO_DAY:
            return False
        for spec in self._specs:
            if spec[8] and self._real(spec) is None:
                return False
        return True

    def push(self, epoch_s, values):
        """Add one sample of every channel; True if this sample is the first of a new day.

        epoch_s: 0 (clock not set) is ignored. values: one int or None per channel. Time may jump:
        days passed over are missing, and after a jump back the days that now lie ahead are
        no longer seen.
        """
        if epoch_s <= 0:
            return False
        day = (epoch_s - self._offset_s) // _DAY_S
        new_day = day != self._current
        if new_day:
            self._roll(day)
        for i in range(len(self._today)):
            value = values[i]
            if value is not None:
                self._today[i].add(value)
        return new_day

    def _roll(self, day):
        if self._current != _NO_DAY:
            self._close_day()
        for today in self._today:
            today.clear()
        self._current = day

    def _close_day(self):
        slot = self._current % self._history
        self._days[slot] = self._current
        at = slot * len(self._columns)
        for channel, stat in self._columns:
            today = self._today[channel]
            enough = today.count >= self._min_samples
            self._rows[at] = today.value(stat) if enough else _MISSING
            at += 1

    def _past(self, column, lag):
        """The statistic of the day `lag` before the last complete one, or _MISSING."""
        day = self._current - 1 - lag
        slot = day % self._history
        if day < 0 or self._days[slot] != day:
            return _MISSING
        return self._rows[slot * len(self._columns) + column]

    def _average(self, column, lag, days):
        """Mean over the days that have it, rounded half up; None if none has."""
        total = count = 0
        for back in range(lag, lag + days):
            value = self._past(column, back)
            if value != _MISSING:
                total += value
                count += 1
        return (2 * total + count) // (2 * count) if count else None

    def _real(self, spec):
        """The feature in channel units, before offset and scale; None if missing."""
        if spec[1] == YEAR_SIN or spec[1] == YEAR_COS:
            quarter = 4 * (self._current - 1 - spec[2]) + 365 * (spec[1] == YEAR_COS)
            return year_sin(quarter)
        column = self._columns.index((spec[0], spec[1]))
        value = self._average(column, spec[2], spec[3])
        if value is None or spec[4] < 0:
            return value
        before = self._average(column, spec[4], spec[3])
        return None if before is None else value - before

    def vector_into(self, out):
        """Write one int8 per feature; returns how many were missing and so neutral.

        out: writable int8 sequence of at least len(self), e.g. Model.input. Raises ModelError
        before any sample has come, leaving out untouched.
        """
        if self._current == _NO_DAY:
            raise ModelError("features: no sample yet")
        missing = 0
        for i, spec in enumerate(self._specs):
            value = self._real(spec)
            if value is None:
                missing += 1
                out[i] = spec[7]
            else:
                out[i] = clamp_int8(spec[7] + (((value - spec[5]) * spec[6] + 32768) >> 16))
        return missing

    def _check_value(self):
        """31-bit sum over specs and settings: a state is only restored to what wrote it."""
        total = self._offset_s % _DAY_S
        for column in self._columns:
            total = (total * 31 + column[0] * 16 + column[1] + 1) & 0x3FFFFFFF
        return total

    def state(self):
        """Bytes that restore() takes back after a reset; about 24 per channel + the history."""
        head = struct.pack(
            _STATE,
            _STATE_VERSION,
            self._history,
            len(self._today),
            len(self._columns),
            self._check_value(),
            self._current,
        )
        parts = [head, bytes(self._days), bytes(self._rows)]
        parts.extend(today.pack() for today in self._today)
        return b"".join(parts)

    def restore(self, state):
        """Take back what state() gave. Returns False, changing nothing, if it does not fit.

        It does not fit if the model's features changed, or if the bytes are of another length.
        The caller guards against damage (hedge.store.kv has a CRC).
        """
        days_at = struct.calcsize(_STATE)
        rows_at = days_at + 4 * len(self._days)
        today_at = rows_at + 4 * len(self._rows)
        if len(state) != today_at + struct.calcsize(_TODAY) * len(self._today):
            return False
        head = struct.unpack_from(_STATE, state, 0)
        wanted = (_STATE_VERSION, self._history, len(self._today), len(self._columns))
        if head[:4] != wanted or head[4] != self._check_value():
            return False
        self._current = head[5]
        self._days = array.array("i", state[days_at:rows_at])
        self._rows = array.array("i", state[rows_at:today_at])
        for i, today in enumerate(self._today):
            today.unpack(state, today_at + i * struct.calcsize(_TODAY))
        return True


def _checked(spec, channels, history):
    """The spec as a tuple of ints; raises ModelError naming what does not fit."""
    spec = tuple(spec)
    if len(spec) != SPEC_LEN or not all(isinstance(n, int) for n in spec):
        raise ModelError("features: a spec is %d ints, got %r" % (SPEC_LEN, spec))
    channel, stat, lag, days, minus_lag = spec[:5]
    season = stat in (YEAR_SIN, YEAR_COS)
    if not MEAN <= stat <= YEAR_COS or season != (channel == -1):
        raise ModelError("features: unknown statistic in %r" % (spec,))
    if not -1 <= channel < channels:
        raise ModelError("features: no channel %d, there are %d" % (channel, channels))
    if lag < 0 or days < 1 or max(lag, minus_lag) + days > history:
        raise ModelError("features: %r looks back more than %d days" % (spec, history))
    return spec
