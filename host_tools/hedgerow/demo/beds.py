"""The three beds of the demo: three soils, three node files made from the `soil` template.

Soils are those of FAO-56 table 19; depletion fraction and rooting depth of small vegetables,
table 22. Each node file's dry limit is where FAO-56 says that stress begins in its soil (depletion
beyond RAW, eq. 83), so the node, the timer and the score mean the same by "dry".
"""

import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from hedgerow.emulate import fao56
from hedgerow.errors import ConfigError

AREA_M2 = 12.0
UTC_OFFSET_MIN = -8 * 60
# Water when the chance to get dry is above this: a dry day costs more than an early watering. With
# 0.5 some 15 % of the days were dry. Chosen on 2015, with no dry day in 2013 and 2014 either.
WATER_AT = 0.15
LAT, LON = 47.45, -122.31  # Seattle-Tacoma airport, where the weather was measured


@dataclass(frozen=True)
class Bed:
    """One node and its soil; contents as volume fractions."""

    name: str
    soil: dict[str, float]
    lat: float
    lon: float

    @property
    def dry_pct(self) -> float:
        """Water content at which depletion passes RAW, %."""
        soil = self.soil
        span = soil["field_capacity"] - soil["wilting_point"]
        return round(100.0 * (soil["field_capacity"] - soil["p"] * span), 1)

    def water_mm(self, share: float) -> float:
        """A share of what the bed holds between field capacity and dry, mm."""
        soil = self.soil
        taw = fao56.total_available_water_mm(
            soil["field_capacity"], soil["wilting_point"], soil["root_depth_m"]
        )
        return share * fao56.readily_available_water_mm(taw, soil["p"])


def _soil(field_capacity: float, wilting_point: float, saturation: float) -> dict[str, float]:
    return {
        "field_capacity": field_capacity,
        "wilting_point": wilting_point,
        "saturation": saturation,
        "root_depth_m": 0.40,
        "p": 0.45,
        "kc": 1.0,
    }


BEDS = (
    Bed("bed-sand", _soil(0.19, 0.08, 0.40), LAT + 0.0006, LON - 0.0008),
    Bed("bed-loam", _soil(0.27, 0.12, 0.45), LAT, LON),
    Bed("bed-clay", _soil(0.36, 0.21, 0.50), LAT - 0.0005, LON + 0.0009),
)


def template_text() -> str:
    """The node file that `hedgerow new --template soil` starts from."""
    return (resources.files("hedgerow") / "templates" / "soil" / "node.toml").read_text("utf-8")


def node_text(bed: Bed, *, model_file: Path, sample_s: int) -> str:
    """The template with this bed's name, place, calibration and limits."""
    text = template_text()
    for section, key, value in (
        ("node", "name", f'"{bed.name}"'),
        ("node", "sample_s", str(sample_s)),
        ("node", "utc_offset_min", str(UTC_OFFSET_MIN)),
        ("node", "lat", str(bed.lat)),
        ("node", "lon", str(bed.lon)),
        ("model", "file", f'"{model_file}"'),
        ("model.site", "dry_pct", str(bed.dry_pct)),
    ):
        text = set_value(text, section, key, value)
    text = _replace(text, r"at_least = 0\.2", f"at_least = {WATER_AT}")
    text = _replace(text, r"below = 14\.0", f"below = {bed.dry_pct + 4.0:.1f}")
    return _replace(text, r"below = 10\.5", f"below = {bed.dry_pct + 0.6:.1f}")


def set_value(text: str, section: str, key: str, value: str) -> str:
    """Change `key` in the first [section] of a TOML text, keeping everything else."""
    pattern = rf"(?ms)^(\[{re.escape(section)}\][^\[]*?^{key} = )([^#\n]*?)( *(?:#[^\n]*)?)$"
    return _replace(text, pattern, lambda match: f"{match[1]}{value}{match[3]}")


def _replace(text: str, pattern: str, new: object) -> str:
    changed, count = re.subn(pattern, new, text, count=1)  # type: ignore[call-overload]
    if not count:
        raise ConfigError(f"the soil template has changed: nothing matches {pattern}")
    return changed
