"""One progress bar over steps of different length; plain lines where there is no terminal."""

import contextlib
import sys
from collections.abc import Iterator, Mapping

from tqdm import tqdm

_FORMAT = "{desc:<32} {percentage:3.0f}% |{bar}| {elapsed}"


class Progress:
    """weights: expected seconds of each step, in order. Writes to stderr only."""

    def __init__(self, title: str, weights: Mapping[str, float]) -> None:
        self._title = title
        self._weights = weights
        self._live = sys.stderr.isatty()
        self._bar = tqdm(
            total=sum(weights.values()),
            bar_format=_FORMAT,
            file=sys.stderr,
            disable=not self._live,
        )
        self._start = 0.0
        self._weight = 0.0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step of the table; when the block ends without an error, its share is full."""
        self._weight = self._weights[name]
        if self._live:
            self._bar.set_description_str(f"{self._title}: {name}")
        else:
            print(f"{self._title}: {name}", file=sys.stderr, flush=True)
        yield
        self.fraction(1.0)
        self._start += self._weight

    def fraction(self, part: float) -> None:
        """How much of the running step is done, 0 to 1; more counts as 1."""
        self._bar.n = self._start + self._weight * min(part, 1.0)
        self._bar.refresh()
