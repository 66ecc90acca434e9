"""The gateways: where they are reached, when their transmitter is free, what the law lets them.

A gateway hears nothing while it sends and has one transmitter. It reports the end of each packet
in microseconds of its own counter (tmst), and sends at a value of that counter.
"""

from dataclasses import dataclass, field

from hedge.net.lorawan.airtime import airtime_us
from hedge.net.lorawan.region import Region
from hedgerow.lns.semtech import Rx, Tx

_WRAP = 1 << 32
_KEEP_US = 20_000_000
_GAP_US = 2_000  # between two transmissions


@dataclass
class Gateway:
    """address: of its PULL_DATA; times in seconds of the server's clock."""

    eui: bytes
    address: object = None
    version: int = 2
    uplinks: int = 0
    downlinks: int = 0
    refused: int = 0
    last_seen_s: float = 0.0
    _busy_us: list[tuple[int, int]] = field(default_factory=list)
    _rests_s: dict[int, tuple[float, float]] = field(default_factory=dict)  # begin, length

    def is_free(self, tx: Tx, region: Region, now_s: float) -> bool:
        """May and can it send this?"""
        if self._is_resting(region.band_of(tx.hz), now_s):
            return False
        if tx.tmst_us is None:
            return True
        begin, end = _span(tx)
        return all(_apart(begin, end, *other) for other in self._busy_us)

    def _is_resting(self, band: int, now_s: float) -> bool:
        """A clock that was set back makes it rest once more, not until that time comes again."""
        begin_s, length_s = self._rests_s.get(band, (now_s, 0.0))
        if now_s < begin_s:
            begin_s = now_s
            self._rests_s[band] = begin_s, length_s
        return now_s < begin_s + length_s

    def reserve(self, tx: Tx, region: Region, now_s: float) -> None:
        """It will send this: the time and the band's share are taken."""
        self._rests_s[region.band_of(tx.hz)] = now_s, rest_s(tx, region)
        if tx.tmst_us is not None:
            begin, end = _span(tx)
            self._busy_us = [b for b in self._busy_us if (begin - b[1]) % _WRAP < _KEEP_US]
            self._busy_us.append((begin, end))
        self.downlinks += 1


def rest_s(tx: Tx, region: Region) -> float:
    """From its beginning until the band may be used again."""
    permille: int = region.duty_permille(tx.hz)
    return _length_us(tx) / 1e3 / permille if permille else 1e9


def _length_us(tx: Tx) -> int:
    return int(airtime_us(len(tx.data), tx.sf, tx.bw_khz, False))


def _span(tx: Tx) -> tuple[int, int]:
    begin = tx.tmst_us or 0
    return begin, (begin + _length_us(tx) + _GAP_US) % _WRAP


def _apart(begin: int, end: int, other_begin: int, other_end: int) -> bool:
    """True if two spans of a wrapping counter do not overlap."""
    return (begin - other_end) % _WRAP < _WRAP // 2 or (other_begin - end) % _WRAP < _WRAP // 2


def best_first(heard: list[Rx]) -> list[Rx]:
    """One reception per gateway, the clearest first."""
    best: dict[bytes, Rx] = {}
    for rx in heard:
        before = best.get(rx.gateway)
        if before is None or rx.snr_db > before.snr_db:
            best[rx.gateway] = rx
    return sorted(best.values(), key=lambda rx: (-rx.snr_db, -rx.rssi_dbm))
