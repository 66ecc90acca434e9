"""Home Assistant's words for our units and names.

Source: Home Assistant core, homeassistant/components/sensor/const.py (DEVICE_CLASS_UNITS and
DEVICE_CLASS_STATE_CLASSES): a class with a unit or state class that is not in these tables is
refused with a warning, so each row here is one of theirs.
"""

# SenML unit -> (their unit, device class or None)
_UNITS: dict[str, tuple[str, str | None]] = {
    "%": ("%", None),
    "%EL": ("%", "battery"),
    "%RH": ("%", "humidity"),
    "/": ("", None),
    "A": ("A", "current"),
    "Cel": ("°C", "temperature"),
    "Pa": ("Pa", "pressure"),
    "V": ("V", "voltage"),
    "W": ("W", "power"),
    "count": ("", None),
    "deg": ("°", None),
    "hPa": ("hPa", "pressure"),
    "kg": ("kg", "weight"),
    "l": ("L", "volume"),
    "l/s": ("L/s", "volume_flow_rate"),
    "lat": ("°", None),
    "lon": ("°", None),
    "lx": ("lx", "illuminance"),
    "m": ("m", "distance"),
    "m/s": ("m/s", "speed"),
    "m/s2": ("m/s²", None),
    "mm": ("mm", None),
    "pH": ("", "ph"),
    "s": ("s", "duration"),
    "ug/m3": ("μg/m³", None),
}

# (SenML unit, part of the name) -> device class; the first that fits
_BY_NAME = (
    ("%", "vwc", "moisture"),
    ("%", "moisture", "moisture"),
    ("%", "humidity", "humidity"),
    ("%", "battery", "battery"),
    ("deg", "dir", "wind_direction"),
    ("m/s", "wind", "wind_speed"),
    ("m/s", "gust", "wind_speed"),
    ("mm", "rain", "precipitation"),
    ("ug/m3", "pm10", "pm10"),
    ("ug/m3", "pm1", "pm1"),
    ("ug/m3", "pm2", "pm25"),
)

# All others measure now: "measurement" is allowed for each class above.
_STATE_CLASSES = {"volume": "total_increasing", "wind_direction": ""}


def describe(name: str, unit: str) -> dict[str, str]:
    """unit_of_measurement, device_class, state_class of a number; what is unknown is left out."""
    shown, device_class = _UNITS.get(unit, (unit, None))
    named = (found for of, part, found in _BY_NAME if of == unit and part in name)
    device_class = next(named, device_class)
    told = {
        "unit_of_measurement": shown,
        "device_class": device_class or "",
        "state_class": _STATE_CLASSES.get(device_class or "", "measurement"),
    }
    return {key: text for key, text in told.items() if text}
