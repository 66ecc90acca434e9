"""`when = [...]` -> the list form of PLAN.md. A new condition is a row in HEADS and a function."""

import re
from collections.abc import Callable
from typing import Any

from hedgerow.config.comparisons import SIDES, Expression, compare
from hedgerow.config.draft import Channel, Draft
from hedgerow.config.fault import Path, listed, nearest
from hedgerow.config.schema import is_known
from hedgerow.config.source import BROKEN

_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(([01]\d|2[0-3]):([0-5]\d)|24:00)")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def compile_when(draft: Draft, path: Path, value: Any) -> Expression:
    """A list means that all of it must hold; a table is one condition."""
    if not is_known(value):
        return None
    return _all(draft, path, value) if isinstance(value, list) else compile_one(draft, path, value)


def compile_one(draft: Draft, path: Path, value: Any) -> Expression:
    """One condition, e.g. { channel = "soil.vwc", below = 14.0 }."""
    if not isinstance(value, dict):
        if value != BROKEN:
            draft.fault(path, "not a condition", '{ channel = "soil.vwc", below = 14 }')
        return None
    heads = [name for name in value if name in HEADS]
    if len(heads) != 1:
        return _no_head(draft, path, value, heads)
    head = heads[0]
    compile_it, allowed = HEADS[head]
    good, meant = True, False
    for name in value:
        if name != head and name not in allowed:
            good = False
            meant = meant or bool(nearest(name, allowed))
            message = f"unknown key {name!r} in a condition on {head}"
            expected = listed(allowed) or "no other key"
            draft.fault((*path, name), message, expected, nearest(name, allowed), key=True)
    if meant:
        return None  # the misspelt key was the one that is needed
    result = compile_it(draft, path, value)
    return result if good else None


def _no_head(draft: Draft, path: Path, value: dict[str, Any], heads: list[str]) -> Expression:
    if heads:
        message = f"{' and '.join(heads)} in one condition"
        draft.fault((*path, heads[1]), message, "one condition in each { }", key=True)
        return None
    others = {name for _, allowed in HEADS.values() for name in allowed}
    for name in value:
        if name not in others:
            near = nearest(name, HEADS)
            draft.fault(
                (*path, name), f"unknown condition {name!r}", listed(HEADS), near, key=True
            )
            return None
    draft.fault(path, "a condition on nothing", listed(HEADS))
    return None


def _channel(draft: Draft, path: Path, value: dict[str, Any]) -> Expression:
    return compare(draft, path, value, draft.channel((*path, "channel"), value["channel"]))


def _model(draft: Draft, path: Path, value: dict[str, Any]) -> Expression:
    return compare(draft, path, value, _output(draft, (*path, "model"), value["model"]))


def _output(draft: Draft, path: Path, name: Any) -> Channel | None:
    """The channel of a model output; its name may stand with or without `model.`"""
    if not isinstance(name, str):
        draft.fault(path, f"{name!r} is not a model output", "a name in quotes")
        return None
    if draft.table("model") is None:
        draft.fault(path, "a condition on the model", "a [model] section")
        return None
    full = name if name.startswith("model.") else f"model.{name}"
    if full in draft.channels or "model" in draft.doubtful:
        return draft.channels.get(full)
    draft.unknown(path, "model output", name, draft.outputs)
    return None


def _top(draft: Draft, path: Path, value: dict[str, Any]) -> Expression:
    channel = _output(draft, (*path, "top"), value["top"])
    if channel is None:
        return None
    indices = [draft.channels[f"model.{name}"].index for name in draft.outputs]
    return ["top", indices, indices.index(channel.index)]


def _healthy(draft: Draft, path: Path, value: dict[str, Any]) -> Expression:
    here, names = (*path, "healthy"), value["healthy"]
    if names == "all":
        return ["healthy", list(range(len(draft.sensors)))]
    if isinstance(names, str):
        names = [names]
    if not isinstance(names, list) or not names:
        draft.fault(here, "healthy needs sensor names", 'healthy = ["soil"], or healthy = "all"')
        return None
    found = []
    for index, name in enumerate(names):
        if name in draft.sensors and name:
            found.append(draft.sensors.index(name))
        elif "" not in draft.sensors and name != BROKEN:
            at = (*here, index) if isinstance(value["healthy"], list) else here
            draft.unknown(at, "sensor", name, [n for n in draft.sensors if n])
    return ["healthy", found] if len(found) == len(names) else None


def _unknown(draft: Draft, path: Path, value: dict[str, Any]) -> Expression:
    channel = draft.channel((*path, "unknown"), value["unknown"])
    return None if channel is None else ["unknown", channel.index]


def _window(draft: Draft, path: Path, value: dict[str, Any]) -> Expression:
    here, text = (*path, "window"), value["window"]
    match = _WINDOW.fullmatch(text) if isinstance(text, str) else None
    if not match:
        draft.fault(here, f"window = {text!r}", '"HH:MM-HH:MM", e.g. "22:00-06:30"')
        return None
    start = int(match[1]) * 60 + int(match[2])
    end = 24 * 60 if match[3] == "24:00" else int(match[4]) * 60 + int(match[5])
    if start == end:
        draft.fault(
            here, f"never true: window = {text!r} has no length", '"00:00-24:00" for always'
        )
        return None
    days = _days(draft, path, value)
    return None if days is None else ["window", start, end, days]


def _days(draft: Draft, path: Path, value: dict[str, Any]) -> int | None:
    names = value.get("days", list(_DAYS))
    if not isinstance(names, list) or not names:
        draft.fault((*path, "days"), "days is a list", 'days = ["mon", "fri"]')
        return None
    mask = 0
    for index, name in enumerate(names):
        if name not in _DAYS:
            near = nearest(str(name)[:3], _DAYS)
            draft.fault((*path, "days", index), f"no day {name!r}", listed(_DAYS), near)
            return None
        mask |= 1 << _DAYS.index(name)
    return mask


def _all(draft: Draft, path: Path, parts: Any) -> Expression:
    result = _list(draft, path, "all", parts)
    if result is not None:
        _check_contradiction(draft, path, result[1])
    return result


def _list(draft: Draft, path: Path, op: str, parts: Any) -> Expression:
    if not isinstance(parts, list) or not parts:
        draft.fault(path, f"{op} needs a list of conditions", "at least one condition")
        return None
    built = [compile_one(draft, (*path, i), part) for i, part in enumerate(parts)]
    return [op, built] if all(part is not None for part in built) else None


def _check_contradiction(draft: Draft, path: Path, parts: list[Any]) -> None:
    """In one `all`, no channel can be below a and above b >= a, nor known and unknown at once."""
    names = {channel.index: channel.name for channel in draft.channels.values()}
    lows: dict[int, int] = {}
    highs: dict[int, int] = {}
    for i, part in enumerate(parts):
        op = part[0]
        if op in SIDES.values() or op == "between":
            index = part[1]
            low, high = _span(part)
            lows[index] = max(lows.get(index, low), low)
            highs[index] = min(highs.get(index, high), high)
            if lows[index] > highs[index]:
                message = f"never true: it contradicts another condition on {names[index]}"
                draft.fault((*path, i), message, "limits that can hold at once")
                return
    compared = set(lows)
    for i, part in enumerate(parts):
        if part[0] == "unknown" and part[1] in compared:
            message = f"never true: {names[part[1]]} is compared with a limit here too"
            draft.fault((*path, i), message, "one of the two")


def _span(part: list[Any]) -> tuple[int, int]:
    """Smallest and largest int for which a comparison holds."""
    big = 1 << 40
    if part[0] == "between":
        return part[2], part[3]
    limit = part[2]
    return {
        "<": (-big, limit - 1),
        "<=": (-big, limit),
        ">": (limit + 1, big),
        ">=": (limit, big),
    }[part[0]]


def _all_key(draft: Draft, path: Path, value: dict[str, Any]) -> Expression:
    return _all(draft, (*path, "all"), value["all"])


def _any_key(draft: Draft, path: Path, value: dict[str, Any]) -> Expression:
    return _list(draft, (*path, "any"), "any", value["any"])


def _not_key(draft: Draft, path: Path, value: dict[str, Any]) -> Expression:
    part = compile_one(draft, (*path, "not"), value["not"])
    return None if part is None else ["not", part]


_COMPARE_KEYS = (*SIDES, "between", "hysteresis")
HEADS: dict[str, tuple[Callable[[Draft, Path, dict[str, Any]], Expression], tuple[str, ...]]] = {
    "channel": (_channel, _COMPARE_KEYS),
    "model": (_model, _COMPARE_KEYS),
    "top": (_top, ()),
    "healthy": (_healthy, ()),
    "unknown": (_unknown, ()),
    "window": (_window, ("days",)),
    "all": (_all_key, ()),
    "any": (_any_key, ()),
    "not": (_not_key, ()),
}
