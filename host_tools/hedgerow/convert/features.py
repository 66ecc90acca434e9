"""features.json of a model + a node's channels + a site -> the integer specs the board runs.

    plan = compile_features(load_features(path), inputs, scales, {"dry_pct": 12.0})
    DailyFeatures(plan["specs"], len(plan["channels"]), plan["history"])

features.json speaks of roles ("soil_vwc") in real units; a node has channels ("soil.vwc") in
scaled integers and a site has its own dry threshold. Here the three meet, once, on the host. The
schema is in README.md beside this file.
"""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hedge.dsp import features as daily
from hedgerow.errors import ConfigError

FORMAT = "hedgerow-features-1"
STATS = {
    "mean": daily.MEAN,
    "min": daily.MIN,
    "max": daily.MAX,
    "range": daily.RANGE,
    "last": daily.LAST,
    "year_sin": daily.YEAR_SIN,
    "year_cos": daily.YEAR_COS,
}
_YEAR = (daily.YEAR_SIN, daily.YEAR_COS)
_YEAR_SCALE = 10000  # of hedge.dsp.features.year_sin
_INT31 = 1 << 30


def load_features(path: Path) -> dict[str, Any]:
    """features.json as a dict; raises ConfigError naming the file if it is not one."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; a model needs its features.json beside it"
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ConfigError(f"{path}: not a features file (format must be {FORMAT!r})")
    return document


def compile_features(
    features: Mapping[str, Any],
    inputs: Mapping[str, str],
    channel_scales: Mapping[str, float],
    site: Mapping[str, float],
    *,
    channel_units: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The JSON-able plan {"channels", "specs", "history", "outputs"} for hedge.dsp.features.

    features: load_features(). inputs: role -> channel name. channel_scales: channel name ->
    pushed int per real unit. site: key -> value, e.g. {"dry_pct": 12.0}. channel_units: if given,
    units are checked against the roles'. The result's "channels" lists the channel names whose
    values are pushed, in this order; "specs" has nine ints per feature; "history" is in days;
    "outputs" names the model's outputs. Raises ConfigError that lists every fault.
    """
    faults = list(_faults(features, inputs, channel_scales, site, channel_units or {}))
    if faults:
        raise ConfigError("; ".join(faults))
    channels = [inputs[role] for role in features["roles"]]
    specs = [
        _spec(feature, features, inputs, channels, channel_scales, site)
        for feature in features["features"]
    ]
    history = max(max(spec[2], spec[4]) + spec[3] for spec in specs)
    return {
        "channels": channels,
        "specs": specs,
        "history": history,
        "outputs": list(features["outputs"]),
    }


def _faults(
    features: Mapping[str, Any],
    inputs: Mapping[str, str],
    scales: Mapping[str, float],
    site: Mapping[str, float],
    units: Mapping[str, str],
) -> Iterator[str]:
    """Every reason why these inputs and this site do not serve the model."""
    roles = features["roles"]
    for role, about in roles.items():
        channel = inputs.get(role)
        if channel is None:
            yield f"the model needs an input for role {role!r} ({about['doc']})"
        elif channel not in scales:
            yield f"input {role!r}: no channel {channel!r}; there are {', '.join(sorted(scales))}"
        elif units.get(channel, about["unit"]) != about["unit"]:
            yield f"input {role!r}: {channel} is in {units[channel]}, must be {about['unit']}"
    for role in inputs:
        if role not in roles:
            yield f"the model has no role {role!r}; it has {', '.join(roles)}"
    for key, about in features["site"].items():
        value = site.get(key)
        if value is None:
            yield f"the model needs site.{key} ({about['doc']})"
        elif not about["min"] <= value <= about["max"]:
            yield f"site.{key} is {value}, must be {about['min']} to {about['max']}"
    for key in site:
        if key not in features["site"]:
            yield f"the model has no site value {key!r}; it has {', '.join(features['site'])}"


def _spec(
    feature: Mapping[str, Any],
    features: Mapping[str, Any],
    inputs: Mapping[str, str],
    channels: list[str],
    scales: Mapping[str, float],
    site: Mapping[str, float],
) -> list[int]:
    """Nine ints: see hedge/dsp/features.py."""
    stat = STATS[feature["stat"]]
    year = stat in _YEAR
    channel = -1 if year else channels.index(inputs[feature["role"]])
    ints_per_unit = _YEAR_SCALE if year else scales[channels[channel]]
    per = site[feature["per"]] if "per" in feature else 1.0
    minus = site[feature["minus"]] if "minus" in feature else 0.0
    offset = minus + feature.get("offset", 0.0) * per
    steps_per_unit = feature["scale"] / per / features["input"]["scale"]
    spec = [
        channel,
        stat,
        feature.get("lag", 0),
        feature.get("days", 1),
        feature.get("minus_lag", -1),
        _round(offset * ints_per_unit),
        _round(steps_per_unit / ints_per_unit * 65536),
        features["input"]["zero_point"],
        int(feature.get("required", False)),
    ]
    if not spec[6] or max(abs(spec[5]), abs(spec[6])) >= _INT31:
        raise ConfigError(f"feature {feature['name']!r}: its scale does not fit 16.16 fixed point")
    return spec


def _round(value: float) -> int:
    """Nearest integer, halves up, so that every Python gives the same."""
    return math.floor(value + 0.5)
