"""Board, sensors and actuators: pins, buses, drivers and their parameters -> plan."""

from typing import Any, cast

from hedge.drivers.catalog import DRIVERS
from hedgerow.boards import board_names, load_board
from hedgerow.config.draft import Draft
from hedgerow.config.fault import Path, listed, nearest
from hedgerow.config.schema import Key, is_known, section
from hedgerow.config.shape import check_value
from hedgerow.config.source import BROKEN
from hedgerow.errors import ConfigError

# Parameters that the node sets itself, from a key with another name.
_SET_BY_NODE = {"max_on_ms"}
_KINDS = {"int": "int", "bool": "bool", "str": "text"}


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
    claims = _Claims(draft, board)
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
    known = [key for key, entry in DRIVERS.items() if entry["kind"] == kind]
    if name in DRIVERS and name not in known:
        wrong = f"{name} is a driver of [[{DRIVERS[name]['kind']}]]"
        draft.fault((*path, "driver"), wrong, listed(known))
        return None
    if name not in known:
        draft.unknown((*path, "driver"), "driver", name, known)
        return None
    return DRIVERS[name]


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
    needed_ms = sum(cast(int, DRIVERS[n]["convert_ms"]) for n in rows if n in DRIVERS)
    if is_known(sample_s) and needed_ms > sample_s * 1000:
        needed_s = -(-needed_ms // 1000)
        message = f"sample_s = {sample_s}: the sensors take {needed_ms} ms to convert"
        draft.fault(("node", "sample_s"), message, f"{needed_s} or more")


class _Claims:
    """Which pin and which address is taken by whom."""

    def __init__(self, draft: Draft, board: dict[str, Any]) -> None:
        self._draft = draft
        self._buses = board.get("buses", {})
        self._pins: dict[str, tuple[str, str]] = {}  # CPU pin -> (owner, why)
        self._addresses: dict[tuple[str, int], str] = {}
        self._shared: dict[tuple[str, str], str] = {}  # (CPU pin, rom) of 1-Wire sensors

    def pin(self, path: Path, row: dict[str, Any], kind: str) -> int | str | None:
        """What machine.Pin takes, or None; kind: adc, onewire or output_pin."""
        board, label = self._draft.board, row.get("pin")
        if board is None or not is_known(label):
            return None
        ask = board.adc_pin if kind == "adc" else board.output_pin  # 1-Wire pulls its pin low
        try:
            cpu_pin = ask(label)
        except ConfigError as error:
            message, _, expected = str(error).removeprefix(f"{board.name}: ").partition("; ")
            self._draft.fault((*path, "pin"), f"{message} on {board.name}", expected)
            return None
        if cpu_pin in board.caution:
            self._draft.warn((*path, "pin"), f"pin {label}: {board.caution[cpu_pin]}")
        self._claim(path, row, cpu_pin, kind)
        return board.pin_id(label)

    def _claim(self, path: Path, row: dict[str, Any], cpu_pin: str, kind: str) -> None:
        owner, how = self._pins.get(cpu_pin, ("", ""))
        if kind == "onewire" and how == "onewire":
            self._claim_rom(path, row, cpu_pin)
        elif owner:
            message = f"pin {row['pin']} is used by {owner} already"
            self._draft.fault((*path, "pin"), message, "a pin of its own")
        else:
            self._pins[cpu_pin] = (str(row["name"]), kind)
            self._shared[cpu_pin, str(row.get("rom", ""))] = str(row["name"])

    def _claim_rom(self, path: Path, row: dict[str, Any], cpu_pin: str) -> None:
        """Several 1-Wire sensors share a pin if each is called by its own ROM code."""
        rom = str(row.get("rom", ""))
        if not rom or (cpu_pin, "") in self._shared or (cpu_pin, rom) in self._shared:
            owner = self._pins[cpu_pin][0]
            message = f"pin {row['pin']} is used by {owner} already"
            expected = "a pin of its own, or a rom of its own for each sensor on this wire"
            self._draft.fault((*path, "pin"), message, expected)
        self._shared[cpu_pin, rom] = str(row["name"])

    def i2c(self, path: Path, row: dict[str, Any], addr: int | None) -> str | None:
        """The bus name, or None."""
        board, bus = self._draft.board, row.get("bus")
        if board is None or not is_known(bus):
            return None
        if bus not in board.i2c_buses:
            self._draft.unknown((*path, "bus"), f"I2C bus of {board.name}", bus, board.i2c_buses)
            return None
        if bus not in self._buses:
            self._open(path, str(bus))
        owner = self._addresses.setdefault((str(bus), addr or 0), str(row["name"]))
        if addr is not None and owner != row["name"]:
            message = f"address 0x{addr:02x} on {bus} is used by {owner} already"
            where = (*path, "addr") if "addr" in row else (*path, "name")
            self._draft.fault(where, message, "another address or another bus")
        return str(bus)

    def _open(self, path: Path, bus: str) -> None:
        board = self._draft.board
        assert board is not None
        table = board.i2c_buses[bus]
        for role, cpu_pin in (("scl", table.scl), ("sda", table.sda)):
            owner, _ = self._pins.setdefault(cpu_pin, (f"{bus} ({role})", "bus"))
            if not owner.startswith(bus):
                label = board.labels([cpu_pin])
                message = f"{bus} needs pin {''.join(label) or cpu_pin}, used by {owner} already"
                self._draft.fault((*path, "bus"), message, "another bus or another pin there")
        self._buses[bus] = {
            "kind": "i2c",
            "id": table.id,
            "scl": board.pin_id(table.scl),
            "sda": board.pin_id(table.sda),
            "freq_hz": table.freq_hz,
        }


def _sensor(
    draft: Draft, path: Path, row: dict[str, Any], driver: dict[str, Any], claims: _Claims
) -> dict[str, Any] | None:
    args = _params(draft, path, row, driver, "sensor")
    where = _where(draft, path, row, driver, args, claims)
    if where is None or args is None or not is_known(row["name"]):
        return None
    channels = [
        [f"{row['name']}.{name}", unit, scale, round(low * scale), round(high * scale)]
        for name, unit, scale, low, high in driver["channels"]
    ]
    return {
        "name": row["name"],
        "driver": row["driver"],
        "module": driver["module"],
        "class": driver["class"],
        "bus": [driver["bus"], where],
        "args": args,
        "channels": channels,
        "raw_bytes": driver["raw_bytes"],
        "stuck_after": row["stuck_after"],
    }


def _where(
    draft: Draft,
    path: Path,
    row: dict[str, Any],
    driver: dict[str, Any],
    args: dict[str, Any] | None,
    claims: _Claims,
) -> int | str | None:
    """The pin or bus of a driver; notes a missing or a needless one."""
    wanted, other = ("bus", "pin") if driver["bus"] == "i2c" else ("pin", "bus")
    if row.get(other) is not None:
        message = f"{row['driver']} has no {other}"
        draft.fault((*path, other), message, f"{wanted} = ...", key=True)
    if row.get(wanted) is None:
        expected = f"{wanted} = {_example(draft, driver['bus'])}"
        draft.fault(path, f"no {wanted} for {row['driver']}", expected, key=True)
        return None
    if wanted == "pin":
        return claims.pin(path, row, driver["bus"])
    return claims.i2c(path, row, (args or {}).get("addr", _default(driver, "addr")))


def _default(driver: dict[str, Any], name: str) -> Any:
    return driver["params"][name][1] if name in driver["params"] else None


def _example(draft: Draft, bus: str) -> str:
    board = draft.board
    if board is None:
        return '"..."'
    if bus == "i2c":
        return listed(f'"{name}"' for name in board.i2c_buses)
    pins = board.adc_pins if bus == "adc" else board.output_pins
    return listed(f'"{label}"' for label in board.labels(pins)[:6])


def _params(
    draft: Draft, path: Path, row: dict[str, Any], driver: dict[str, Any], kind: str
) -> dict[str, Any] | None:
    """Keyword arguments of the driver: only those that differ from its defaults."""
    known = {name: p for name, p in driver["params"].items() if name not in _SET_BY_NODE}
    common = [key.name for key in section(kind).keys]
    args: dict[str, Any] = {}
    good = True
    for name in [key for key in row if key not in common]:
        if row[name] == BROKEN:
            good = False
        elif name not in known:
            _unknown_param(draft, path, row["driver"], name, [*known, *common])
        elif not _param(draft, (*path, name), name, known[name], row[name]):
            row[name] = BROKEN
            good = False
        elif row[name] != known[name][1]:
            args[name] = row[name]
    for name, param in known.items():
        if param[1] is None and name not in row:
            draft.fault(path, f"no {name} for {row['driver']}", f"{name}: {param[4]}", key=True)
            good = False
    if good:
        good = _PAIRS.get(row["driver"], _any)(draft, path, row, known)
    return args if good else None


def _unknown_param(draft: Draft, path: Path, driver: str, name: str, known: list[str]) -> None:
    message = f"{driver} has no parameter {name!r}"
    draft.fault((*path, name), message, listed(known), nearest(name, known), key=True)


def _param(draft: Draft, path: Path, name: str, param: tuple[Any, ...], value: Any) -> bool:
    kind, _, low, high, doc = param
    if kind == "str":
        if isinstance(value, str) and low <= len(value) <= high:
            return True
        draft.fault(path, f"{name} = {value!r}", f"text of {low} to {high} characters: {doc}")
        return False
    if kind == "bool":
        return check_value(draft, path, Key(name, "bool", doc), value)
    return check_value(draft, path, Key(name, _KINDS[kind], doc, None, low, high), value)


def _any(draft: Draft, path: Path, row: dict[str, Any], known: dict[str, Any]) -> bool:
    return True


def _soil_probe(draft: Draft, path: Path, row: dict[str, Any], known: dict[str, Any]) -> bool:
    """The points of the calibration as SoilProbe wants them: from dry to wet, no two alike."""
    at = {name: row.get(name, param[1]) for name, param in known.items()}
    if at["dry_mv"] == at["wet_mv"]:
        return _refuse(draft, path, row, "wet_mv", f"dry_mv and wet_mv are both {at['dry_mv']}")
    if at["dry_pct"] >= at["wet_pct"]:
        return _refuse(draft, path, row, "dry_pct", "dry_pct must be below wet_pct")
    if not at["mid_mv"]:
        return True
    for unit in ("mv", "pct"):
        ends = sorted((at[f"dry_{unit}"], at[f"wet_{unit}"]))
        if not ends[0] < at[f"mid_{unit}"] < ends[1]:
            message = f"mid_{unit} must lie between dry_{unit} and wet_{unit}"
            return _refuse(draft, path, row, f"mid_{unit}", message, f"{ends[0]} to {ends[1]}")
    return True


def _refuse(
    draft: Draft, path: Path, row: dict[str, Any], key: str, message: str, expected: str = ""
) -> bool:
    here = (*path, key) if key in row else path
    draft.fault(here, message, expected or "two different points", key=key not in row)
    return False


def _ds18b20(draft: Draft, path: Path, row: dict[str, Any], known: dict[str, Any]) -> bool:
    rom = row.get("rom", "")
    if rom and (len(rom) != 16 or any(c not in "0123456789abcdefABCDEF" for c in rom)):
        draft.fault((*path, "rom"), f'rom = "{rom}"', "16 hex digits, family code first")
        return False
    return True


# Checks of parameters against each other, by driver.
_PAIRS = {"soil_probe": _soil_probe, "ds18b20": _ds18b20}


def _actuator(
    draft: Draft, path: Path, row: dict[str, Any], driver: dict[str, Any], claims: _Claims
) -> dict[str, Any] | None:
    args = _params(draft, path, row, driver, "actuator")
    where = _where(draft, path, row, driver, args, claims)
    max_s_per_day = _per_day(draft, path, row)
    if where is None or args is None or not is_known(row["max_on_s"]):
        return None
    litres_per_min = row["litres_per_min"]
    return {
        "name": row["name"],
        "driver": row["driver"],
        "module": driver["module"],
        "class": driver["class"],
        "bus": [driver["bus"], where],
        "args": {**args, "max_on_ms": row["max_on_s"] * 1000},
        "max_on_s": row["max_on_s"],
        "min_off_s": row["min_off_s"] if is_known(row["min_off_s"]) else 0,
        "max_s_per_day": max_s_per_day,
        "ml_per_min": round(litres_per_min * 1000) if is_known(litres_per_min) else 0,
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
