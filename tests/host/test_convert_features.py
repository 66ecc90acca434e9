"""compile_features: roles and real units to integer specs; every fault named."""

import json
from pathlib import Path

import pytest

from hedgerow.convert.features import compile_features, load_features
from hedgerow.errors import ConfigError

REPO = Path(__file__).resolve().parent.parent.parent
INPUTS = {"soil_vwc": "soil.vwc", "soil_temp": "ground.temp"}
SCALES = {"soil.vwc": 100.0, "ground.temp": 100.0, "air.temp": 100.0}


def document(**feature) -> dict:
    first = {"name": "vwc", "role": "soil_vwc", "stat": "mean", "offset": 0.5, "scale": 2.0}
    return {
        "format": "hedgerow-features-1",
        "input": {"scale": 0.03125, "zero_point": 3},
        "outputs": ["dry_1d"],
        "roles": {
            "soil_vwc": {"unit": "%", "doc": "water"},
            "soil_temp": {"unit": "Cel", "doc": "warmth"},
        },
        "site": {"dry_pct": {"unit": "%", "min": 2, "max": 60, "doc": "dry"}},
        "features": [first | feature],
    }


def compiled(**feature) -> dict:
    return compile_features(document(**feature), INPUTS, SCALES, {"dry_pct": 12.0})


def test_spec_by_hand() -> None:
    # ((v/100 - 12)/12 - 0.5) * 2 / 0.03125 = (v - 1800) * 0.05333 per centi-%; * 65536 = 3495.25
    plan = compiled(minus="dry_pct", per="dry_pct", lag=1, days=2, required=True)
    assert plan["specs"] == [[0, 0, 1, 2, -1, 1800, 3495, 3, 1]]
    assert plan["channels"] == ["soil.vwc", "ground.temp"]
    assert plan["history"] == 3
    assert plan["outputs"] == ["dry_1d"]
    json.dumps(plan)


def test_season_has_no_channel() -> None:
    assert compiled(stat="year_cos", offset=0.0)["specs"] == [[-1, 6, 0, 1, -1, 0, 419, 3, 0]]


def test_all_faults_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        compile_features(
            document(), {"soil_vwc": "soil.vwx", "rain": "x"}, SCALES, {"dry_pct": 99, "wet": 1}
        )
    text = str(caught.value)
    for part in ("role 'soil_temp'", "'soil.vwx'", "no role 'rain'", "99, must be 2", "'wet'"):
        assert part in text


def test_wrong_unit_is_a_fault() -> None:
    units = {"soil.vwc": "%", "ground.temp": "K"}
    with pytest.raises(ConfigError, match="in K, must be Cel"):
        compile_features(document(), INPUTS, SCALES, {"dry_pct": 9}, channel_units=units)


def test_scale_out_of_fixed_point_is_a_fault() -> None:
    with pytest.raises(ConfigError, match=r"16\.16"):
        compiled(scale=1e-9)


def test_bad_files(tmp_path: Path) -> None:
    bad = tmp_path / "features.json"
    with pytest.raises(ConfigError, match="no such file"):
        load_features(bad)
    for text in ("{", "[]", '{"format": "other"}'):
        bad.write_text(text)
        with pytest.raises(ConfigError, match=r"features\.json"):
            load_features(bad)


def test_the_readme_example_compiles() -> None:
    text = (REPO / "host_tools/hedgerow/convert/README.md").read_text(encoding="utf-8")
    example = json.loads(text.split("```json")[1].split("```")[0])
    plan = compile_features(example, {"soil_vwc": "s"}, {"s": 100}, {"dry_pct": 10})
    assert len(plan["specs"]) == 2
