"""Weather for the simulated field: the real series and the generator."""

from datetime import date

import pytest

from hedgerow.emulate.weather import load_weather
from hedgerow.errors import ConfigError


def test_real_series_of_a_known_day() -> None:
    # NOAA: 2012-01-02 had 10.9 mm of rain, 10.6 and 2.8 deg C.
    weather = load_weather("seattle", date(2012, 1, 2), 3)
    assert weather.measured
    assert weather.days[0][:3] == [10.9, 2.8, 10.6]
    assert "NOAA" in weather.source


def test_summer_of_2015_was_dry() -> None:
    weather = load_weather("seattle", date(2015, 5, 1), 92)
    assert sum(day[0] for day in weather.days) < 30


def test_days_beyond_the_series_borrow_the_same_calendar_day() -> None:
    inside = load_weather("seattle", date(2012, 2, 29), 1).days
    assert load_weather("seattle", date(2016, 2, 29), 1).days == inside


def test_generator_is_seeded_and_says_so() -> None:
    a = load_weather("generated", date(2024, 1, 1), 365, seed=3)
    assert a == load_weather("generated", date(2024, 1, 1), 365, seed=3)
    assert a.days != load_weather("generated", date(2024, 1, 1), 365, seed=4).days
    assert not a.measured
    assert "generated" in a.source
    assert all(low < high and rain >= 0 for rain, low, high, _ in a.days)


def test_unknown_kind() -> None:
    with pytest.raises(ConfigError, match="choose one of seattle"):
        load_weather("mars", date(2024, 1, 1), 1)
