"""The baseline: a fixed watering timer on the same bed, in the same weather, for the same days.

The timer waters every second morning at 6:00. Its dose is set once, as an installer sets it: the
mean demand of the site's peak month (Kc times Hargreaves reference evapotranspiration of the
warmest 30 days in the weather of the run) over two days, divided by the application efficiency.
It never looks at the sky or the soil. No forecast, no rain shut-off.
"""

from typing import Any

from hedgerow.emulate import fao56
from hedgerow.emulate.field import DAY_S, Field, day_of_year
from hedgerow.sim.world import Span

EVERY_DAYS = 2
AT_HOUR = 6
_PEAK_DAYS = 30
DESCRIPTION = f"every {EVERY_DAYS} days at {AT_HOUR}:00, dose set for the peak month, no sensor"


def make_field(world: dict[str, Any], span: Span) -> Field:
    """The bed of a field world, as the node's own process makes it."""
    return Field(
        world["soil"],
        world["site"],
        world["days"],
        span.start_s,
        seed=world["seed"],
        dry_pct=world["dry_pct"],
    )


def peak_demand_mm(world: dict[str, Any], span: Span) -> float:
    """Mm per day of the 30 consecutive days with the highest crop demand."""
    site, first_day = world["site"], (span.start_s + world["site"]["utc_offset_s"]) // DAY_S
    demand = []
    for i, (_, low_c, high_c, _) in enumerate(world["days"]):
        ra = fao56.extraterrestrial_radiation(site["lat"], day_of_year(first_day + i))
        demand.append(world["soil"]["kc"] * fao56.hargreaves_eto_mm(low_c, high_c, ra))
    window = min(_PEAK_DAYS, len(demand))
    sums = [sum(demand[i : i + window]) for i in range(len(demand) - window + 1)]
    return max(sums) / window


def timer_totals(world: dict[str, Any], span: Span) -> dict[str, float]:
    """Field.totals() of the same bed under the timer."""
    field = make_field(world, span)
    site = world["site"]
    litres = EVERY_DAYS * peak_demand_mm(world, span) * site["area_m2"] / site["efficiency"]
    for day in range(int(span.days)):
        if day % EVERY_DAYS == 0:
            field.advance(span.start_s + day * DAY_S + AT_HOUR * 3600)
            field.add_litres(litres)
    field.advance(span.end_s)
    return field.totals()
