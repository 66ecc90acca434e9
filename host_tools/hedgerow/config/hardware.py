"""Board, sensors and actuators: pins, buses, drivers and their parameters -> plan."""

from typing import Any, cast

from hedgerow.boards import board_names, load_board
from hedgerow.config.claims import Claims
from hedgerow.config.draft import Draft
from hedgerow.config.fault import Path, listed
from hedgerow.config.params import driver_args
from hedgerow.config.places import place
from hedgerow.config.schema import is_known
from hedgerow.drivers import as_node_uses_it, drivers


def board_part(draft: Draft) -> dict[str, Any]:
    """plan["board"] without its buses; they are added as sensors use them."""
    name = (draft.table("node") or {}).get("board")
    if not is_known(name):
        return {}
    names = board_names()
    if name not in names:
        draft.unknown(("node", "board"), "board", name, names)
        return {}
    draft.board = load_board(name)
    return {"name": name, "port": draft.board.port, "buses": {}}


def sensor_parts(draft: Draft, board: dict[str, Any]) -> list[dict[str, Any]]:
    """plan["sensors"]; declares the channels."""
    claims = Claims(draft, board)
    parts = []
    for path, row in draft.rows("sensor"):
        driver = _driver(draft, path, row, "sensor")
        _declare(draft, path, row, driver)
        if driver is not None:
            parts.append(_sensor(draft, path, row, driver, claims))
    draft.tables["claims"] = claims  # actuators use pins too
    _check_time(draft)
    return [part for part in parts if part]


def actuator_parts(draft: Draft) -> list[dict[str, Any]]:
    """plan["actuators"]."""
    claims = draft.tables["claims"]
    parts = []
    names: set[str] = set()
    for path, row in draft.rows("actuator"):
        _check_unique(draft, path, row, names | set(draft.sensors))
        names.add(row["name"])
        driver = _driver(draft, path, row, "actuator")
        if driver is not None:
            parts.append(_actuator(draft, path, row, driver, claims))
    return [part for part in parts if part]


def _check_unique(draft: Draft, path: Path, row: dict[str, Any], names: set[str]) -> None:
    name = row["name"]
    if not is_known(name):
        return
    if name in names:
        draft.fault((*path, "name"), f"the name {name!r} is taken", "a name of its own")
    elif name in ("model", "rule", "link", "boot", "health", "diag"):
        draft.fault((*path, "name"), f"{name!r} means something else here", "another name")


def _driver(draft: Draft, path: Path, row: dict[str, Any], kind: str) -> dict[str, Any] | None:
    name = row["driver"]
    if not is_known(name):
        return None
    usable = {key: entry for key, entry in drivers().items() if not entry["program_only"]}
    known = [key for key, entry in usable.items() if entry["kind"] == kind]
    if name in drivers() and name not in known:
        entry = drivers()[name]
        wrong = f"{name} is a driver of [[{entry['kind']}]]"
        if entry["program_only"]:
            wrong = f"{name} is for programs: {entry['program_only']}"
        draft.fault((*path, "driver"), wrong, listed(known))
        return None
    if name not in known:
        draft.unknown((*path, "driver"), "driver", name, known)
        return None
    return as_node_uses_it(drivers()[name])


def _declare(draft: Draft, path: Path, row: dict[str, Any], driver: dict[str, Any] | None) -> None:
    """Add the sensor's channels, or note that its channels cannot be known."""
    _check_unique(draft, path, row, set(draft.sensors))
    name = row["name"] if is_known(row["name"]) and row["name"] not in draft.sensors else ""
    draft.sensors.append(name)
    if driver is None or not name:
        draft.doubtful.add(name)
        return
    for channel, unit, scale, low, high in driver["channels"]:
        if f"{name}.{channel}" not in draft.channels:
            draft.add_channel(f"{name}.{channel}", unit, scale, low, high)


def _check_time(draft: Draft) -> None:
    """One after the other, the sensors must be done before the next sample."""
    sample_s = (draft.table("node") or {}).get("sample_s")
    rows = [row["driver"] for _, row in draft.rows("sensor")]
    needed_ms = sum(cast(int, drivers()[n]["convert_ms"]) for n in rows if n in drivers())
    if is_known(sample_s) and needed_ms > sample_s * 1000:
        needed_s = -(-needed_ms // 1000)
        message = f"sample_s = {sample_s}: the sensors take {needed_ms} ms to convert"
        draft.fault(("node", "sample_s"), message, f"{needed_s} or more")


def _sensor(
    draft: Draft, path: Path, row: dict[str, Any], driver: dict[str, Any], claims: Claims
) -> dict[str, Any] | None:
    args = driver_args(draft, path, row, driver, "sensor")
    where = place(draft, path, row, driver, args, claims)
    if where is None or args is None or not is_known(row["name"]):
        return None
    channels = [
        [f"{row['name']}.{name}", unit, scale, round(low * scale), round(high * scale)]
        for name, unit, scale, low, high in driver["channels"]
    ]
    return {
        **_device(row, driver, where, args),
        "channels": channels,
        "raw_bytes": driver["raw_bytes"],
        "stuck_after": row["stuck_after"],
    }


def _device(
    row: dict[str, Any], driver: dict[str, Any], where: Any, args: dict[str, Any]
) -> dict[str, Any]:
    """What the node needs to build any driver."""
    return {
        "name": row["name"],
        "driver": row["driver"],
        "module": driver["module"],
        "class": driver["class"],
        "bus": [driver["bus"], where],
        "args": args,
    }


def _actuator(
    draft: Draft, path: Path, row: dict[str, Any], driver: dict[str, Any], claims: Claims
) -> dict[str, Any] | None:
    args = driver_args(draft, path, row, driver, "actuator")
    where = place(draft, path, row, driver, args, claims)
    max_s_per_day = _per_day(draft, path, row)
    if where is None or args is None or not is_known(row["max_on_s"]):
        return None
    litres_per_min = row["litres_per_min"]
    return {
        **_device(row, driver, where, {**args, "max_on_ms": row["max_on_s"] * 1000}),
        "max_on_s": row["max_on_s"],
        "min_off_s": row["min_off_s"] if is_known(row["min_off_s"]) else 0,
        "max_s_per_day": max_s_per_day,
        "ml_per_min": round(litres_per_min * 1000) if is_known(litres_per_min) else 0,
        **({"current_ma": row["current_ma"]} if is_known(row["current_ma"]) else {}),
    }


def _per_day(draft: Draft, path: Path, row: dict[str, Any]) -> int:
    """Seconds a day from max_on_s_per_day and max_litres_per_day; 0 = no limit."""
    limits = []
    if is_known(row["max_on_s_per_day"]):
        limits.append(row["max_on_s_per_day"])
    litres, flow = row["max_litres_per_day"], row["litres_per_min"]
    if is_known(litres) and flow is None:
        message = "max_litres_per_day needs litres_per_min"
        draft.fault((*path, "max_litres_per_day"), message, "litres_per_min = ...", key=True)
    elif is_known(litres) and is_known(flow):
        limits.append(max(int(litres * 60 / flow), 1))
    return min(limits) if limits else 0
