"""Build MicroPython's Unix port from the tree of sources.py.

build/micropython/
  1.25.0/micropython                       the result: here only when complete
  1.25.0-hedge-<hash>/micropython-hedge    with hedge frozen in: frozen.py
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from hedgerow.toolchain import compiler
from hedgerow.toolchain.apt import missing_tools
from hedgerow.toolchain.progress import Progress
from hedgerow.toolchain.sources import VERSION, Tree, publish
from hedgerow.toolchain.steps import Step, building_in, run_steps

_MAKE_LINES = 341  # that make prints, counted in a build from nothing


def build(cache: Path, *, force: bool = False) -> tuple[Path, Path]:
    """Paths of micropython and mpy-cross, built as far as needed. force: from the sources on.

    Blocks for half a minute, or while another process builds. Raises ToolchainError.
    """
    tree = Tree(cache)
    result = tree.folder / "micropython"
    with building_in(cache):
        if force:
            _discard(tree, result)
        _run_steps(tree, result, lambda bar: _make_unix(tree, bar, result))
    return result, tree.mpy_cross


def build_frozen(cache: Path, manifest: Path, result: Path) -> None:
    """Make `result`, a Unix port with the modules of manifest frozen in, if it is not there.

    40 s the first time; its object files are kept apart from those of build(), so later ones take
    three. Raises ToolchainError.
    """
    tree = Tree(cache)
    with building_in(cache):
        _run_steps(tree, result, lambda bar: _make_frozen(tree, bar, manifest, result))


def _run_steps(tree: Tree, result: Path, make: Callable[[Progress], None]) -> None:
    """Run the steps whose result is missing; make() is the last and gives `result`."""
    tree.folder.mkdir(parents=True, exist_ok=True)
    steps = [*tree.steps(), Step("unix port", 18, result.is_file, make)]

    def check() -> None:
        compiler.check(missing_tools() if not steps[0].is_done() else [])

    run_steps(f"MicroPython {VERSION}", steps, check)


def _discard(tree: Tree, result: Path) -> None:
    shutil.rmtree(tree.src, ignore_errors=True)
    for path in (result, tree.mpy_cross):
        path.unlink(missing_ok=True)


def _make_unix(tree: Tree, bar: Progress, result: Path) -> None:
    port = tree.src / "ports" / "unix"
    manifest = f"FROZEN_MANIFEST={tree.src / 'manifest.py'}"
    tree.make(bar, "unix port", [f"-C{port}", manifest, "MICROPY_PY_BTREE=0"], _MAKE_LINES)
    publish(port / "build-standard" / "micropython", result)


def _make_frozen(tree: Tree, bar: Progress, manifest: Path, result: Path) -> None:
    port = tree.src / "ports" / "unix"
    options = [f"-C{port}", "BUILD=build-frozen", f"FROZEN_MANIFEST={manifest}"]
    # viper code needs to know the processor; mpy-cross is the one that build() made.
    options += ["MICROPY_PY_BTREE=0", "MPY_CROSS_FLAGS=-march=host"]
    options += [f"MICROPY_MPYCROSS={tree.mpy_cross}"]
    # makemanifest.py looks at the age of modules only: it would overlook another manifest.
    (port / "build-frozen" / "frozen_content.c").unlink(missing_ok=True)
    tree.make(bar, "unix port", options, _MAKE_LINES)
    publish(port / "build-frozen" / "micropython", result)
