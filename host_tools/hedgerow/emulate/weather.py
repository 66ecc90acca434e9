"""Daily weather for the simulated field: a real series, or a seeded generator. Host only.

    weather = load_weather("seattle", start=date(2015, 5, 1), days=120)
    weather.source   # one sentence for the page and the JSON: what is measured, what is made up
    weather.days     # rows for emulate.field.Field

The real series is NOAA's daily summary of Seattle, 2012-2015, as the PyPI package vega-datasets
ships it (public domain). It holds no air pressure and no humidity. Pressure anomalies are made up
here from the day's weather class; humidity is left to the field (dew point = minimum temperature).
"""

import csv
import importlib.util
import math
import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from hedgerow.errors import ConfigError

Row = list[float]  # [rain_mm, temp_min_c, temp_max_c, pressure_anomaly_pa]

_CYCLE_DAYS = 1461  # four years: the calendar repeats, so days beyond the series borrow from it
_ANOMALY_PA = {"sun": 600.0, "fog": 400.0, "drizzle": -200.0, "rain": -800.0, "snow": -500.0}
_SEATTLE = "NOAA daily weather of Seattle, 2012-2015 (vega-datasets); pressure swings are made up"
_GENERATED = "generated daily weather (seed {seed}), not measured"

KINDS = ("seattle", "generated")


@dataclass(frozen=True)
class Weather:
    """Days of weather from `first` on; `measured` is False for a generated series."""

    source: str
    measured: bool
    first: date
    days: list[Row]


def load_weather(kind: str, start: date, days: int, seed: int = 0) -> Weather:
    """Days of one of KINDS; without the data package "seattle" becomes "generated" (see source).

    Raises ConfigError for an unknown kind or a damaged file.
    """
    if kind not in KINDS:
        raise ConfigError(f"unknown weather {kind!r}; choose one of {', '.join(KINDS)}")
    path = _seattle_file() if kind == "seattle" else None
    if path is None:
        rows = _generate(start, days, seed)
        return Weather(_GENERATED.format(seed=seed), False, start, rows)
    first, series = _read_seattle(path)
    offset = (start - first).days
    cycle = [series[(offset + i) % _CYCLE_DAYS] for i in range(days)]
    return Weather(_SEATTLE, True, start, cycle)


def _seattle_file() -> Path | None:
    # find_spec instead of import: importing the package would load pandas, half a second.
    spec = importlib.util.find_spec("vega_datasets")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / "_data" / "seattle-weather.csv"
    return path if path.is_file() else None


def _read_seattle(path: Path) -> tuple[date, list[Row]]:
    with path.open(newline="") as file:
        records = list(csv.DictReader(file))
    try:
        rows = [_row(record) for record in records]
        first = date.fromisoformat(records[0]["date"].replace("/", "-"))
    except (KeyError, ValueError, IndexError) as error:
        raise ConfigError(f"{path}: not the expected weather table: {error!r}") from error
    if len(rows) != _CYCLE_DAYS:
        raise ConfigError(f"{path}: {len(rows)} days instead of {_CYCLE_DAYS}")
    return first, rows


def _row(record: dict[str, str]) -> Row:
    anomaly = _ANOMALY_PA.get(record["weather"], 0.0)
    values = [float(record[key]) for key in ("precipitation", "temp_min", "temp_max")]
    return [*values, anomaly]


def _generate(start: date, days: int, seed: int) -> list[Row]:
    """A temperate summer-dry year: Markov chain of wet days, AR(1) temperature.

    After C. W. Richardson, Stochastic simulation of daily precipitation, temperature and solar
    radiation, Water Resources Research 17 (1981) 182-190; the parameters are round numbers.
    """
    source = random.Random(seed)
    wet, drift, rows = False, 0.0, []
    for i in range(days):
        season = math.cos(2 * math.pi * ((start + timedelta(i)).timetuple().tm_yday - 200) / 365)
        wet = source.random() < (0.55 if wet else 0.25) - 0.15 * season
        drift = 0.7 * drift + source.gauss(0, 1.8)
        mean = 11.0 + 8.0 * season + drift - (1.5 if wet else 0.0)
        spread = 6.0 if wet else 11.0 + 2.0 * season
        rain = round(source.expovariate(1 / 5.0), 1) if wet else 0.0
        anomaly = _ANOMALY_PA["rain" if wet else "sun"]
        rows.append([rain, round(mean - spread / 2, 1), round(mean + spread / 2, 1), anomaly])
    return rows
