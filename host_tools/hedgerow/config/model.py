"""[model]: file, features, inputs and site fit together -> plan["model"]; declares its outputs."""

from pathlib import Path as FilePath
from typing import Any

from hedge.core.errors import ModelError
from hedge.infer import plan as hgm
from hedgerow.config.draft import Draft
from hedgerow.config.fault import nearest
from hedgerow.config.schema import is_known
from hedgerow.config.shape import open_path
from hedgerow.convert.features import compile_features, load_features
from hedgerow.errors import ConfigError

SCORE_SCALE = 10000  # a score of 1.0 in the value vector


def model_part(draft: Draft) -> dict[str, Any] | None:
    table = draft.table("model")
    if table is None:
        return None
    _check_when(draft, table)
    shape = _shape(draft, table)
    features = _features(draft, table, is_good=shape is not None)
    if features is None:
        draft.doubtful.add("model")
        return None
    _declare(draft, features["outputs"])
    _check_shape(draft, shape, features)
    inputs = _inputs(draft, table, features)
    site = _site(draft, table, features)
    if inputs is None or site is None or shape is None:
        return None
    return _compile(draft, table, features, inputs, site)


def _check_when(draft: Draft, table: dict[str, Any]) -> None:
    if table["at"] is not None and table["every_s"] is not None:
        draft.fault(
            ("model", "every_s"), "at and every_s in one [model]", "one of the two", key=True
        )
    if table["at"] is None and table["every_s"] is None:
        draft.fault(("model",), "the model is never run", 'at = "05:00", or every_s', key=True)


def _shape(draft: Draft, table: dict[str, Any]) -> tuple[int, int] | None:
    """(inputs, outputs) of the file."""
    name, here = table["file"], ("model", "file")
    if not is_known(name):
        return None
    file = draft.folder / name
    if not name.endswith(".hgm"):
        expected = "a .hgm file; `hedgerow convert` makes one from a .tflite"
        draft.fault(here, f'"{name}" is not a .hgm file', expected)
        return None
    if not file.is_file():
        near = nearest(file.name, [f.name for f in _folder_of(file).glob("*.hgm")])
        draft.fault(here, f'no file "{name}" here', "a path relative to this file", near)
        return None
    try:
        header = hgm.check(file.read_bytes())
    except (ModelError, OSError) as error:
        draft.fault(here, f'"{name}": {error}', "the file as `hedgerow convert` wrote it")
        return None
    return header[hgm.INPUT + 1], header[hgm.OUTPUT + 1]


def _folder_of(file: FilePath) -> FilePath:
    return file.parent if file.parent.is_dir() else FilePath()


def _features(draft: Draft, table: dict[str, Any], *, is_good: bool) -> dict[str, Any] | None:
    """features.json; is_good: nothing is wrong with the model file itself."""
    given, name = table["features"], table["file"]
    if not is_known(given) and not (given is None and is_known(name)):
        return None
    file = draft.folder / (given or FilePath(name).parent / "features.json")
    here = ("model", "features" if given else "file")
    if not file.is_file() and not given and not is_good:
        return None  # the path of the model was reported
    try:
        return load_features(file)
    except ConfigError as error:
        draft.fault(here, str(error).replace(str(draft.folder) + "/", ""))
        return None


def _declare(draft: Draft, outputs: list[str]) -> None:
    for name in outputs:
        draft.add_channel(f"model.{name}", "/", SCORE_SCALE, 0.0, 1.0)
        draft.outputs.append(name)


def _check_shape(draft: Draft, shape: tuple[int, int] | None, features: dict[str, Any]) -> None:
    if shape is None:
        return
    wanted = len(features["features"]), len(features["outputs"])
    for what, has, needs in zip(("inputs", "outputs"), shape, wanted, strict=True):
        if has != needs:
            message = f"the model has {has} {what}, its features.json has {needs}"
            draft.fault(("model", "file"), message, "model and features of one training run")


def _inputs(
    draft: Draft, table: dict[str, Any], features: dict[str, Any]
) -> dict[str, str] | None:
    """role -> channel name."""
    inputs, roles = table["inputs"], features["roles"]
    if not is_known(inputs):
        return None
    good = True
    for role, name in inputs.items():
        path = open_path(draft, ("model", "inputs"), role)
        if role not in roles:
            expected = f"one of {', '.join(roles)}"
            draft.fault(
                path, f"the model has no input {role!r}", expected, nearest(role, roles), key=True
            )
            good = False
        elif not _fits(draft, path, name, roles[role]):
            good = False
    misspelt = {nearest(name, roles) for name in inputs if name not in roles}
    for role, about in roles.items():
        if role not in inputs:
            good = False
            if role not in misspelt:
                expected = f'{role} = "<channel>": {about["doc"]}'
                draft.fault(
                    ("model", "inputs"), f"no input {role} for the model", expected, key=True
                )
    return inputs if good else None


def _fits(draft: Draft, path: tuple[str | int, ...], name: Any, about: dict[str, Any]) -> bool:
    channel = draft.channel(path, name)
    if channel is None:
        return False
    if channel.unit != about["unit"]:
        units = [c.name for c in draft.channels.values() if c.unit == about["unit"]]
        expected = f"a channel in {about['unit']}: {', '.join(units) or 'there is none'}"
        draft.fault(path, f"{name} is in {channel.unit}", expected)
        return False
    return True


def _site(draft: Draft, table: dict[str, Any], features: dict[str, Any]) -> dict[str, Any] | None:
    site, wanted = table["site"] or {}, features["site"]
    if not is_known(table["site"]) and table["site"] is not None:
        return None
    good = True
    for key, value in site.items():
        path = open_path(draft, ("model", "site"), key)
        if key not in wanted:
            expected = f"one of {', '.join(wanted)}" if wanted else "none"
            near = nearest(key, wanted)
            draft.fault(path, f"the model has no site value {key!r}", expected, near, key=True)
            good = False
        elif not is_known(value):
            good = False
        elif not wanted[key]["min"] <= value <= wanted[key]["max"]:
            span = f"{wanted[key]['min']:g} to {wanted[key]['max']:g} {wanted[key]['unit']}"
            draft.fault(path, f"{key} = {value:g} is out of range", span)
            good = False
    misspelt = {nearest(key, wanted) for key in site if key not in wanted}
    for key, about in wanted.items():
        if key not in site:
            good = False
            if key not in misspelt:
                here = ("model", "site") if table["site"] is not None else ("model",)
                expected = f"{key} = <number>: {about['doc']}"
                draft.fault(here, f"no {key} in [model.site]", expected, key=True)
    return site if good else None


def _compile(
    draft: Draft,
    table: dict[str, Any],
    features: dict[str, Any],
    inputs: dict[str, str],
    site: dict[str, Any],
) -> dict[str, Any] | None:
    scales = {channel.name: channel.scale for channel in draft.channels.values()}
    try:
        made = compile_features(features, inputs, scales, site)
    except ConfigError as error:
        draft.fault(("model", "file"), str(error), "model and features of one training run")
        return None
    at = table["at"] if isinstance(table["at"], list) else [table["at"]]
    return {
        "file": table["file"],
        "specs": made["specs"],
        "history": made["history"],
        "inputs": [draft.channels[name].index for name in made["channels"]],
        "outputs": made["outputs"],
        "at_s": sorted(_seconds(text) for text in at if is_known(text)),
        "every_s": table["every_s"] or 0,
    }


def _seconds(clock: str) -> int:
    return int(clock[:2]) * 3600 + int(clock[3:]) * 60
