"""A node file while it is being checked: its tables, what was found wrong, what names mean."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from hedgerow.boards import Board
from hedgerow.config.fault import Fault, Path, listed, nearest
from hedgerow.config.schema import is_known
from hedgerow.config.source import Source


@dataclass(frozen=True)
class Channel:
    """One place of the value vector (PLAN.md). low, high: real values the sensor can give."""

    index: int
    name: str
    unit: str
    scale: int
    low: float
    high: float

    def to_int(self, value: float) -> int:
        return round(value * self.scale)


@dataclass
class Draft:
    """tables: section name -> table, or list of tables where it is written [[so]].

    Values that were wrong are BROKEN, keys that were not given have their default or None.
    """

    source: Source
    tables: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    board: Board | None = None
    channels: dict[str, Channel] = field(default_factory=dict)
    sensors: list[str] = field(default_factory=list)  # names in order, "" while broken
    doubtful: set[str] = field(default_factory=set)  # prefixes whose channels nobody knows
    outputs: list[str] = field(default_factory=list)  # of the model

    @property
    def folder(self) -> FilePath:
        return FilePath(self.source.file).resolve().parent

    def fault(
        self,
        path: Path,
        message: str,
        expected: str = "",
        near: str = "",
        *,
        key: bool = False,
        warning: bool = False,
    ) -> None:
        """Note a fault at the value of path, or at its key."""
        line, column = self.source.where.key(path) if key else self.source.where.value(path)
        fault = Fault(self.source.file, line, column, message, expected, near, warning)
        if fault not in self.faults:
            self.faults.append(fault)

    def warn(self, path: Path, message: str, expected: str = "", *, key: bool = False) -> None:
        self.fault(path, message, expected, key=key, warning=True)

    def add_channel(self, name: str, unit: str, scale: int, low: float, high: float) -> None:
        self.channels[name] = Channel(len(self.channels), name, unit, scale, low, high)

    def channel(self, path: Path, name: object) -> Channel | None:
        """The channel that the value at path names; notes a fault if there is none."""
        if not is_known(name):
            return None
        if not isinstance(name, str):
            self.fault(path, f"{name!r} is not a channel", 'a name in quotes, e.g. "soil.vwc"')
            return None
        if name in self.channels or self._is_doubtful(name):
            return self.channels.get(name)
        self.unknown(path, "channel", name, self.channels)
        return None

    def _is_doubtful(self, name: str) -> bool:
        return "" in self.doubtful or name.split(".")[0] in self.doubtful

    def unknown(self, path: Path, what: str, name: object, known: Iterable[str]) -> None:
        """Note that a name is not among the known ones."""
        known = list(known)
        expected = listed(known) or f"one that this file describes; it has no {what}"
        self.fault(path, f"no {what} {name!r}", expected, nearest(name, known))

    def rows(self, name: str) -> list[tuple[Path, dict[str, Any]]]:
        """(path, table) of each [[name]]."""
        return [((name, index), row) for index, row in enumerate(self.tables.get(name) or [])]

    def table(self, name: str) -> dict[str, Any] | None:
        """The table [name], or None if the file has none."""
        found: dict[str, Any] | None = self.tables.get(name)
        return found
