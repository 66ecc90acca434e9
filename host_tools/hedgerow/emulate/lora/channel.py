"""The radio channel: who hears whom. Path loss, noise, collisions with capture.

Sources: M. Bor et al., "Do LoRa Low-Power Wide-Area Networks Scale?" (MSWiM 2016): log-distance
path loss measured in a built-up place, capture from 6 dB, a frame survives what ends before the
last five symbols of its preamble; SX1276 datasheet table 13: SNR needed by spreading factor.
Different spreading factors, and inverted chirps (downlinks), do not disturb each other.
"""

import math
import random
from dataclasses import dataclass

from hedge.net.lorawan.airtime import airtime_us, symbol_us
from hedgerow.lns.adr import NEEDED_SNR_DB

_REFERENCE_M = 40.0
_REFERENCE_DB = 127.41
_EXPONENT = 2.08
_NOISE_FIGURE_DB = 6.0
_CAPTURE_DB = 6.0
_NEEDED_SYMBOLS = 5
_PREAMBLE_SYMBOLS = 12.25


@dataclass(frozen=True)
class Place:
    """Metres."""

    x_m: float
    y_m: float

    def distance_m(self, other: "Place") -> float:
        return math.hypot(self.x_m - other.x_m, self.y_m - other.y_m)


@dataclass(eq=False)
class Burst:
    """One transmission. downlink: chirps inverted, no CRC."""

    data: bytes
    hz: int
    sf: int
    bw_khz: int
    dbm: float
    place: Place
    begin_us: int
    downlink: bool
    sender: object

    @property
    def end_us(self) -> int:
        return self.begin_us + int(
            airtime_us(len(self.data), self.sf, self.bw_khz, not self.downlink)
        )

    @property
    def symbol_us(self) -> int:
        return int(symbol_us(self.sf, self.bw_khz))

    @property
    def locked_us(self) -> int:
        """From here on a receiver must hear it undisturbed."""
        return self.begin_us + int((_PREAMBLE_SYMBOLS - _NEEDED_SYMBOLS) * self.symbol_us)

    def same_air(self, other: "Burst") -> bool:
        mine = (self.hz, self.sf, self.bw_khz, self.downlink)
        return mine == (other.hz, other.sf, other.bw_khz, other.downlink)


class Channel:
    """shadow_db: standard deviation of what the path loss varies by, each time it is asked.

    loss: share of packets that vanish for no reason, at the receiver.
    """

    def __init__(self, seed: int = 1, shadow_db: float = 3.57, loss: float = 0.0):
        self._random = random.Random(seed)
        self._shadow_db = shadow_db
        self.loss = loss
        self._bursts: list[Burst] = []
        self.collided = 0
        self.too_weak = 0
        self.vanished = 0

    def add(self, burst: Burst) -> None:
        self._bursts = [b for b in self._bursts if b.end_us > burst.begin_us - 20_000_000]
        self._bursts.append(burst)

    def path_loss_db(self, distance_m: float) -> float:
        """Mean loss over this distance."""
        ratio = max(distance_m, 1.0) / _REFERENCE_M
        return _REFERENCE_DB + 10 * _EXPONENT * math.log10(ratio)

    def heard(self, burst: Burst, at: Place) -> tuple[float, float] | None:
        """(RSSI dBm, SNR dB) of a burst that ended, None if a receiver there does not get it."""
        rssi_dbm = self._rssi_dbm(burst, at) + self._random.gauss(0, self._shadow_db)
        snr_db = rssi_dbm - noise_dbm(burst.bw_khz)
        if snr_db < NEEDED_SNR_DB[burst.sf]:
            self.too_weak += 1
        elif any(self._spoils(other, burst, at, rssi_dbm) for other in self._bursts):
            self.collided += 1
        elif self._random.random() < self.loss:
            self.vanished += 1
        else:
            return round(rssi_dbm, 1), round(min(snr_db, 12.0), 1)  # SX1301 reports little more
        return None

    def _rssi_dbm(self, burst: Burst, at: Place) -> float:
        return burst.dbm - self.path_loss_db(burst.place.distance_m(at))

    def _spoils(self, other: Burst, burst: Burst, at: Place, rssi_dbm: float) -> bool:
        if other is burst or not other.same_air(burst):
            return False
        if other.end_us <= burst.locked_us or other.begin_us >= burst.end_us:
            return False
        return rssi_dbm < self._rssi_dbm(other, at) + _CAPTURE_DB

    def is_sending(self, sender: object, begin_us: int, end_us: int) -> bool:
        """Was this sender on the air in that time? Then it heard nothing."""
        return any(
            b.sender is sender and b.begin_us < end_us and b.end_us > begin_us
            for b in self._bursts
        )

    def detects(self, burst: Burst, opened_us: int, until_us: int | None) -> bool:
        """Does a receiver that listens in this window find the preamble?"""
        if opened_us > burst.locked_us:
            return False
        needed_us = max(opened_us, burst.begin_us) + _NEEDED_SYMBOLS * burst.symbol_us
        return until_us is None or needed_us <= until_us


def noise_dbm(bw_khz: int) -> float:
    """Thermal noise and noise figure."""
    return -174.0 + 10 * math.log10(bw_khz * 1000) + _NOISE_FIGURE_DB
