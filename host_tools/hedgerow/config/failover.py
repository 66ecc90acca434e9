"""Several [[uplink]]: one plan of kind "failover"; what fits together is checked here."""

from typing import Any

from hedgerow.config.draft import Draft
from hedgerow.config.fault import Path
from hedgerow.config.schema import is_known
from hedgerow.config.uplink_kinds import FAILOVER

_OF_ALL = ("after_failures", "after_s", "return_s")
# Kinds of which one node has one: a radio, a console, a modem, counters in a file.
_ONCE = ("lorawan", "serial", "cellular", "espnow")
_MOST = 4


def only_part(draft: Draft, path: Path, part: dict[str, Any]) -> dict[str, Any]:
    """part: the plan of a link that stands alone."""
    for key in _OF_ALL:
        if is_known(part.get(key)):
            draft.warn((*path, key), f"{key} of the only uplink", "a second [[uplink]]", key=True)
    return part


def failover_part(draft: Draft, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """parts: the plan of each link, the preferred one first."""
    first = parts[0]
    for i, part in enumerate(parts[1:], start=1):
        for key in _OF_ALL:
            if is_known(part.get(key)):
                message = f"{key} of another than the first uplink"
                draft.fault(("uplink", i, key), message, "it in the first", key=True)
        if part.get("key") != first.get("key"):
            at = ("uplink", i, "key") if "key" in part else ("uplink", i)
            draft.fault(at, "another key than that of the first uplink", "the same key in all")
    _check_kinds(draft, parts)
    if len(parts) > _MOST:
        draft.fault(("uplink", _MOST), f"{len(parts)} uplinks", f"{_MOST} at most")
    links = [{k: v for k, v in part.items() if k not in _OF_ALL} for part in parts]
    shared = {key: first[key] for key in (*_OF_ALL, "key") if key in first}
    return {"kind": FAILOVER, "links": links, **shared}


def _check_kinds(draft: Draft, parts: list[dict[str, Any]]) -> None:
    seen: set[str] = set()
    for i, part in enumerate(parts):
        kind = "coap with oscore_secret" if part.get("oscore_secret") else part["kind"]
        if kind in seen and (kind in _ONCE or part.get("oscore_secret")):
            expected = "another kind: a node has one such link"
            draft.fault(("uplink", i, "kind"), f"a second {kind}", expected)
        elif part in parts[:i]:
            draft.warn(("uplink", i), "the same link again", "another host or kind", key=True)
        seen.add(kind)
