"""Recipe of soil_dry: recordings -> .tflite, .hgm, features, scores, vectors and picture.

    python models/soil_dry/train.py              data from ../shared, or --data FILE
    python models/soil_dry/train.py --select     how the size of the network was chosen

Needs hedgerow[train]. Takes about half a minute on one core. Choices and their reasons are in the
model card (README.md); the numbers in it are written by this file.
"""

import argparse
import json
import sys
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from hedgerow.convert import reference
from hedgerow.convert.convert import Conversion, convert
from hedgerow.errors import ToolError
from hedgerow.train import card, soil
from hedgerow.train.graph_writer import write_graph
from hedgerow.train.quantize import quantize_dense
from hedgerow.train.scores import brier, brier_difference, precision_recall_f1, score
from hedgerow.train.tflite_writer import Quant

HERE = Path(__file__).resolve().parent
DATA = HERE.parent.parent.parent / "shared/data/agriculture/soil_moisture_daily/soil_daily.csv"
# % VWC, 25 % quantile of each probe over the whole recording (its SOURCE.md).
THRESHOLDS = {"E1_s1": 9.95, "E1_s2": 14.86, "E2_s1": 8.04, "E3_s1": 7.51}
# Training also sees other thresholds: a site sets its own, and dry spells are few.
FACTORS = (0.85, 1.0, 1.2, 1.4, 1.7, 2.0)
TRAIN_LAST = date(2020, 4, 27)  # labels reach 3 days further
TEST_FIRST = date(2020, 5, 4)  # features reach 3 days back
FROZEN_TRAIN_LAST = date(2019, 10, 25)
FROZEN_TEST = (date(2019, 11, 1), TRAIN_LAST)
HIDDEN = (16, 8)
ALPHA = 1.0  # L2
SEED = 0
# Held out one by one for --select: whole seasons, because shorter blocks reward overfitting.
SEASONS = (
    (date(2018, 7, 1), date(2018, 11, 15)),
    (date(2019, 4, 1), date(2019, 11, 15)),
)
CANDIDATES = [((8,), 1.0), ((16, 8), 0.1), ((16, 8), 0.5), ((16, 8), 1.0), ((16, 8), 3.0)]
Forecaster = Callable[[soil.Rows, soil.Rows], np.ndarray]  # (train, test) -> (n, 3)
INPUT = Quant(0.03125, 0)  # x of -4 .. 3.97: what lies outside saturates


def _feature(name: str, role: str, centre: float, reach: float, **more: Any) -> dict[str, Any]:
    """A feature that is 0 at `centre` and saturates near `centre` +- `reach`."""
    return {
        "name": name,
        "role": role,
        "stat": "mean",
        **more,
        "offset": centre,
        "scale": round(4.0 / reach, 6),
    }


FEATURES: dict[str, Any] = {
    "format": "hedgerow-features-1",
    "model": "soil_dry",
    "input": {"scale": INPUT.scale, "zero_point": INPUT.zero_point},
    "output": {"scale": 1 / 256, "zero_point": -128},
    "outputs": ["dry_1d", "dry_2d", "dry_3d"],
    "roles": {
        "soil_vwc": {"unit": "%", "doc": "volumetric water content where the roots are"},
        "soil_temp": {"unit": "Cel", "doc": "soil temperature at the same depth"},
        "air_temp": {"unit": "Cel", "doc": "air temperature"},
        "air_humidity": {"unit": "%RH", "doc": "relative humidity of the air"},
        "air_pressure": {"unit": "Pa", "doc": "air pressure"},
    },
    "site": {
        "dry_pct": {"unit": "%", "min": 2.0, "max": 60.0, "doc": "VWC below which it is dry"}
    },
    "features": [
        _feature(
            "vwc_above_dry",
            "soil_vwc",
            0.5,
            1.2,
            lag=0,
            minus="dry_pct",
            per="dry_pct",
            required=True,
        ),
        _feature("vwc_change_1d", "soil_vwc", 0.0, 0.4, lag=0, minus_lag=1, per="dry_pct"),
        _feature("vwc_change_3d", "soil_vwc", 0.0, 0.8, lag=0, minus_lag=3, per="dry_pct"),
        _feature("soil_temp", "soil_temp", 12.0, 24.0, lag=0, required=True),
        # Weather was recorded in one training season only: a wide reach makes it count for less
        # under the same L2.
        _feature("air_temp", "air_temp", 10.0, 100.0, lag=0),
        _feature("air_humidity", "air_humidity", 70.0, 130.0, lag=0),
        _feature("pressure_change_1d", "air_pressure", 0.0, 8000.0, lag=0, minus_lag=1),
    ],
}


def day_number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def real(x: np.ndarray) -> np.ndarray:
    """int8 features to the real values the float network sees."""
    return (x.astype(np.float64) - INPUT.zero_point) * INPUT.scale


def fit(rows: soil.Rows, hidden: tuple[int, ...], alpha: float, *, seed: int) -> MLPClassifier:
    """A float network with one logistic output per horizon."""
    network = MLPClassifier(
        hidden,
        alpha=alpha,
        random_state=seed,
        max_iter=100,
        learning_rate_init=5e-3,
        batch_size=256,
    )
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # 100 epochs is the choice, not a limit
        return network.fit(real(rows.x), rows.y.astype(int))


def quantise(network: MLPClassifier, rows: soil.Rows) -> tuple[bytes, Conversion]:
    """(.tflite bytes, its conversion); activation ranges from the training rows."""
    dense = quantize_dense(network.coefs_, network.intercepts_, INPUT, real(rows.x))
    tflite = write_graph(dense, name="soil_dry")
    return tflite, convert(tflite)


def run_int8(conversion: Conversion, x: np.ndarray) -> np.ndarray:
    """(n, 3) int8 scores of the reference."""
    return np.stack([reference.run(conversion.graph, row) for row in x])


def baselines(train: soil.Rows, test: soil.Rows) -> dict[str, np.ndarray]:
    """name -> (n, 3) forecasts on the test rows, fitted on unfrozen training rows."""
    thawed = train.where(~train.frozen)
    own = thawed.where(thawed.factor == 1.0)
    return {
        "persistence": np.repeat(test.dry_now[:, None].astype(float), 3, axis=1),
        "climatology": _climatology(own, test),
        "threshold": np.stack([_threshold(own, test, h) for h in range(3)], axis=1),
        "curve": np.stack([_curve(thawed, test, h) for h in range(3)], axis=1),
    }


def _month(days: np.ndarray) -> np.ndarray:
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12


def _climatology(train: soil.Rows, test: soil.Rows) -> np.ndarray:
    """How often it was dry in that month of the training years (one wet, one dry row added)."""
    rates = np.full((12, 3), train.y.mean(axis=0))
    for month in range(12):
        y = train.y[_month(train.day) == month]
        if len(y):
            rates[month] = (y.sum(axis=0) + 1) / (len(y) + 2)
    return rates[_month(test.day)]


def _threshold(train: soil.Rows, test: soil.Rows, horizon: int) -> np.ndarray:
    """Dry if today's VWC is below the best margin (highest F1 on the training rows)."""
    y = train.y[:, horizon]
    cuts = np.arange(-0.1, 0.8, 0.01)
    f1 = [precision_recall_f1(y, (train.margin < cut).astype(float))[2] for cut in cuts]
    return (test.margin < cuts[int(np.nanargmax(f1))]).astype(float)


def _curve(train: soil.Rows, test: soil.Rows, horizon: int) -> np.ndarray:
    """Logistic regression on today's margin alone: the best one number can say."""
    model = LogisticRegression(C=1e4).fit(train.margin[:, None], train.y[:, horizon])
    return model.predict_proba(test.margin[:, None])[:, 1]


def evaluate(test: soil.Rows, forecasts: dict[str, np.ndarray]) -> dict[str, Any]:
    """Scores of every forecast for every horizon on all unfrozen rows and on the onset rows."""
    subsets = {"all": ~test.frozen, "onset": ~test.frozen & ~test.dry_now}
    weeks = test.day // 7
    result: dict[str, Any] = {}
    for subset, mask in subsets.items():
        for h, horizon in enumerate(soil.HORIZONS):
            y = test.y[mask, h]
            entry: dict[str, Any] = {"rows": int(mask.sum()), "positives": int(y.sum())}
            for name, p in forecasts.items():
                entry[name] = score(y, p[mask, h], weeks[mask])
                if name not in ("float", "int8"):
                    entry[name]["brier_int8_minus_this"] = brier_difference(
                        y, forecasts["int8"][mask, h], p[mask, h], weeks[mask]
                    )
            result[f"{subset}_{horizon}d"] = entry
    return result


def frozen_check(rows: soil.Rows) -> dict[str, Any]:
    """False alarms on frozen soil of a network that never saw that winter."""
    train = rows.where(rows.day <= day_number(FROZEN_TRAIN_LAST))
    first, last = (day_number(day) for day in FROZEN_TEST)
    held_out = (rows.day >= first) & (rows.day <= last) & (rows.factor == 1.0) & rows.frozen
    winter = rows.where(held_out & ~rows.y.any(axis=1))
    p = fit(train, HIDDEN, ALPHA, seed=SEED).predict_proba(real(winter.x))
    return {
        "rows": len(winter.day),
        "false_alarms_network": [round(float(v), 4) for v in (p >= 0.5).mean(axis=0)],
        "false_alarms_persistence": round(float(winter.dry_now.mean()), 4),
    }


def select(rows: soil.Rows) -> None:
    """Print each candidate's onset Brier score by held-out season, thresholds x 1 .. 1.7."""
    years = rows.where(rows.day <= day_number(TRAIN_LAST))
    curves = [_season(years, season, _fit_curve) for season in SEASONS]
    print("curve                 Brier by season", np.round(curves, 4))
    for hidden, alpha in CANDIDATES:
        results = [_season(years, season, _fit_network(hidden, alpha)) for season in SEASONS]
        print(f"{hidden!s:10} alpha {alpha:<4} Brier by season", np.round(results, 4))


def _fit_curve(train: soil.Rows, test: soil.Rows) -> np.ndarray:
    thawed = train.where(~train.frozen)
    return np.stack([_curve(thawed, test, h) for h in range(3)], axis=1)


def _fit_network(hidden: tuple[int, ...], alpha: float) -> Forecaster:
    def forecast(train: soil.Rows, test: soil.Rows) -> np.ndarray:
        networks = [fit(train, hidden, alpha, seed=seed) for seed in (0, 1)]
        return np.mean([network.predict_proba(real(test.x)) for network in networks], axis=0)

    return forecast


def _season(rows: soil.Rows, season: tuple[date, date], forecast: Forecaster) -> float:
    first, last = (day_number(day) for day in season)
    train = rows.where((rows.day < first - 3) | (rows.day > last + 3))
    test = rows.where((rows.day >= first) & (rows.day <= last) & ~rows.frozen & ~rows.dry_now)
    test = test.where((test.factor >= 1.0) & (test.factor <= 1.7))
    return brier(test.y, forecast(train, test))


def vectors(conversion: Conversion, test: soil.Rows) -> dict[str, Any]:
    """Inputs and outputs for other implementations: test rows, then noise."""
    noise = np.random.default_rng(1).integers(-128, 128, size=(32, test.x.shape[1]), dtype=np.int8)
    x = np.concatenate([test.x[:: max(1, len(test.x) // 32)][:32], noise])
    return {"input": x.tolist(), "output": run_int8(conversion, x).tolist()}


def _write_json(path: Path, document: Any, *, indent: int | None = 1) -> None:
    path.write_text(json.dumps(document, indent=indent) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Train soil_dry.")
    parser.add_argument("--data", type=Path, default=DATA, help="soil_daily.csv")
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write to")
    parser.add_argument("--select", action="store_true", help="compare candidates, write nothing")
    args = parser.parse_args()
    rows = soil.make_rows(soil.read_recording(args.data), FEATURES, THRESHOLDS, factors=FACTORS)
    if args.select:
        return select(rows)
    train = rows.where(rows.day <= day_number(TRAIN_LAST))
    test = rows.where((rows.day >= day_number(TEST_FIRST)) & (rows.factor == 1.0))
    network = fit(train, HIDDEN, ALPHA, seed=SEED)
    tflite, conversion = quantise(network, train)
    forecasts = {
        "float": network.predict_proba(real(test.x)),
        "int8": (run_int8(conversion, test.x).astype(float) + 128) / 256,
        **baselines(train, test),
    }
    scores = {
        "train_rows": len(train.day),
        "test_rows": len(test.day),
        "largest_float_int8_difference": round(
            float(np.abs(forecasts["float"] - forecasts["int8"]).max()), 4
        ),
        "test": evaluate(test, forecasts),
        "frozen_winter_2019_20": frozen_check(rows),
    }
    (args.output / "soil_dry.tflite").write_bytes(tflite)
    (args.output / "soil_dry.hgm").write_bytes(conversion.hgm)
    _write_json(args.output / "features.json", FEATURES)
    _write_json(args.output / "scores.json", scores)
    _write_json(args.output / "vectors.json", vectors(conversion, test), indent=None)
    card.plot(args.output / "scores.svg", test, forecasts)
    if (args.output / "README.md").exists():
        card.write_scores(args.output / "README.md", scores)
    print(card.tables(scores))
    return None


if __name__ == "__main__":
    try:
        main()
    except ToolError as error:
        print(f"hedgerow: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
