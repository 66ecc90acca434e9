"""From a node file to the plan of a simulated node."""

import tomllib
from pathlib import Path
from typing import Any

from hedgerow.config import compile_file
from hedgerow.config.uplink_kinds import UPLINK_FILES


def load_plan(node_file: Path) -> tuple[dict[str, Any], float | None]:
    """(plan, what the node file calls dry in % or None). Raises ConfigError with all faults."""
    plan = compile_file(node_file)
    document = tomllib.loads(node_file.read_text(encoding="utf-8"))
    dry_pct = document.get("model", {}).get("site", {}).get("dry_pct")
    return simulated(plan, node_file.parent), dry_pct


def simulated(plan: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The plan as the Unix port runs it: same pins and buses, files by absolute path, its own log
    kept whole so that it can be compared with what the gateway stored."""
    plan = dict(plan, board=dict(plan["board"], port="unix"))
    plan["store"] = dict(plan["store"], kind="files", dir="store", keep_acked=True)
    if plan.get("model"):
        plan["model"] = dict(plan["model"], file=str((folder / plan["model"]["file"]).resolve()))
    if plan.get("uplink"):
        plan["uplink"] = _with_paths(plan["uplink"], folder)
    return plan


def _with_paths(uplink: dict[str, Any], folder: Path) -> dict[str, Any]:
    if uplink.get("links"):
        return dict(uplink, links=[_with_paths(link, folder) for link in uplink["links"]])
    if uplink["kind"] == "umqtt":  # the Unix port has no umqtt.simple
        uplink = dict(uplink, client="hedge")
    named = [name for name in UPLINK_FILES if uplink.get(name)]
    return uplink | {name: str((folder / uplink[name]).resolve()) for name in named}


def with_uplink(plan: dict[str, Any], host: str, port: int) -> dict[str, Any]:
    """The plan with another broker; a node without [uplink], or whose link needs no broker (a
    radio, a cable, CoAP), gets plain MQTT: the simulated field has nothing else."""
    uplink = plan.get("uplink") or {}
    if uplink.get("kind") not in ("mqtt", "umqtt"):
        signed = {"key": uplink["key"]} if uplink.get("key") else {}
        uplink = {"kind": "mqtt", "keepalive_s": 60, **signed}
    changes = {"host": host, "port": port, "tls": False, **dict.fromkeys(UPLINK_FILES)}
    return dict(plan, uplink=dict(uplink, **changes))
