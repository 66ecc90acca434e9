"""[power] -> plan["power"]: how the node sleeps, when it connects, what its parts draw."""

from typing import Any

from hedgerow.config.draft import Draft
from hedgerow.config.schema import is_known
from hedgerow.drivers import drivers
from hedgerow.power.currents import node_currents

_CANNOT_SLEEP_DEEPLY = {
    "rp2": "its deepsleep is a light sleep and a reset that looks like the watchdog's",
    "qemu": "it has no sleep",
}
_COUNTING_BUS = "input_pin"


def power_part(
    draft: Draft, sensors: list[dict[str, Any]], actuators: list[dict[str, Any]]
) -> dict[str, Any] | None:
    """sensors, actuators: parts of the plan. None without [power]."""
    table = draft.table("power")
    if table is None:
        return None
    _check_sleep(draft, table)
    _check_times(draft, table)
    if not all(is_known(table[key]) for key in ("sleep", "extra_ua")):
        return None
    known = {key: value if is_known(value) else None for key, value in table.items()}
    found = node_currents(draft.board, sensors, actuators, known)
    return {
        "sleep": known["sleep"],
        "uplink_every_s": known["uplink_every_s"],
        "on_events": known["uplink_when"] == "events",
        "awake_max_s": known["awake_max_s"],
        "ua": {key: _whole(ua) for key, ua in found.ua.items()},
        "loads_ua": [_whole(ua) for ua in found.loads_ua],
        "wake_ms": found.wake_ms,
        **{key: known[key] for key in _FOR_THE_HOST},
    }


# What only the prediction asks for; the node does not look at it.
_FOR_THE_HOST = (
    "active_ma",
    "radio_ma",
    "sleep_ua",
    "extra_ua",
    "link_s",
    "battery_mah",
    "self_discharge_pct",
)


def _whole(ua: float | None) -> float | None:
    """Ints where it costs nothing: a board's floats have seven digits."""
    return ua if ua is None or ua < 100 else round(ua)


def _check_sleep(draft: Draft, table: dict[str, Any]) -> None:
    sleep, board = table["sleep"], draft.board
    if not is_known(sleep) or sleep == "none":
        return
    reason = _CANNOT_SLEEP_DEEPLY.get(board.port) if board else None
    if sleep == "deep" and board and reason:
        draft.fault(("power", "sleep"), f"{board.name} cannot sleep deeply: {reason}", '"light"')
    for path, row in draft.rows("sensor"):
        entry = drivers().get(row["driver"]) if is_known(row["driver"]) else None
        if entry and entry["bus"] == _COUNTING_BUS:
            message = f"{row['driver']} counts nothing while the node sleeps"
            draft.warn((*path, "driver"), message, 'sleep = "none", or another sensor')


def _check_times(draft: Draft, table: dict[str, Any]) -> None:
    sample_s = (draft.table("node") or {}).get("sample_s")
    awake_s = table["awake_max_s"]
    if is_known(sample_s) and is_known(awake_s) and awake_s > sample_s:
        message = f"awake_max_s = {awake_s} is longer than sample_s = {sample_s}"
        draft.fault(("power", "awake_max_s"), message, f"{sample_s} or less")
    if table["self_discharge_pct"] is not None and table["battery_mah"] is None:
        message = "self_discharge_pct needs battery_mah"
        draft.fault(("power", "self_discharge_pct"), message, "battery_mah = ...", key=True)
