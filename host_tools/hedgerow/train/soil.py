"""Rows for training a "will it be dry" model from a daily soil recording.

    recording = read_recording(path)
    rows = make_rows(recording, features, thresholds, factors=(1.0, 1.2))

The features come from hedge.dsp.features, the code that runs on the board.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from hedge.dsp.features import DailyFeatures
from hedgerow.convert.features import compile_features
from hedgerow.errors import ConfigError

HORIZONS = (1, 2, 3)  # days
FROZEN_C = 0.5  # at or below, water in the pores may be ice, which the probe reads as dry
# role -> (column, ints per unit): what the drivers of hedge.drivers push.
WEATHER = {
    "air_temp": ("air_temp_c", 100),
    "air_humidity": ("rel_hum_pct", 100),
    "air_pressure": ("pressure_pa", 1),
}
SOIL = {"soil_vwc": ("vwc_pct", 100), "soil_temp": ("soil_temp_c", 100)}
_EPOCH = date(1970, 1, 1)
_NOON_S = 43200


@dataclass(frozen=True)
class Recording:
    """days: consecutive day numbers since 1970-01-01; columns: name -> float array, NaN = gap."""

    days: np.ndarray
    columns: Mapping[str, np.ndarray]

    @property
    def sensors(self) -> list[str]:
        """Names of the soil probes, e.g. E1_s1."""
        ending = "_vwc_pct"
        return sorted(name[: -len(ending)] for name in self.columns if name.endswith(ending))


@dataclass(frozen=True)
class Rows:
    """One row per (day, sensor, threshold). x: (n, features) int8; y: (n, 3) bool; day: (n,) last
    complete day; sensor: (n,) index; frozen, dry_now: (n,) bool; margin: (n,) (vwc - dry) / dry;
    factor: (n,) of the threshold.
    """

    x: np.ndarray
    y: np.ndarray
    day: np.ndarray
    sensor: np.ndarray
    frozen: np.ndarray
    dry_now: np.ndarray
    margin: np.ndarray
    factor: np.ndarray

    def where(self, mask: np.ndarray) -> "Rows":
        return Rows(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))


def read_recording(path: Path) -> Recording:
    """A CSV with a `date` column (YYYY-MM-DD); days left out become gaps. Raises ConfigError."""
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            table = list(csv.DictReader(file))
        numbers = [(date.fromisoformat(row["date"]) - _EPOCH).days for row in table]
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; give the recording with --data") from None
    except (KeyError, ValueError) as error:
        raise ConfigError(f"{path}: needs a column date of YYYY-MM-DD: {error}") from None
    if not numbers:
        raise ConfigError(f"{path}: no rows")
    days = np.arange(min(numbers), max(numbers) + 1)
    columns = {name: np.full(len(days), np.nan) for name in table[0] if name != "date"}
    for number, row in zip(numbers, table, strict=True):
        for name, values in columns.items():
            values[number - days[0]] = float(row[name]) if row[name] else np.nan
    return Recording(days, columns)


def channel_ints(values: np.ndarray, ints_per_unit: int) -> list[int | None]:
    """What a driver would push: scaled integers, None in a gap."""
    return [None if np.isnan(v) else int(np.floor(v * ints_per_unit + 0.5)) for v in values]


def daily_inputs(recording: Recording, sensor: str, roles: list[str]) -> list[tuple]:
    """One tuple of channel values per day, in the order of roles."""
    columns = []
    for role in roles:
        soil = role in SOIL
        column, ints_per_unit = SOIL[role] if soil else WEATHER[role]
        name = f"{sensor}_{column}" if soil else column
        columns.append(channel_ints(recording.columns[name], ints_per_unit))
    return list(zip(*columns, strict=True))


def node_plan(features: Mapping[str, Any], dry_pct: float) -> dict[str, Any]:
    """compile_features for a node whose channels are named after the roles."""
    roles = features["roles"]
    scales = {role: float((SOIL | WEATHER)[role][1]) for role in roles}
    return compile_features(features, {role: role for role in roles}, scales, {"dry_pct": dry_pct})


def run_daily_features(plan: Mapping[str, Any], days: np.ndarray, values: list[tuple]) -> tuple:
    """(ready (n,) bool, x (n, features) int8) of each day once it is complete, on board code."""
    daily = DailyFeatures(plan["specs"], len(plan["channels"]), plan["history"])
    ready = np.zeros(len(days), dtype=bool)
    x = np.zeros((len(days), len(plan["specs"])), dtype=np.int8)
    nothing = (None,) * len(plan["channels"])
    for i, day in enumerate(days):
        daily.push(int(day) * 86400 + _NOON_S, values[i])
        daily.push((int(day) + 1) * 86400, nothing)  # the next day begins: this one is complete
        ready[i] = daily.ready
        daily.vector_into(x[i])
    return ready, x


def labels(recording: Recording, sensor: str, dry_pct: float) -> tuple[np.ndarray, np.ndarray]:
    """(valid (n,) bool, y (n, 3) bool): dry on any of the next 1, 2, 3 days.

    A day is dry if its mean VWC is below dry_pct and the soil is not frozen: frozen soil reads
    dry, holds water, and cannot be watered. Valid: the next three days have both readings.
    """
    vwc = recording.columns[f"{sensor}_vwc_pct"]
    temp = recording.columns[f"{sensor}_soil_temp_c"]
    n = len(vwc)
    valid = np.ones(n, dtype=bool)
    dry = np.zeros(n, dtype=bool)
    y = np.zeros((n, len(HORIZONS)), dtype=bool)
    for ahead in HORIZONS:
        v, t = np.full((2, n), np.nan)
        v[:-ahead], t[:-ahead] = vwc[ahead:], temp[ahead:]
        valid &= ~np.isnan(v) & ~np.isnan(t)
        dry |= (v < dry_pct) & (t > FROZEN_C)
        y[:, ahead - 1] = dry
    return valid, y


def make_rows(
    recording: Recording,
    features: Mapping[str, Any],
    thresholds: Mapping[str, float],
    *,
    factors: tuple[float, ...] = (1.0,),
) -> Rows:
    """All valid rows. thresholds: sensor -> dry VWC in %; each is also tried times each factor."""
    parts = []
    for index, sensor in enumerate(recording.sensors):
        values = daily_inputs(recording, sensor, list(features["roles"]))
        vwc = recording.columns[f"{sensor}_vwc_pct"]
        frozen = recording.columns[f"{sensor}_soil_temp_c"] <= FROZEN_C
        for factor in factors:
            dry_pct = thresholds[sensor] * factor
            ready, x = run_daily_features(node_plan(features, dry_pct), recording.days, values)
            valid, y = labels(recording, sensor, dry_pct)
            keep = ready & valid
            same = np.full(len(vwc), index)
            rows = Rows(
                x,
                y,
                recording.days,
                same,
                frozen,
                vwc < dry_pct,
                (vwc - dry_pct) / dry_pct,
                np.full(len(vwc), factor),
            )
            parts.append(rows.where(keep))
    names = Rows.__dataclass_fields__
    return Rows(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))
