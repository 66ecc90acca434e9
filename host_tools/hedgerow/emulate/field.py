"""One bed of soil under real weather that answers to watering: the world of a simulated node.

    field = Field(SOIL, SITE, days, start_s)
    field.advance(now_s)
    field.vwc_pct()                     # what a probe in the root zone sees
    field.pump(True, litres_per_min=4)  # from now on; pump(False, 0) ends it

A daily root-zone balance after FAO-56 chapter 8 (eq. 85), stepped on a fixed grid so that the
result does not depend on how often `advance` is called. Not in the paper, and simplified here:
- Water above field capacity drains as exp(-t / drain_h) instead of by the end of the day.
- Runoff is only what exceeds saturation. Irrigation enters at `efficiency`; the rest is lost.
- Within a day, evapotranspiration follows a sine of the sun between sunrise and sunset, and rain
  falls in one block at 1.5 mm/h whose start hour is drawn from the seed.
- Air temperature follows cosines from the minimum at 5 h to the maximum at 15 h (after C. T. de
  Wit, Simulation of assimilation, respiration and transpiration of crops, Pudoc 1978).
- Soil temperature is a first-order lag of the daily mean plus the damped daily wave of heat
  conduction (D. Hillel, Environmental Soil Physics, 1998, ch. 12; G. S. Campbell and J. M. Norman,
  Environmental Biophysics, 1998, eq. 2.4): amplitude exp(-z/d), delay z/d, d = sqrt(2 D / omega).
- Humidity comes from a dew point equal to the daily minimum (FAO-56 eq. 48), pressure from the
  altitude (eq. 7) plus the day's anomaly, which the weather module makes up and says so.

Pure, deterministic, no I/O; floats; CPython and MicroPython.
"""

from math import cos, exp, pi, sqrt

from . import fao56

DAY_S = 86400
_RAIN_MM_PER_H = 1.5
_COLDEST_H = 5.0
_WARMEST_H = 15.0
_DIFFUSIVITY_M2_S = 0.5e-6  # moist loam; Campbell and Norman table 8.2 spans 0.2e-6..0.7e-6

# Loam, table 19 of FAO-56; p and root depth of table 22 (small vegetables), Kc mid of table 12.
SOIL = {
    "field_capacity": 0.28,
    "wilting_point": 0.12,
    "saturation": 0.45,
    "root_depth_m": 0.40,
    "p": 0.45,
    "kc": 1.0,
    "drain_h": 8.0,
    "probe_depth_m": 0.15,
}
SITE = {
    "lat": 47.45,
    "altitude_m": 120.0,
    "area_m2": 12.0,
    "efficiency": 0.80,
    "utc_offset_s": -8 * 3600,
}


def _clip(x):
    return min(max(x, 0.0), 1.0)


def _hash(seed, number):
    # Mixes two small ints into 0..2**31-1; Knuth's multiplicative constants.
    x = (seed * 40503 + number * 69069 + 12345) & 0x7FFFFFFF
    x = ((x >> 13) ^ x) * 60493 & 0x7FFFFFFF
    return (x >> 11) ^ x


def day_of_year(epoch_day):
    """1..366 of a day counted from 1970-01-01 (proleptic Gregorian, valid 1970-2099)."""
    day = (
        epoch_day + 365
    ) % 1461  # since 1969-01-01: the fourth year of each cycle is the leap year
    year = min(day // 365, 3)
    return day - 365 * year + 1


class _Day:
    """One day of weather: totals, and where in the day they fall."""

    def __init__(self, row, epoch_day, site, seed):
        self.rain_mm, self.temp_min_c, self.temp_max_c, self.anomaly_pa = row
        number = day_of_year(epoch_day)
        ra = fao56.extraterrestrial_radiation(site["lat"], number)
        self.eto_mm = fao56.hargreaves_eto_mm(self.temp_min_c, self.temp_max_c, ra)
        self._daylight_h = max(fao56.daylight_hours(site["lat"], number), 0.1)
        self._rain_h = min(max(self.rain_mm / _RAIN_MM_PER_H, 1.0), 24.0)
        self._rain_start_h = (24.0 - self._rain_h) * (_hash(seed, epoch_day) & 1023) / 1023.0

    def eto_until(self, hour):
        """Share of the day's reference evapotranspiration up to this hour, 0..1."""
        x = _clip((hour - 12.0) / self._daylight_h + 0.5)
        return (1.0 - cos(pi * x)) / 2.0

    def rain_until(self, hour):
        """Share of the day's rain up to this hour, 0..1."""
        return _clip((hour - self._rain_start_h) / self._rain_h)


class Field:
    """Water and heat of one bed from start_s on.

    soil, site: dicts like SOIL and SITE, missing keys from there. days: list of
    [rain_mm, temp_min_c, temp_max_c, pressure_anomaly_pa], one per local day; day 0 holds start_s;
    after the last it starts over. dry_pct: a day whose mean water content is below counts as dry;
    None takes FAO-56's limit (depletion above RAW).
    """

    def __init__(self, soil, site, days, start_s, seed=0, dry_pct=None, step_s=1800, vwc_pct=None):
        self.soil = dict(SOIL)
        self.soil.update(soil or {})
        self.site = dict(SITE)
        self.site.update(site or {})
        self._rows = days
        self._seed = seed
        self._step_s = step_s
        self._derive(dry_pct)
        self._first_day = self._local(start_s) // DAY_S
        self._today = None
        start_s -= self._local(start_s) % step_s
        self._state = self._fresh_state(start_s, vwc_pct)

    def _derive(self, dry_pct):
        soil = self.soil
        self._depth_mm = 1000.0 * soil["root_depth_m"]
        self.taw_mm = fao56.total_available_water_mm(
            soil["field_capacity"], soil["wilting_point"], soil["root_depth_m"]
        )
        self.raw_mm = fao56.readily_available_water_mm(self.taw_mm, soil["p"])
        self._pore_mm = (soil["saturation"] - soil["field_capacity"]) * self._depth_mm
        self._drain_share = 1.0 - exp(-self._step_s / (3600.0 * soil["drain_h"]))
        self.dry_pct = self._vwc_of(self.raw_mm) if dry_pct is None else dry_pct
        self._damping_m = sqrt(2.0 * _DIFFUSIVITY_M2_S * DAY_S / (2.0 * pi))

    def _fresh_state(self, start_s, vwc_pct):
        depletion = 0.0
        if vwc_pct is not None:
            depletion = (self.soil["field_capacity"] - vwc_pct / 100.0) * self._depth_mm
        state = dict.fromkeys(TOTALS, 0.0)
        state.update(dict.fromkeys(("pump_lpm", "pending_l", "day_sum", "day_steps"), 0))
        state.update({"now_s": start_s, "depletion_mm": depletion, "dry_days": 0, "full_days": 0})
        state["start_depletion_mm"] = depletion
        row = self._row(self._local(start_s) // DAY_S)
        state["soil_mean_c"] = (row[1] + row[2]) / 2.0
        return state

    # Time and weather.

    def _local(self, epoch_s):
        return epoch_s + self.site["utc_offset_s"]

    def _row(self, epoch_day):
        return self._rows[(epoch_day - self._first_day) % len(self._rows)]

    def _day(self, epoch_day):
        if self._today is None or self._today[0] != epoch_day:
            self._today = (
                epoch_day,
                _Day(self._row(epoch_day), epoch_day, self.site, self._seed),
            )
        return self._today[1]

    # Water.

    def pump(self, on, litres_per_min, at_s=None):
        """Start or stop watering at at_s (default: now); the world is advanced to it first."""
        if at_s is not None:
            self.advance(at_s)
        self._state["pump_lpm"] = litres_per_min if on else 0

    def add_litres(self, litres):
        """Pour this much now."""
        self._state["pending_l"] += litres

    def advance(self, now_s):
        """Bring the world to now_s; earlier times change nothing."""
        state = self._state
        while state["now_s"] < now_s:
            grid_s = state["now_s"] - state["now_s"] % self._step_s + self._step_s
            until_s = min(grid_s, now_s)
            state["pending_l"] += state["pump_lpm"] * (until_s - state["now_s"]) / 60.0
            state["now_s"] = until_s
            if until_s == grid_s:
                self._step(grid_s - self._step_s)

    def _step(self, from_s):
        local_s = int(self._local(from_s))
        day = self._day(local_s // DAY_S)
        hour = (local_s % DAY_S) / 3600.0
        hour_end = hour + self._step_s / 3600.0
        rain = day.rain_mm * (day.rain_until(hour_end) - day.rain_until(hour))
        eto = day.eto_mm * (day.eto_until(hour_end) - day.eto_until(hour))
        self._balance(rain, self._take_irrigation_mm(), eto)
        self._warm(day)
        self._tally(local_s)

    def _take_irrigation_mm(self):
        state = self._state
        litres = state["pending_l"]
        state["pending_l"] = 0
        state["litres"] += litres
        return litres / self.site["area_m2"] * self.site["efficiency"]  # 1 l/m2 is 1 mm

    def _balance(self, rain_mm, irrigation_mm, eto_mm):
        # FAO-56 eq. 85 with CR = 0; depletion below zero is water above field capacity.
        state = self._state
        ks = fao56.stress_coefficient(state["depletion_mm"], self.taw_mm, self.soil["p"])
        etc = ks * self.soil["kc"] * eto_mm  # eq. 81
        depletion = state["depletion_mm"] - rain_mm - irrigation_mm + etc
        runoff = max(-self._pore_mm - depletion, 0.0)
        drainage = max(-(depletion + runoff), 0.0) * self._drain_share
        state["depletion_mm"] = depletion + runoff + drainage
        flows = (rain_mm, irrigation_mm, etc, runoff, drainage)
        for key, amount in zip(TOTALS, flows):
            state[key] += amount

    def _tally(self, local_s):
        # Counts a day as dry or not when its last step is done.
        state = self._state
        state["day_sum"] += self.vwc_pct()
        state["day_steps"] += 1
        if local_s % DAY_S + self._step_s < DAY_S:
            return
        mean_pct = state["day_sum"] / state["day_steps"]
        state["full_days"] += 1
        state["dry_days"] += 1 if mean_pct < self.dry_pct else 0
        state["day_sum"] = 0
        state["day_steps"] = 0

    # Heat.

    def _warm(self, day):
        depth_m = self.soil["probe_depth_m"]
        lag_s = DAY_S + depth_m * depth_m / (2.0 * _DIFFUSIVITY_M2_S)
        share = 1.0 - exp(-self._step_s / lag_s)
        mean_c = (day.temp_min_c + day.temp_max_c) / 2.0
        self._state["soil_mean_c"] += share * (mean_c - self._state["soil_mean_c"])

    def _now_hour(self):
        local_s = self._local(self._state["now_s"])
        return int(local_s // DAY_S), (local_s % DAY_S) / 3600.0

    # What sensors see.

    def _vwc_of(self, depletion_mm):
        return 100.0 * (self.soil["field_capacity"] - depletion_mm / self._depth_mm)

    def vwc_pct(self):
        """Mean volumetric water content of the root zone, %."""
        return self._vwc_of(self._state["depletion_mm"])

    def soil_temp_c(self):
        """Soil temperature at the probe's depth."""
        epoch_day, hour = self._now_hour()
        day = self._day(epoch_day)
        ratio = self.soil["probe_depth_m"] / self._damping_m
        amplitude = (day.temp_max_c - day.temp_min_c) / 2.0 * exp(-ratio)
        phase = 2.0 * pi * (hour - _WARMEST_H) / 24.0 - ratio
        return self._state["soil_mean_c"] + amplitude * cos(phase)

    def air_temp_c(self):
        """Air temperature in the shade, 2 m."""
        epoch_day, hour = self._now_hour()
        if hour < _COLDEST_H:
            low_c, high_c = (
                self._row(epoch_day)[1],
                self._row(max(epoch_day - 1, self._first_day))[2],
            )
            share = (hour + 24.0 - _WARMEST_H) / (24.0 - _WARMEST_H + _COLDEST_H)
        elif hour < _WARMEST_H:
            low_c, high_c = self._row(epoch_day)[1], self._row(epoch_day)[2]
            share = (_WARMEST_H - hour) / (_WARMEST_H - _COLDEST_H)
        else:
            low_c, high_c = self._row(epoch_day + 1)[1], self._row(epoch_day)[2]
            share = (hour - _WARMEST_H) / (24.0 - _WARMEST_H + _COLDEST_H)
        return low_c + (high_c - low_c) * (1.0 + cos(pi * share)) / 2.0

    def humidity_pct(self):
        """Relative humidity; the dew point is the day's minimum temperature (eq. 48)."""
        epoch_day, _ = self._now_hour()
        air_c = self.air_temp_c()
        return fao56.relative_humidity_pct(air_c, min(self._row(epoch_day)[1], air_c))

    def pressure_pa(self):
        """Air pressure: altitude plus the anomaly, which runs linearly from day to day."""
        epoch_day, hour = self._now_hour()
        today, tomorrow = self._row(epoch_day)[3], self._row(epoch_day + 1)[3]
        anomaly_pa = today + (tomorrow - today) * hour / 24.0
        return 1000.0 * fao56.atmospheric_pressure_kpa(self.site["altitude_m"]) + anomaly_pa

    # Book-keeping.

    def totals(self):
        """Sums since start_s: the five flows in mm, litres pumped, dry_days and full_days."""
        keys = TOTALS + ("dry_days", "full_days")
        result = {key: self._state[key] for key in keys}
        result["litres"] += self._state["pending_l"]
        return result

    def imbalance_mm(self):
        """In minus out minus change of storage; zero but for rounding."""
        s = self._state
        stored = s["start_depletion_mm"] - s["depletion_mm"]
        return (
            s["rain_mm"]
            + s["irrigation_mm"]
            - s["etc_mm"]
            - s["runoff_mm"]
            - s["drainage_mm"]
            - stored
        )

    def state(self):
        """All that changes, as a dict for JSON."""
        return dict(self._state)

    def restore(self, state):
        """Continue from state(); keys it lacks keep their value."""
        self._state.update(state)


TOTALS = ("rain_mm", "irrigation_mm", "etc_mm", "runoff_mm", "drainage_mm", "litres")
