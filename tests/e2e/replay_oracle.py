"""What the soil template must decide on a recording of daily values, without the device's code.

NumPy for features and network (hedgerow.train.replay), plain Python for sensors, rules and pump;
written from PLAN.md, the data sheets and the template, for a recording played back hour by hour.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hedgerow import paths
from hedgerow.convert.importer import read_tflite
from hedgerow.train.replay import replay

HOUR_S, DAY_S = 3600, 86400
CHANNELS = ("soil.vwc", "ground.temp", "air.temp", "air.humidity", "air.pressure")
_SCALES = (100, 100, 100, 100, 1)
_MODEL_HOUR = 5
_WINDOW_H = range(4, 8)
_ON_S = 900
_HOLD_OFF_S = 43200
_MOST_S_PER_DAY = 1800


@dataclass
class Oracle:
    """starts: local seconds at which the pump goes on. p: {day: dry_2d as int of 1/10000}."""

    starts: list[tuple[int, str]]
    dry_2d: dict[int, int]


def probe_centi_pct(vwc_pct: float, dry_mv: int = 2400, wet_mv: int = 1100) -> int:
    """What the driver reads from the probe through a 12-bit ADC of 3.3 V; 0..50 % by default."""
    mv = dry_mv + (wet_mv - dry_mv) * vwc_pct / 50.0
    raw = int(mv * 4095 / 3300 + 0.5)
    read_mv = (raw * 3300000 // 4095 + 500) // 1000
    return int(np.floor((dry_mv - read_mv) * 5000 / (dry_mv - wet_mv) + 0.5))


def ds18b20_centi_c(temp_c: float) -> int:
    """Sixteenths of a degree, then rounded to hundredths."""
    sixteenths = int(np.floor(temp_c * 16 + 0.5))
    return int(np.floor(sixteenths * 6.25 + 0.5))


def _as_read(channel: int, value: float) -> float:
    if np.isnan(value):
        return np.nan
    if channel == 0:
        return probe_centi_pct(value)
    if channel == 1:
        return ds18b20_centi_c(value)
    return np.floor(value * _SCALES[channel] + 0.5)


def decide(model_plan: dict, first_day: int, values: np.ndarray) -> Oracle:
    """values: (days, 5) floats in CHANNELS order, NaN in gaps; first_day since 1970-01-01."""
    read = np.array([[_as_read(c, row[c]) for c in range(5)] for row in values])
    days = first_day + np.arange(len(read))
    tflite = paths.share_dir("models") / "soil_dry" / "soil_dry.tflite"
    result = replay(model_plan, read_tflite(tflite.read_bytes()), days, read)
    forecast = {
        int(day) + 1: int(p[1] * 10000 + 0.5) if ready else None
        for day, p, ready in zip(days, result.p, result.ready, strict=True)
    }
    oracle = Oracle([], {day: p for day, p in forecast.items() if p is not None})
    _Rules(oracle).run(first_day, read, forecast)
    return oracle


class _Rules:
    """The two rules of the template on hourly ticks."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle
        self._below_14 = False
        self._ended = {"water": -DAY_S, "water-plain": -DAY_S}
        self._off_s = -DAY_S
        self._day_starts = {"water": 0, "water-plain": 0}

    def run(self, first_day: int, read: np.ndarray, forecast: dict[int, int | None]) -> None:
        for index, row in enumerate(read):
            self._day_starts = dict.fromkeys(self._day_starts, 0)
            for hour in range(24):
                day = first_day + index
                dry_2d = forecast.get(day if hour >= _MODEL_HOUR else day - 1)
                self._tick(day * DAY_S + hour * HOUR_S, hour, row, dry_2d)

    def _tick(self, now_s: int, hour: int, row: np.ndarray, dry_2d: int | None) -> None:
        soil, ground = row[0], row[1]
        # Unknown below gives False: NaN compares false, and only true starts a pump.
        self._below_14 = bool(soil < 1400 or (self._below_14 and soil < 1500))
        soil_ok = not np.isnan(soil) and not np.isnan(ground) and ground > 200
        air_ok = not np.isnan(row[2:5]).all()
        in_window = hour in _WINDOW_H
        if not (soil_ok and in_window):
            return
        by_model = dry_2d is not None and dry_2d >= 2000 and self._below_14 and air_ok
        if by_model and self._start("water", now_s, 2):
            return
        if (dry_2d is None or not air_ok) and soil < 1050:
            self._start("water-plain", now_s, 1)

    def _start(self, rule: str, now_s: int, most: int) -> bool:
        held = now_s - self._ended[rule] < _HOLD_OFF_S
        used_s = sum(self._day_starts.values()) * _ON_S
        if held or self._day_starts[rule] >= most or used_s + _ON_S > _MOST_S_PER_DAY:
            return False
        self._day_starts[rule] += 1
        self._ended[rule] = now_s + _ON_S
        self._oracle.starts.append((now_s, rule))
        return True


def plan_of(folder: Path) -> dict:
    """The compiled model section that the node ran with."""
    return json.loads((folder / "node" / "plan.json").read_text())["model"]
