"""How long a node may say nothing."""

_DEFAULT_PERIOD_S = 900.0
_MIN_SILENT_S = 60.0
_DAILY_S = 26 * 3600.0


def silent_limit_s(info: dict, status: str) -> float:
    """Seconds without a frame after which a node counts as silent: three sample periods.

    A node that the broker calls online keeps its session alive and may have nothing worth
    sending (report-on-change); from that one only the daily summary must come. So does one that
    sleeps, with the session after it.
    """
    if every_s := uplink_every_s(info):
        return _DAILY_S + 2 * every_s
    value = info.get("sample_s")
    period_s = float(value) if isinstance(value, int | float) and value > 0 else _DEFAULT_PERIOD_S
    limit_s = max(3 * period_s, _MIN_SILENT_S)
    return max(limit_s, _DAILY_S) if status == "online" else limit_s


def uplink_every_s(info: dict) -> float:
    """How often a node that sleeps connects; 0 for others. Offline is how it is meant to be."""
    value = info.get("uplink_every_s")
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0
