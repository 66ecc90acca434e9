"""Equations of FAO-56 that the simulated field uses, under their numbers in the paper.

Source: R. G. Allen, L. S. Pereira, D. Raes, M. Smith: Crop evapotranspiration, FAO Irrigation and
Drainage Paper 56, Rome 1998 ("FAO-56" below). Floats; runs under CPython and MicroPython.
Units: temperatures deg C, vapour pressure kPa, radiation MJ m-2 day-1, water depths mm.
"""

from math import acos, cos, exp, pi, sin, sqrt, tan

_GSC = 0.0820  # solar constant, MJ m-2 min-1
_MJ_TO_MM = 0.408  # eq. 20: evaporation equivalent of 1 MJ m-2


def atmospheric_pressure_kpa(altitude_m):
    """Eq. 7."""
    return 101.3 * ((293.0 - 0.0065 * altitude_m) / 293.0) ** 5.26


def saturation_vapour_kpa(temp_c):
    """Eq. 11, e0(T)."""
    return 0.6108 * exp(17.27 * temp_c / (temp_c + 237.3))


def relative_humidity_pct(temp_c, dewpoint_c):
    """Eq. 10 with the actual vapour pressure of eq. 14; 1..100."""
    ratio = saturation_vapour_kpa(dewpoint_c) / saturation_vapour_kpa(temp_c)
    return min(max(100.0 * ratio, 1.0), 100.0)


def inverse_distance(day_of_year):
    """Eq. 23, dr: relative distance of the earth from the sun, inverse."""
    return 1.0 + 0.033 * cos(2.0 * pi * day_of_year / 365.0)


def declination_rad(day_of_year):
    """Eq. 24."""
    return 0.409 * sin(2.0 * pi * day_of_year / 365.0 - 1.39)


def sunset_angle_rad(lat_rad, declination):
    """Eq. 25, limited to polar day and polar night."""
    return acos(min(max(-tan(lat_rad) * tan(declination), -1.0), 1.0))


def daylight_hours(lat_deg, day_of_year):
    """Eq. 34."""
    return 24.0 / pi * sunset_angle_rad(lat_deg * pi / 180.0, declination_rad(day_of_year))


def extraterrestrial_radiation(lat_deg, day_of_year):
    """Eq. 21, Ra in MJ m-2 day-1."""
    lat = lat_deg * pi / 180.0
    dec = declination_rad(day_of_year)
    ws = sunset_angle_rad(lat, dec)
    angles = ws * sin(lat) * sin(dec) + cos(lat) * cos(dec) * sin(ws)
    return 24.0 * 60.0 / pi * _GSC * inverse_distance(day_of_year) * angles


def hargreaves_eto_mm(temp_min_c, temp_max_c, ra):
    """Eq. 52: reference evapotranspiration in mm/day where only temperatures are known."""
    mean_c = (temp_min_c + temp_max_c) / 2.0
    spread = max(temp_max_c - temp_min_c, 0.0)
    return max(0.0023 * (mean_c + 17.8) * sqrt(spread) * ra * _MJ_TO_MM, 0.0)


def total_available_water_mm(field_capacity, wilting_point, root_depth_m):
    """Eq. 82; the contents are volume fractions."""
    return 1000.0 * (field_capacity - wilting_point) * root_depth_m


def readily_available_water_mm(taw_mm, p):
    """Eq. 83; p is the depletion fraction of table 22."""
    return p * taw_mm


def stress_coefficient(depletion_mm, taw_mm, p):
    """Eq. 84, Ks: 1 without stress, 0 at the wilting point."""
    if depletion_mm <= p * taw_mm:
        return 1.0
    return max((taw_mm - depletion_mm) / ((1.0 - p) * taw_mm), 0.0)
