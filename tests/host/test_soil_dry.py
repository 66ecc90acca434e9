"""soil_dry: its files agree, features equal a NumPy replay, scores equal the recording's."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hedge.infer import Model
from hedgerow.convert.features import load_features
from hedgerow.convert.importer import read_tflite
from hedgerow.train import card, soil
from hedgerow.train.replay import replay

FOLDER = Path(__file__).resolve().parent.parent.parent / "models" / "soil_dry"
RECORDING = "data/agriculture/soil_moisture_daily/soil_daily.csv"
DRY_PCT = {"E1_s1": 9.95, "E1_s2": 14.86, "E2_s1": 8.04, "E3_s1": 7.51}


@pytest.fixture(scope="module")
def features() -> dict:
    return load_features(FOLDER / "features.json")


@pytest.fixture(scope="module")
def graph():
    return read_tflite((FOLDER / "soil_dry.tflite").read_bytes())


def test_features_fit_the_model(features: dict) -> None:
    model = Model((FOLDER / "soil_dry.hgm").read_bytes())
    assert len(features["features"]) == len(model.input)
    assert len(features["outputs"]) == len(model.output)
    assert features["input"] == {"scale": model.input_scale, "zero_point": model.input_zero_point}
    assert features["output"] == {
        "scale": model.output_scale,
        "zero_point": model.output_zero_point,
    }


def test_vectors_are_those_of_the_reference(graph) -> None:
    vectors = json.loads((FOLDER / "vectors.json").read_text(encoding="utf-8"))
    from hedgerow.convert import reference

    for x, y in zip(vectors["input"], vectors["output"], strict=True):
        assert reference.run(graph, np.array(x, dtype=np.int8)).tolist() == y


def _compare(plan: dict, graph, days: np.ndarray, table: list[tuple]) -> int:
    ready, x = soil.run_daily_features(plan, days, table)
    values = np.array([[np.nan if v is None else v for v in row] for row in table], dtype=float)
    expected = replay(plan, graph, days, values)
    assert np.array_equal(ready, expected.ready)
    assert np.array_equal(x, expected.x)
    return int(ready.sum())


def test_board_features_equal_the_replay_on_noise(features: dict, graph) -> None:
    rng = np.random.default_rng(3)
    days = np.arange(20_000, 20_120)
    centre, spread = (1500, 1500, 1200, 7000, 101_000), (400, 900, 1500, 2500, 900)
    noise = rng.normal(centre, spread, (120, 5))
    gaps = rng.random((120, 5)) < 0.15
    table = [
        tuple(None if gap else int(v) for v, gap in zip(row, gap_row, strict=True))
        for row, gap_row in zip(noise, gaps, strict=True)
    ]
    assert _compare(soil.node_plan(features, 14.0), graph, days, table) > 60


def test_board_features_equal_the_replay_on_the_recording(need_shared, features, graph) -> None:
    recording = soil.read_recording(need_shared(RECORDING))
    for sensor, dry_pct in DRY_PCT.items():
        table = soil.daily_inputs(recording, sensor, list(features["roles"]))
        plan = soil.node_plan(features, dry_pct)
        assert _compare(plan, graph, recording.days, table) > 500


def test_scores_are_those_of_the_recording(need_shared, features, graph) -> None:
    """int8 Brier scores of scores.json, computed anew through the replay, not the recipe."""
    recording = soil.read_recording(need_shared(RECORDING))
    scores = json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))
    first_test_day = 18_386  # 2020-05-04
    errors: dict[str, list] = {"all": [], "onset": []}
    for sensor, dry_pct in DRY_PCT.items():
        table = soil.daily_inputs(recording, sensor, list(features["roles"]))
        values = np.array([[np.nan if v is None else v for v in row] for row in table], float)
        result = replay(soil.node_plan(features, dry_pct), graph, recording.days, values)
        valid, y = soil.labels(recording, sensor, dry_pct)
        vwc = recording.columns[f"{sensor}_vwc_pct"]
        warm = recording.columns[f"{sensor}_soil_temp_c"] > soil.FROZEN_C
        keep = valid & result.ready & warm & (recording.days >= first_test_day)
        errors["all"].extend((result.p - y)[keep] ** 2)
        errors["onset"].extend((result.p - y)[keep & (vwc >= dry_pct)] ** 2)
    for subset, squares in errors.items():
        for h, value in enumerate(np.mean(squares, axis=0), start=1):
            entry = scores["test"][f"{subset}_{h}d"]
            assert entry["rows"] == len(squares)
            assert entry["int8"]["brier"][0] == pytest.approx(value, abs=6e-5)


def test_the_network_is_worth_its_place() -> None:
    """Lower Brier score than every baseline, and int8 costs next to nothing."""
    scores = json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))
    for entry in scores["test"].values():
        for baseline in ("persistence", "climatology", "threshold", "curve"):
            assert entry[baseline]["brier_int8_minus_this"][0] < 0
        assert abs(entry["int8"]["brier"][0] - entry["float"]["brier"][0]) < 0.002


def test_the_card_shows_the_scores() -> None:
    scores = json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert card.tables(scores) in text


def test_dry_frozen_soil_is_no_alarm(features: dict, graph) -> None:
    days = np.arange(20_000, 20_006)
    frozen = np.tile([600.0, -150.0, -900.0, 8000.0, 101_000.0], (6, 1))
    thawed = np.tile([600.0, 2100.0, 2200.0, 6000.0, 101_000.0], (6, 1))
    plan = soil.node_plan(features, 10.0)
    assert (replay(plan, graph, days, frozen).p[3:] < 0.2).all()
    assert (replay(plan, graph, days, thawed).p[3:] > 0.7).all()


@pytest.mark.parametrize("dry_pct", [8.0, 20.0, 32.0])
def test_drier_soil_is_never_safer(features: dict, graph, dry_pct: float) -> None:
    """Steady summer weather, other soils: the forecast falls as the soil gets wetter."""
    days = np.arange(20_000, 20_006)
    forecasts = []
    for ratio in np.arange(0.8, 2.0, 0.1):
        row = [100 * dry_pct * ratio, 2000.0, 2100.0, 6000.0, 101_000.0]
        result = replay(soil.node_plan(features, dry_pct), graph, days, np.tile(row, (6, 1)))
        forecasts.append(result.p[-1])
    assert (np.diff(forecasts, axis=0) <= 1 / 256).all()
    assert forecasts[0][1] > 0.6
    assert forecasts[-1][2] < 0.1


def test_recipe_without_the_recording_says_so() -> None:
    pytest.importorskip("sklearn", reason="needs hedgerow[train]")
    command = [sys.executable, str(FOLDER / "train.py"), "--data", "nowhere.csv"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert "hedgerow: nowhere.csv: No such file" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.soak
def test_recipe_makes_the_committed_model(need_shared, tmp_path: Path) -> None:
    """Same scores within what another BLAS may change; on one machine the bytes are equal."""
    pytest.importorskip("sklearn", reason="needs hedgerow[train]")
    data = str(need_shared(RECORDING))
    command = [sys.executable, str(FOLDER / "train.py"), "--data", data, "--output", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    again = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))["test"]
    committed = json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))["test"]
    for key, entry in committed.items():
        assert again[key]["int8"]["brier"][0] == pytest.approx(entry["int8"]["brier"][0], abs=0.01)
    assert (tmp_path / "features.json").read_bytes() == (FOLDER / "features.json").read_bytes()
