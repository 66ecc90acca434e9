"""How long a node lives on its battery, predicted from its plan alone.

    prediction = predict(plan)          # None without [power]
    prediction.rows                     # mAh a day by phase
    prediction.days                     # of the battery; None if no size was given

Independent of what a node counts while it runs (hedge/power/ledger.py): from the timetable, the
drivers' conversion times and the rules' limits. Times are the longest ones of the data sheets.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hedgerow.boards import load_board
from hedgerow.config.summary import records_a_day
from hedgerow.power.currents import NodeCurrents, node_currents, read_ms

_DAY_S = 86400
_MONTH_DAYS = 30.44
# One record costs about one block erase (hedge/store/README.md). Winbond W25Q16JV, the Pico's
# flash: sector erase 45 ms, page program 0.4 ms, typical. Programming current is not in it.
_STORE_MS = 46


@dataclass(frozen=True)
class Row:
    """One phase of a day. ua None: not known. most: the time is an upper limit. of: the part that
    takes most of it."""

    phase: str
    seconds: float | None
    ua: float | None
    most: bool = False
    of: str = ""

    @property
    def mah(self) -> float | None:
        """Charge a day; None if time or current is not known."""
        if self.seconds == 0.0:
            return 0.0
        if self.seconds is None or self.ua is None:
            return None
        return self.seconds * self.ua / 3.6e6


@dataclass(frozen=True)
class Prediction:
    """unknown: what is missing, in words; the charge of it is not in the total."""

    sleep: str
    board: str
    of: str
    rows: tuple[Row, ...]
    unknown: tuple[str, ...]
    battery_mah: float | None
    self_discharge_mah: float | None

    @property
    def total_mah(self) -> float:
        """Known charge of a day."""
        return sum(row.mah or 0.0 for row in self.rows)

    @property
    def largest(self) -> Row | None:
        """The phase that takes most of what is known."""
        return max(self.rows, key=lambda row: row.mah or 0.0, default=None)

    @property
    def days(self) -> float | None:
        """Of the battery, at most while something is unknown; None without its size."""
        a_day = self.total_mah + (self.self_discharge_mah or 0.0)
        return self.battery_mah / a_day if self.battery_mah and a_day else None


def predict(plan: Mapping[str, Any]) -> Prediction | None:
    """plan: of compile_file. None if the node file has no [power]."""
    table = plan.get("power")
    if not table:
        return None
    board = load_board(plan["board"]["name"])
    found = node_currents(board, plan["sensors"], plan["actuators"], table)
    times = _times(plan, table, found)
    thirstiest = max(found.rest_ua, key=lambda name: found.rest_ua[name], default="")
    rows = [
        Row(phase, seconds, found.ua.get(phase), of=thirstiest if phase == "standby" else "")
        for phase, seconds in times.items()
    ]
    rows += list(_loads(plan, found))
    unknown = [text for phase in found.unknown for text in found.unknown[phase]]
    if times["link"] is None:
        unknown.append("time of a link session (link_s)")
    if plan["model"]:
        unknown.append("time of an inference on this board: small, the ledger counts it")
    battery, loss = table["battery_mah"], table["self_discharge_pct"]
    return Prediction(
        table["sleep"],
        board.name,
        board.currents.of if board.currents else "board",
        tuple(rows),
        tuple(unknown),
        battery,
        battery * loss / 100 / _MONTH_DAYS if battery and loss is not None else None,
    )


def _times(
    plan: Mapping[str, Any], table: Mapping[str, Any], found: NodeCurrents
) -> dict[str, float | None]:
    """Seconds of a day by phase; they add up to it, those of loads excepted."""
    ticks = _DAY_S / plan["node"]["sample_s"]
    sense_s = ticks * sum(read_ms(row, table["sleep"]) for row in plan["sensors"]) / 1000
    store_s = records_a_day(plan) * _STORE_MS / 1000
    wake_s = ticks * (found.wake_ms or 0) / 1000 if table["sleep"] == "deep" else 0.0
    link_s = _link_s(plan, table)
    asleep = table["sleep"] != "none"
    awake_s = sum(row.seconds or 0.0 for row in _loads(plan, found)) if asleep else 0.0
    rest_s = max(_DAY_S - sense_s - store_s - wake_s - awake_s - (link_s or 0.0), 0.0)
    return {
        "sense": sense_s,
        "store": store_s,
        "link": link_s,
        "idle": wake_s + awake_s if asleep else rest_s,  # an actuator keeps it awake
        "sleep": rest_s if asleep else 0.0,
        "standby": float(_DAY_S),
    }


def _link_s(plan: Mapping[str, Any], table: Mapping[str, Any]) -> float | None:
    """None: how long a session takes is not known."""
    if plan["uplink"] is None:
        return 0.0
    if table["sleep"] == "none":
        return float(_DAY_S)  # connected all the time; then no time is idle
    if table["link_s"] is None:
        return None
    return sessions_a_day(plan) * float(table["link_s"])


def sessions_a_day(plan: Mapping[str, Any]) -> float:
    """At most: the timetable, and each event on its own if events do not wait."""
    table = plan["power"]
    sessions = _DAY_S / table["uplink_every_s"]
    if table["on_events"]:
        sessions += sum(2 * _starts_a_day(rule) for rule in plan["rules"])
        model = plan["model"]
        sessions += (len(model["at_s"]) or _DAY_S / model["every_s"]) if model else 0
    return float(min(sessions, _DAY_S / plan["node"]["sample_s"]))


def _starts_a_day(rule: Mapping[str, Any]) -> float:
    if rule["max_per_day"]:
        return float(rule["max_per_day"])
    return _DAY_S / max(rule["hold_off_s"] + rule["on_s"], 3600)


def _loads(plan: Mapping[str, Any], found: NodeCurrents) -> Iterable[Row]:
    """Actuators: as long as their limits and rules allow."""
    for index, (actuator, ua) in enumerate(zip(plan["actuators"], found.loads_ua, strict=True)):
        rules = [rule for rule in plan["rules"] if rule["actuator"] == index]
        wanted = sum(
            _starts_a_day(rule) * (rule["on_s"] or actuator["max_on_s"]) for rule in rules
        )
        most = actuator["max_s_per_day"] or _DAY_S
        yield Row(actuator["name"], float(min(wanted, most)), ua, most=True)
