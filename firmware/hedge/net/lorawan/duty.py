"""When the air may be used again: per band of the region, and the network's own limit.

Source: ETSI EN 300 220-2; LoRaWAN L2 1.0.4 section 5.3 (DutyCycleReq) and 7 (join back-off).
"""

from ...core import clock

_ALL = -1


class Duty:
    """After each transmission its band rests for airtime * (1 / share - 1)."""

    def __init__(self, region):
        self._region = region
        self._rests = {}  # band -> (ticks when it began, its length in ms)
        self.airtime_ms = 0  # sent since the start

    def sent(self, hz, airtime_ms, divider=1):
        """A transmission of airtime_ms on hz has just ended. divider: of DutyCycleReq."""
        self.airtime_ms += airtime_ms
        permille = self._region.duty_permille(hz)
        if 0 < permille < 1000:
            self._rest(self._region.band_of(hz), airtime_ms * (1000 - permille) // permille)
        if divider > 1:
            self._rest(_ALL, airtime_ms * (divider - 1))

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
