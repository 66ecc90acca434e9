"""The files of an app: what is deployed, and the modules of `hedge` that it imports."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hedgerow import paths
from hedgerow.device.region_room import RawFlash
from hedgerow.errors import DeviceError, UsageError

_SKIPPED = {"__pycache__", "node_modules"}


@dataclass(frozen=True)
class App:
    """entry: module that is imported to start it. files: path on the board -> file here.
    raw_flash: what it takes of the board's flash besides. notes: what to tell who deploys it."""

    entry: str
    files: dict[str, Path]
    raw_flash: RawFlash | None = None
    notes: tuple[str, ...] = ()


def collect(place: Path, *, with_hedge: bool = True) -> App:
    """place: a .py file, with the modules beside it that it imports; a folder with main.py; or a
    node file (node.toml, or a folder with one).

    Raises UsageError naming what is missing, DeviceError for a source that does not parse,
    ConfigError for mistakes in a node file.
    """
    node_file = place / "node.toml" if place.is_dir() else place
    if node_file.suffix == ".toml" and node_file.is_file() and not (place / "main.py").is_file():
        from hedgerow.device.node_app import node_app

        return node_app(node_file, with_hedge=with_hedge)
    if place.is_dir():
        files = dict(_all_files(place))
        if "main.py" not in files:
            raise UsageError(f"{place}: no main.py in it: a folder starts there")
        entry, top = "main", place
    elif place.suffix == ".py" and place.is_file():
        entry, top = place.stem, place.parent
        files = {place.name: place}
    else:
        raise UsageError(f"{place}: give a .py file, a folder with a main.py, or a node file")
    roots = [top, paths.firmware_dir()] if with_hedge else [top]
    add_imports(files, roots)
    return App(entry, files)


def _all_files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part in _SKIPPED for part in parts)
        if path.is_file() and not hidden:
            yield "/".join(parts), path


def add_imports(
    files: dict[str, Path], roots: Sequence[Path], without: tuple[str, ...] = ()
) -> None:
    """Add what the sources import, theirs too; a module found nowhere is the firmware's own.

    without: beginnings of paths that are left out.
    """
    waiting = [name for name in files if name.endswith(".py")]
    while waiting:
        name = waiting.pop()
        for module in _imported(files[name], name):
            for found, path in _find(module, roots):
                if found not in files and not found.startswith(without):
                    files[found] = path
                    waiting.append(found)


def _imported(path: Path, name: str) -> Iterator[str]:
    """Dotted names that a source may import; from X import y gives X and X.y."""
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        raise DeviceError(f"{path}: does not parse: {error}") from None
    package = name.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _find(module: str, roots: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """Files of a module and of the packages around it, from the first root that has it."""
    parts = module.split(".")
    for root in roots:
        if root == paths.firmware_dir() and parts[0] != "hedge":
            continue
        found = [f"{'/'.join(parts[:n])}/__init__.py" for n in range(1, len(parts) + 1)]
        found += [f"{'/'.join(parts)}.py", f"{'/'.join(parts)}.mpy"]
        there = [name for name in found if (root / name).is_file()]
        if there:
            yield from ((name, root / name) for name in there)
            return
