"""Makes a node project from a template: node file, model, README."""

import re
import shutil
from pathlib import Path

from hedgerow import paths
from hedgerow.config.fault import nearest
from hedgerow.errors import ConfigError, UsageError

_TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
_NAME = re.compile(r"[a-z0-9-]{1,24}")

# template -> model folders whose files go into model/ of the project
_MODELS = {"soil": "soil_dry"}
_MODEL_FILES = ("features.json", "README.md")


def template_names() -> list[str]:
    return sorted(path.parent.name for path in _TEMPLATES.glob("*/node.toml"))


def new_project(name: str, template: str, parent: Path) -> Path:
    """Make parent/name from a template; returns the folder.

    Raises UsageError for a bad name or template and if anything is in the way; nothing is left
    behind then.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be a node name: take 1 to 24 of a-z 0-9 -")
    if template not in template_names():
        near = nearest(template, template_names())
        hint = f"did you mean {near}? " if near else ""
        raise UsageError(
            f"no template {template!r}; {hint}there are {', '.join(template_names())}"
        )
    folder = parent / name
    if folder.exists():
        raise UsageError(
            f"{folder} exists already; take another name or --dir, or remove it first"
        )
    model = _model_files(template)
    try:
        folder.mkdir(parents=True)
        _fill(folder, name, _TEMPLATES / template, model)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise UsageError(f"cannot write {folder}: {error.strerror}; try another --dir") from error
    return folder


def _fill(folder: Path, name: str, template: Path, model: list[Path]) -> None:
    for source in sorted(template.iterdir()):
        if source.suffix == ".svg":
            continue  # `hedgerow wiring` draws the node as it is then
        text = source.read_text(encoding="utf-8")
        text = re.sub(r'^name = "soil-1" ', f'name = "{name}" ', text, count=1, flags=re.M)
        (folder / source.name).write_text(text.replace("@NAME@", name), encoding="utf-8")
    (folder / ".gitignore").write_text("/store/\n", encoding="utf-8")
    (folder / "model").mkdir()
    for source in model:
        shutil.copyfile(source, folder / "model" / source.name)


def _model_files(template: str) -> list[Path]:
    source = paths.share_dir("models") / _MODELS[template]
    files = [*source.glob("*.hgm"), *(source / name for name in _MODEL_FILES)]
    missing = [file for file in files if not file.is_file()]
    if missing or len(files) == len(_MODEL_FILES):
        wanted = missing[0] if missing else source / f"{_MODELS[template]}.hgm"
        raise ConfigError(f"{wanted} is missing: this copy of Hedgerow is not complete")
    return files
