"""The generated part of a model card: score tables and the picture of them."""

from pathlib import Path
from typing import Any

import numpy as np

from hedgerow.errors import ToolError

START, END = "<!-- scores: written by train.py -->", "<!-- end of scores -->"
_METRICS = ("precision", "recall", "f1", "brier")
_SUBSETS = {
    "all": "All rows with unfrozen soil",
    "onset": "Onset rows: not dry now. The question that matters before watering",
}


def tables(scores: dict[str, Any]) -> str:
    """Markdown tables of scores["test"], one per subset."""
    parts = []
    for subset, title in _SUBSETS.items():
        parts.append(f"**{title}**\n")
        parts.append("| days | forecast | precision | recall | F1 | Brier | Brier int8 - this |")
        parts.append("| --- | --- | --- | --- | --- | --- | --- |")
        for key, entry in scores["test"].items():
            if key.startswith(subset):
                parts.extend(_rows(key[len(subset) + 1 :], entry))
        parts.append("")
    return "\n".join(parts)


def _rows(horizon: str, entry: dict[str, Any]) -> list[str]:
    """One line per forecast of one horizon."""
    lines = []
    for name, result in entry.items():
        if name in ("rows", "positives"):
            continue
        cells = [_cell(result[metric]) for metric in _METRICS]
        cells.append(_cell(result["brier_int8_minus_this"], 4) if len(result) > 4 else "")
        label = f"{horizon} ({entry['positives']} of {entry['rows']} dry)"
        lines.append(f"| {label if name == 'float' else ''} | {name} | {' | '.join(cells)} |")
    return lines


def _cell(interval: list[float | None], digits: int = 3) -> str:
    value, low, high = interval
    if value is None:
        return "none"
    if low is None or high is None:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} ({low:.{digits}f} .. {high:.{digits}f})"


def write_scores(path: Path, scores: dict[str, Any]) -> None:
    """Replace the part between the marks of a README; raises ToolError if it has none."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if START not in text or END not in text:
        raise ToolError(f"{path}: needs the marks {START!r} and {END!r}")
    before, after = text.split(START)[0], text.split(END)[1]
    path.write_text(f"{before}{START}\n{tables(scores)}{END}{after}", encoding="utf-8")


def plot(path: Path, test: Any, forecasts: dict[str, np.ndarray]) -> None:
    """SVG: precision-recall on onset rows and reliability on all rows, 3 days ahead.

    test: soil.Rows. Needs matplotlib (hedgerow[train]).
    """
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "hedgerow"  # same bytes on every run
    from matplotlib import pyplot as plt

    thawed = ~test.frozen
    onset = thawed & ~test.dry_now
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
    for name in ("int8", "float", "curve"):
        left.plot(*_precision_recall(test.y[onset, 2], forecasts[name][onset, 2]), label=name)
        right.plot(*_reliability(test.y[thawed, 2], forecasts[name][thawed, 2]), "o-", label=name)
    left.set(xlabel="recall", ylabel="precision", title="Onset rows, 3 days", ylim=(0, 1.05))
    right.plot([0, 1], [0, 1], "k:", lw=1)
    right.set(xlabel="forecast", ylabel="observed share", title="All rows, 3 days")
    left.legend()
    right.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _precision_recall(y: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(recall, precision) over all thresholds."""
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(y[order])
    return hits / y.sum(), hits / np.arange(1, len(y) + 1)


def _reliability(y: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean forecast, observed share) in five equal bins of the forecast."""
    bins = np.minimum((p * 5).astype(int), 4)
    used = [b for b in range(5) if (bins == b).any()]
    return np.array([p[bins == b].mean() for b in used]), np.array(
        [y[bins == b].mean() for b in used]
    )
