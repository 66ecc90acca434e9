"""One thing wrong in a node file, and how it is shown."""

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

Path = tuple[str | int, ...]  # of a key or value: ("sensor", 0, "pin")


@dataclass(frozen=True, order=True)
class Fault:
    """line and column (in characters) count from 1. warning: the node would still run."""

    file: str
    line: int
    column: int
    message: str
    expected: str = ""
    near: str = ""
    warning: bool = False

    def __str__(self) -> str:
        parts = [self.message]
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.near:
            parts.append(f"did you mean {self.near}?")
        kind = "warning: " if self.warning else ""
        return f"{self.file}:{self.line}:{self.column}: {kind}{'; '.join(parts)}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def nearest(word: object, known: Iterable[str]) -> str:
    """The known word that was probably meant, or an empty string."""
    known = list(known)
    small = {name.lower(): name for name in known}
    found = difflib.get_close_matches(str(word).lower(), small, n=1, cutoff=0.6)
    return small[found[0]] if found else ""


def listed(words: Iterable[object]) -> str:
    """For `expected`: one of a, b, c."""
    texts = [str(word) for word in words]
    return f"one of {', '.join(texts)}" if len(texts) > 1 else "".join(texts)
