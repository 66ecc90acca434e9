"""The simulated field against the worked examples of FAO-56, and its own bookkeeping."""

import unittest

from hedgerow.emulate import fao56
from hedgerow.emulate.field import DAY_S, SOIL, Field, day_of_year

START_S = 1430463600  # 2015-05-01 07:00 UTC
SITE = {"utc_offset_s": -7 * 3600, "area_m2": 10.0, "efficiency": 0.8}
DRY = [[0.0, 10.0, 25.0, 0.0]]
WEATHER = [
    [0.0, 10.0, 25.0, 300.0],
    [12.0, 9.0, 15.0, -800.0],
    [2.0, 8.0, 18.0, -100.0],
]
# FAO-56 example 36: field capacity and wilting point of table 19, depth and p of table 22.
SOILS = {"loamy sand": (0.15, 0.06), "silt": (0.32, 0.15), "silty clay": (0.35, 0.23)}
CROPS = {"onion": (0.4, 0.30), "tomato": (0.8, 0.40), "maize": (1.2, 0.55)}
RAW_MM = {
    "loamy sand": {"onion": 11, "tomato": 29, "maize": 59},
    "silt": {"onion": 20, "tomato": 54, "maize": 112},
    "silty clay": {"onion": 14, "tomato": 38, "maize": 79},
}


class Fao56Examples(unittest.TestCase):
    def test_example_2_pressure_and_3_vapour(self):
        self.assertAlmostEqual(fao56.atmospheric_pressure_kpa(1800), 81.8, delta=0.05)
        self.assertAlmostEqual(fao56.saturation_vapour_kpa(24.5), 3.075, delta=0.001)
        self.assertAlmostEqual(fao56.saturation_vapour_kpa(15.0), 1.705, delta=0.001)

    def test_example_8_radiation(self):
        self.assertAlmostEqual(fao56.inverse_distance(246), 0.985, delta=0.0005)
        self.assertAlmostEqual(fao56.declination_rad(246), 0.120, delta=0.0005)
        self.assertAlmostEqual(fao56.extraterrestrial_radiation(-20, 246), 32.2, delta=0.05)

    def test_example_9_daylight(self):
        self.assertAlmostEqual(fao56.daylight_hours(-20, 246), 11.7, delta=0.05)

    def test_example_20_hargreaves(self):
        ra = fao56.extraterrestrial_radiation(45.72, 196)
        self.assertAlmostEqual(ra, 40.6, delta=0.1)
        self.assertAlmostEqual(fao56.hargreaves_eto_mm(14.8, 26.6, ra), 5.0, delta=0.05)

    def test_example_36_readily_available_water(self):
        for soil, (fc, wp) in SOILS.items():
            for crop, (depth_m, p) in CROPS.items():
                taw = fao56.total_available_water_mm(fc, wp, depth_m)
                raw = fao56.readily_available_water_mm(taw, p)
                self.assertAlmostEqual(raw, RAW_MM[soil][crop], delta=0.6, msg=soil + crop)

    def test_stress_begins_beyond_raw_and_ends_at_wilting(self):
        # Eq. 84 by hand: TAW 40 mm, p 0.6, Dr 30 mm gives Ks = 10/16.
        self.assertEqual(fao56.stress_coefficient(24.0, 40.0, 0.6), 1.0)
        self.assertAlmostEqual(fao56.stress_coefficient(30.0, 40.0, 0.6), 0.625, places=6)
        self.assertEqual(fao56.stress_coefficient(41.0, 40.0, 0.6), 0.0)

    def test_day_of_year(self):
        self.assertEqual(day_of_year(0), 1)
        self.assertEqual(day_of_year(16681), 246)  # 2015-09-03
        self.assertEqual(day_of_year(16860), 60)  # 2016-02-29
        self.assertEqual(day_of_year(17166), 366)  # 2016-12-31


class WaterBalance(unittest.TestCase):
    def test_balance_closes(self):
        field = Field(None, SITE, WEATHER, START_S)
        for hour in range(24 * 60):
            if hour % 50 == 0:
                field.add_litres(150)
            field.advance(START_S + hour * 3600)
        totals = field.totals()
        for flow in ("rain_mm", "irrigation_mm", "etc_mm", "drainage_mm"):
            self.assertGreater(totals[flow], 1.0, flow)
        self.assertAlmostEqual(field.imbalance_mm(), 0.0, delta=1e-6)

    def test_a_day_brings_its_rain_and_its_eto(self):
        start_s = START_S  # local midnight
        field = Field(None, SITE, WEATHER[1:], start_s, vwc_pct=25.0)
        field.advance(start_s + DAY_S)
        ra = fao56.extraterrestrial_radiation(47.45, 121)
        self.assertAlmostEqual(field.totals()["rain_mm"], 12.0, delta=1e-9)
        self.assertAlmostEqual(
            field.totals()["etc_mm"], fao56.hargreaves_eto_mm(9.0, 15.0, ra), delta=1e-6
        )

    def test_litres_become_millimetres(self):
        field = Field(None, SITE, DRY, START_S, vwc_pct=15.0)
        field.pump(True, 10.0)
        field.pump(False, 0, at_s=START_S + 12 * 60)  # 120 l on 10 m2 at 80 % is 9.6 mm
        field.advance(START_S + 3600)
        self.assertAlmostEqual(field.totals()["litres"], 120.0, delta=1e-9)
        self.assertAlmostEqual(field.totals()["irrigation_mm"], 9.6, delta=1e-9)
        self.assertAlmostEqual(field.vwc_pct(), 15.0 + 9.6 / 400 * 100, delta=0.05)

    def test_call_pattern_does_not_matter(self):
        often = Field(None, SITE, WEATHER, START_S)
        for minute in range(0, 5 * 24 * 60, 7):
            often.advance(START_S + minute * 60)
        once = Field(None, SITE, WEATHER, START_S)
        often.advance(START_S + 5 * DAY_S)
        once.advance(START_S + 5 * DAY_S)
        self.assertAlmostEqual(often.vwc_pct(), once.vwc_pct(), delta=1e-9)
        self.assertAlmostEqual(often.soil_temp_c(), once.soil_temp_c(), delta=1e-9)

    def test_times_may_have_fractions(self):
        field = Field(None, SITE, WEATHER, START_S)
        field.advance(START_S + 90_000.751)
        whole = Field(None, SITE, WEATHER, START_S)
        whole.advance(START_S + 90_000)
        self.assertAlmostEqual(field.air_temp_c(), whole.air_temp_c(), delta=1e-3)
        self.assertEqual(field.totals(), whole.totals())

    def test_step_width_hardly_matters(self):
        ends = []
        for step_s in (900, 3600):
            field = Field(None, SITE, WEATHER, START_S, step_s=step_s)
            field.advance(START_S + 20 * DAY_S)
            ends.append(field.vwc_pct())
        self.assertAlmostEqual(ends[0], ends[1], delta=0.1)

    def test_water_above_field_capacity_drains_within_a_day(self):
        field = Field(None, SITE, DRY, START_S, vwc_pct=35.0)
        field.advance(START_S + DAY_S)
        self.assertLess(field.vwc_pct(), 28.0 + 0.1 * 7.0)

    def test_dry_days_are_counted(self):
        field = Field(None, SITE, DRY, START_S, dry_pct=20.0, vwc_pct=12.0)
        field.advance(START_S + 3 * DAY_S)
        totals = field.totals()
        self.assertEqual((totals["dry_days"], totals["full_days"]), (3, 3))

    def test_default_limit_is_raw(self):
        field = Field(None, SITE, DRY, START_S)
        self.assertAlmostEqual(field.dry_pct, 100 * (0.28 - 0.45 * 0.16), delta=1e-9)


class Heat(unittest.TestCase):
    def test_air_reaches_minimum_and_maximum(self):
        field = Field(None, SITE, DRY, START_S)
        seen = []
        for hour in range(24):
            field.advance(START_S + DAY_S + hour * 3600)
            seen.append(field.air_temp_c())
        self.assertAlmostEqual(min(seen), 10.0, delta=1e-6)
        self.assertAlmostEqual(max(seen), 25.0, delta=1e-6)
        self.assertEqual((seen.index(min(seen)), seen.index(max(seen))), (5, 15))

    def test_wave_is_damped_and_late_with_depth(self):
        swings = []
        for depth_m in (0.05, 0.30):
            soil = dict(SOIL)
            soil["probe_depth_m"] = depth_m
            field = Field(soil, SITE, DRY, START_S)
            temps = []
            for hour in range(24):
                field.advance(START_S + DAY_S + hour * 3600)
                temps.append(field.soil_temp_c())
            swings.append((max(temps) - min(temps), temps.index(max(temps))))
        # d = 0.117 m: exp(-0.25 / 0.117) between the two depths, and 8.2 h later
        self.assertAlmostEqual(swings[1][0] / swings[0][0], 0.118, delta=0.03)
        self.assertAlmostEqual((swings[1][1] - swings[0][1]) % 24, 8.2, delta=1.0)

    def test_dew_point_is_the_minimum(self):
        field = Field(None, SITE, DRY, START_S)
        field.advance(START_S + DAY_S + 5 * 3600)
        self.assertAlmostEqual(field.humidity_pct(), 100.0, delta=0.01)
        field.advance(START_S + DAY_S + 15 * 3600)
        self.assertAlmostEqual(field.humidity_pct(), 100 * 1.228 / 3.168, delta=0.1)

    def test_pressure_of_the_altitude(self):
        field = Field(None, {"altitude_m": 1800, "utc_offset_s": 0}, DRY, START_S)
        self.assertAlmostEqual(field.pressure_pa(), 81800, delta=60)


class State(unittest.TestCase):
    def test_world_continues_from_its_state(self):
        whole = Field(None, SITE, WEATHER, START_S)
        whole.pump(True, 1.0)
        whole.advance(START_S + 30_000)
        other = Field(None, SITE, WEATHER, START_S)
        other.restore(whole.state())
        for field in (whole, other):
            field.pump(False, 0, at_s=START_S + 31_000)
            field.advance(START_S + 4 * DAY_S)
        self.assertEqual(whole.state(), other.state())


if __name__ == "__main__":
    unittest.main()
