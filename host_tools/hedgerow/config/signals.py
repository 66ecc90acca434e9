"""[[filter]], [[record]], [replay]: what happens to channels -> plan."""

from pathlib import Path as FilePath
from typing import Any

from hedgerow.config.draft import Channel, Draft
from hedgerow.config.fault import Path, nearest
from hedgerow.config.schema import is_known
from hedgerow.config.shape import open_path
from hedgerow.config.source import BROKEN

_STREAMS = {"events": 0, "telemetry": 1, "diag": 2}
_FILTER_KEYS = {"median": "window", "mean": "window", "ema": "alpha", "slew": "most"}
_ALPHA_DEN = 256


def filter_parts(draft: Draft) -> list[list[Any]]:
    parts = []
    for path, row in draft.rows("filter"):
        channel = _measured(draft, (*path, "channel"), row["channel"])
        argument = _filter_argument(draft, path, row, channel)
        if channel is not None and argument is not None:
            parts.append([channel.index, row["kind"], *argument])
    return parts


def _measured(draft: Draft, path: Path, name: Any) -> Channel | None:
    """A channel of a sensor: model outputs are not filtered."""
    channel = draft.channel(path, name)
    if channel is not None and name.startswith("model."):
        draft.fault(path, f"{name} comes from the model", "a channel of a sensor")
        return None
    return channel


def _filter_argument(
    draft: Draft, path: Path, row: dict[str, Any], channel: Channel | None
) -> list[int] | None:
    kind = row["kind"]
    if not is_known(kind):
        return None
    wanted = _FILTER_KEYS[kind]
    for name in ("window", "alpha", "most"):
        if name != wanted and row[name] is not None:
            draft.fault((*path, name), f"{kind} has no {name}", f"{wanted} = ...", key=True)
    value = row[wanted]
    if value is None:
        draft.fault(path, f"no {wanted} for {kind}", f"{wanted} = ...", key=True)
    if not is_known(value):
        return None
    if wanted == "alpha":
        return [max(round(value * _ALPHA_DEN), 1), _ALPHA_DEN]
    if wanted == "most":
        return _slew(draft, (*path, "most"), value, channel)
    return [value]


def _slew(draft: Draft, path: Path, most: float, channel: Channel | None) -> list[int] | None:
    if channel is None:
        return None
    if channel.to_int(most) < 1:
        draft.fault(path, f"most = {most:g} {channel.unit}", f"{1 / channel.scale:g} or more")
        return None
    return [channel.to_int(most)]


def record_parts(draft: Draft) -> list[dict[str, Any]]:
    parts = []
    seen: set[str] = set()
    for path, row in draft.rows("record"):
        for here, name in _names(path, row["channel"]):
            channel = draft.channel(here, name)
            if name in seen:
                draft.fault(here, f"{name} is recorded by another [[record]] already")
            seen.add(name)
            if channel is not None:
                parts.append(_record(draft, path, row, channel))
        _check_purpose(draft, path, row)
    if not draft.rows("record"):
        draft.warn((), "no [[record]]: only events will be kept", "[[record]]")
    return parts


def _names(path: Path, value: Any) -> list[tuple[Path, str]]:
    here = (*path, "channel")
    if isinstance(value, list):
        return [((*here, index), name) for index, name in enumerate(value)]
    return [(here, value)] if is_known(value) else []


def _check_purpose(draft: Draft, path: Path, row: dict[str, Any]) -> None:
    if row["deadband"] is None and row["max_s"] == 0 and row["summary_s"] == 0:
        expected = "deadband, max_s or summary_s"
        draft.fault(path, "this [[record]] never records anything", expected, key=True)
    sample_s = (draft.table("node") or {}).get("sample_s")
    for name in ("max_s", "summary_s"):
        value = row[name]
        if is_known(value) and value and is_known(sample_s) and value < sample_s:
            message = f"{name} = {value} is shorter than sample_s = {sample_s}"
            draft.fault((*path, name), message, f"{sample_s} or more")


def _record(draft: Draft, path: Path, row: dict[str, Any], channel: Channel) -> dict[str, Any]:
    deadband = row["deadband"]
    if is_known(deadband) and deadband > channel.high - channel.low:
        message = f"deadband = {deadband:g} is more than the whole range of {channel.name}"
        span = f"at most {channel.high - channel.low:g} {channel.unit}"
        draft.fault((*path, "deadband"), message, span)
    return {
        "i": channel.index,
        "deadband": channel.to_int(deadband) if is_known(deadband) else -1,
        "max_s": row["max_s"],
        "summary_s": row["summary_s"],
        "mean_only": row["summary"] == "mean",
        "stream": _STREAMS.get(row["stream"], 1),
    }


def replay_part(draft: Draft) -> dict[str, Any] | None:
    table = draft.table("replay")
    if table is None:
        return None
    columns = table["columns"] if isinstance(table["columns"], dict) else {}
    for name in columns:
        if not name.startswith(BROKEN):
            _check_replay_channel(draft, open_path(draft, ("replay", "columns"), name), name)
    part = {"time": table["time"], "file": table["file"], "columns": columns}
    if is_known(table["file"]):
        _check_recording(draft, draft.folder / table["file"], part)
    return part


def _check_replay_channel(draft: Draft, path: Path, name: str) -> None:
    known = [c for c in draft.channels if not c.startswith("model.")]
    if name in known or "" in draft.doubtful or name.split(".")[0] in draft.doubtful:
        return
    expected = f"one of {', '.join(known)}" if known else ""
    draft.fault(path, f"no channel {name!r}", expected, nearest(name, known), key=True)


def _check_recording(draft: Draft, file: FilePath, part: dict[str, Any]) -> None:
    if not file.is_file():
        draft.fault(("replay", "file"), f"no file {file.name} here", "a CSV file")
        return
    with file.open(encoding="utf-8", errors="replace") as stream:
        header = stream.readline().strip().split(",")
    wanted: list[tuple[Path, Any]] = [(("replay", "time"), part["time"])]
    for name, column in part["columns"].items():
        wanted.append((open_path(draft, ("replay", "columns"), name), column))
    for path, column in wanted:
        if is_known(column) and column not in header:
            draft.fault(path, f"no column {column!r} in {file.name}", "", nearest(column, header))
