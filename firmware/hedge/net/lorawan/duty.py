"""When the air may be used again: per band of the region, and the network's own limit.

Source: ETSI EN 300 220-2; LoRaWAN L2 1.0.4 section 5.3 (DutyCycleReq) and 7 (join back-off).

What a band owes outlives a reset. A rest is durable before the transmission that it follows, so
cheaply that most transmissions write nothing: kept is the longest rest of the latest block of
counters, rounded up, in the writes of these. A start lets the bands rest for so long; where it
finds a clock that ran on since an orderly end, settle(), only for what is left. The back-off of
joins begins anew with a reset, as section 7 has it.
"""

from ...core import clock

_ALL = -1


class Duty:
    """After each transmission its band rests for airtime * (1 / share - 1). kv: the session's."""

    def __init__(self, region, kv):
        self._region = region
        self._kv = kv
        self._rests = {}  # band -> (ticks when it began, its length in ms)
        self._kept = kv.get("owed") or {}  # band -> ms, durable
        self._since = dict(self._kept)  # the same of this block of counters
        self._settled = kv.get("ends") is not None
        self._on_air = False
        self.airtime_ms = 0  # sent since the start
        self._rest_from_start()

    def _rest_from_start(self):
        ends, now_s = self._kv.get("ends"), clock.epoch_s()
        for band, ms in self._kept.items():
            if self._settled and now_s:
                ms = min(max(ends.get(band, 0) - now_s, 0) * 1000, ms)
            self._rest(band, ms)

    def before(self, hz, airtime_ms, divider=1):
        """A transmission is about to begin. Raises StoreError: then it must not.

        divider: of DutyCycleReq.
        """
        kept = dict(self._kept)
        for band, ms in self._rests_after(hz, airtime_ms, divider):
            longest_ms = _rounded_up(ms)
            self._since[band] = max(self._since.get(band, 0), longest_ms)
            if ms > kept.get(band, 0):
                kept[band] = longest_ms
        if self._settled or kept != self._kept:
            self._keep(kept)
            self._kv.save()
            self._kept, self._settled = kept, False
        self._on_air = True

    def sent(self, hz, airtime_ms, divider=1):
        """It has just ended."""
        self._on_air = False
        self.airtime_ms += airtime_ms
        for band, ms in self._rests_after(hz, airtime_ms, divider):
            self._rest(band, ms)

    def _rests_after(self, hz, airtime_ms, divider):
        """[(band, ms)]"""
        found = []
        permille = self._region.duty_permille(hz)
        if 0 < permille < 1000:
            rest_ms = airtime_ms * (1000 - permille) // permille
            found.append((self._region.band_of(hz), rest_ms))
        if divider > 1:
            found.append((_ALL, airtime_ms * (divider - 1)))
        return found

    def next_block(self):
        """A block of counters begins: the save that comes with it keeps what is owed now."""
        for band in self._kept:
            left_ms = self._left_ms(band)
            if left_ms > self._since.get(band, 0):
                self._since[band] = _rounded_up(left_ms)
        self._kept, self._since = self._since, {}
        self._keep(self._kept)

    def settle(self):
        """An orderly end: a clock that runs on will tell what is left. Raises StoreError."""
        now_s = clock.epoch_s()
        if not now_s or not self._kept or self._on_air:
            return  # cancelled in a transmission: its task has not yet told us
        bands = [band for band in self._kept if self._left_ms(band)]
        self._kv.set("ends", {band: now_s + self._left_ms(band) // 1000 + 1 for band in bands})
        self._kv.save()
        self._settled = True

    def _keep(self, kept):
        self._kv.set("owed", kept)
        self._kv.set("ends", None)

    def rest_all(self, ms):
        """Nothing is sent for ms: the back-off of joins."""
        self._rest(_ALL, ms)

    def _rest(self, band, ms):
        self._rests[band] = (clock.ticks_ms(), ms)

    def wait_ms(self, hz):
        """How long until hz may be used; 0 for now."""
        if not self._region.duty_permille(hz):
            return 1 << 29  # outside every band: never
        return max(self._left_ms(_ALL), self._left_ms(self._region.band_of(hz)))

    def _left_ms(self, band):
        if band not in self._rests:
            return 0
        began_ms, length_ms = self._rests[band]
        passed_ms = clock.ticks_diff(clock.ticks_ms(), began_ms)
        if 0 <= passed_ms < length_ms:  # negative: the ticks wrapped long ago
            return length_ms - passed_ms
        del self._rests[band]
        return 0


def _rounded_up(ms):
    """To three bits, an eighth to a quarter more: payloads of many sizes cost few writes."""
    step_ms = 1
    while ms // step_ms >= 8:
        step_ms <<= 1
    return (ms // step_ms + 1) * step_ms
