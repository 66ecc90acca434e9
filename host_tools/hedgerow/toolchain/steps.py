"""Run the steps of a build whose results are missing, under one progress bar."""

import contextlib
import dataclasses
import fcntl
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from hedgerow.errors import ToolchainError
from hedgerow.toolchain.progress import Progress


@dataclasses.dataclass(frozen=True)
class Step:
    """`run` makes what `is_done` looks for. seconds: on 2 cores; its share of the bar."""

    name: str
    seconds: float
    is_done: Callable[[], bool]
    run: Callable[[Progress], None]


def run_steps(title: str, steps: Sequence[Step], check: Callable[[], None]) -> None:
    """Run the steps that are not done, in order; check() first, if there is anything to do."""
    to_do = [step for step in steps if not step.is_done()]
    if not to_do:
        return
    check()
    with Progress(title, {step.name: step.seconds for step in to_do}) as bar:
        for step in to_do:
            with bar.step(step.name):
                if not step.is_done():
                    step.run(bar)


@contextlib.contextmanager
def building_in(cache: Path) -> Iterator[None]:
    """Hold the cache's lock, one builder at a time; the kernel frees it when the process dies.

    Raises ToolchainError if the folder cannot be written.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache / "lock"):
            yield
    except OSError as error:
        raise ToolchainError(
            f"cannot build MicroPython in {cache}: {error}: make the folder writable with 1 GB "
            "free, or set MICROPYTHON=/path/to/micropython (1.25 or newer)"
        ) from error


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another process that builds MicroPython", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
