"""{ channel = "soil.vwc", below = 14.0, hysteresis = 1.0 } -> an expression of the plan."""

from typing import Any

from hedgerow.config.draft import Channel, Draft
from hedgerow.config.fault import Path, listed
from hedgerow.config.keys import is_number
from hedgerow.config.source import BROKEN

Expression = list[Any] | None  # None: a fault was reported
SIDES = {"below": "<", "at_most": "<=", "above": ">", "at_least": ">="}


def compare(
    draft: Draft, path: Path, value: dict[str, Any], channel: Channel | None
) -> Expression:
    side = _side(draft, path, value)
    if side is None:
        return None
    if side == "between":
        return _between(draft, path, value, channel)
    limit, hysteresis = value[side], value.get("hysteresis", 0)
    if not _is_limit(draft, (*path, side), limit, channel, side):
        return None
    if not is_number(hysteresis) or hysteresis < 0:
        draft.fault((*path, "hysteresis"), f"hysteresis = {hysteresis}", "a number, 0 or more")
        return None
    if channel is None:
        return None
    release = limit + hysteresis if side in ("below", "at_most") else limit - hysteresis
    if hysteresis and not channel.low <= release <= channel.high:
        message = f"once true it never ends: {channel.name} cannot reach {release:g}"
        draft.fault((*path, "hysteresis"), message, "a smaller hysteresis")
        return None
    return [SIDES[side], channel.index, channel.to_int(limit), channel.to_int(release)]


def _side(draft: Draft, path: Path, value: dict[str, Any]) -> str | None:
    """The one key that says what to compare with."""
    sides = [name for name in value if name in (*SIDES, "between")]
    if len(sides) != 1:
        message = (
            "nothing to compare with" if not sides else f"{' and '.join(sides)} in one condition"
        )
        draft.fault(
            (*path, sides[1]) if sides else path, message, listed((*SIDES, "between")), key=True
        )
        return None
    return sides[0]


def _is_limit(
    draft: Draft, path: Path, limit: Any, channel: Channel | None, side: str = ""
) -> bool:
    """A number that the channel can be on both sides of."""
    if not is_number(limit):
        if limit != BROKEN:
            draft.fault(path, f"{path[-1]} = {limit!r}", "a number")
        return False
    if channel is None:
        return True
    span = f"{channel.low:g} to {channel.high:g} {channel.unit}".removesuffix(" /")
    if not channel.low <= limit <= channel.high:
        draft.fault(path, f"{limit:g} is outside of the range of {channel.name}", span)
        return False
    never = (side == "below" and limit == channel.low) or (
        side == "above" and limit == channel.high
    )
    if never:
        draft.fault(path, f"never true: {channel.name} is {span}", "a limit inside of this range")
    return not never


def _between(
    draft: Draft, path: Path, value: dict[str, Any], channel: Channel | None
) -> Expression:
    ends, here = value["between"], (*path, "between")
    if not isinstance(ends, list) or len(ends) != 2:
        draft.fault(here, "between needs two numbers", "between = [5, 25]")
        return None
    if "hysteresis" in value:
        draft.fault((*path, "hysteresis"), "between has no hysteresis", "below or above", key=True)
        return None
    good = [_is_limit(draft, (*here, i), end, channel) for i, end in enumerate(ends)]
    if not all(good):
        return None
    if ends[0] > ends[1]:
        draft.fault(
            here, f"never true: {ends[0]:g} is more than {ends[1]:g}", "the smaller one first"
        )
        return None
    if channel is None:
        return None
    return ["between", channel.index, channel.to_int(ends[0]), channel.to_int(ends[1])]
