"""A picture of the memory plan: which bytes of the arena hold which tensor, op by op.

draw_plan(plan, Path("plan.svg"))   # or .png; needs matplotlib (hedgerow[train])
"""

from pathlib import Path
from typing import Any

from hedgerow.convert.plan import Life, Plan
from hedgerow.errors import ToolError

_FORMATS = (".png", ".svg")
_SCRATCH, _STATE = "#9aa0a6", "#c0392b"
_MIN_LABEL_SHARE = 0.035  # of the arena's height: a lower box gets no name


def draw_plan(plan: Plan, target: Path) -> None:
    """Write the picture. Raises ToolError: another suffix, no matplotlib, cannot write."""
    if target.suffix not in _FORMATS:
        raise ToolError(f"{target}: a plan is drawn as {' or '.join(_FORMATS)}: change the suffix")
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ToolError("--plot needs matplotlib: pip install 'hedgerow[train]'") from None
    ops = len(plan.graph.ops)
    figure = Figure(figsize=(max(7.0, 2.5 + 0.34 * ops), 5.5), layout="constrained")
    axes = figure.subplots()
    for life in plan.lives:
        _draw(axes, plan, life)
    _dress(axes, plan)
    try:
        figure.savefig(target, dpi=120)
    except OSError as error:
        raise ToolError(f"{target}: {error.strerror}") from None


def _draw(axes: Any, plan: Plan, life: Life) -> None:
    start, end = max(life.first, -1), min(life.last, len(plan.graph.ops) - 1)
    at = plan.offsets[life.tensors[0]]
    box = (start - 0.5, at), end - start + 1, life.size
    axes.add_patch(_rectangle(*box, _colour(plan, life)))
    if life.size >= _MIN_LABEL_SHARE * plan.arena_bytes:
        middle = (start + end) / 2, at + life.size / 2
        axes.text(*middle, f"{life.size:,}", ha="center", va="center", fontsize=7)


def _rectangle(corner: tuple[float, float], width: float, height: float, colour: Any) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(
        corner, width, height, facecolor=colour, edgecolor="#333333", linewidth=0.6, alpha=0.55
    )


def _colour(plan: Plan, life: Life) -> Any:
    from matplotlib import colormaps

    tensor = life.tensors[0]
    if plan.graph.tensors[tensor].variable:
        return _STATE
    if any(tensor in op.outputs[1:] for op in plan.graph.ops):
        return _SCRATCH
    return colormaps["tab10"]((life.first + 1) % 10)


def _dress(axes: Any, plan: Plan) -> None:
    kinds = ["input", *(op.kind for op in plan.graph.ops)]
    axes.set_xticks(range(-1, len(kinds) - 1), kinds, rotation=90, fontsize=8)
    axes.set_xlim(-1.6, len(kinds) - 1.4)
    axes.set_ylim(0, plan.arena_bytes * 1.04)
    axes.axhline(plan.arena_bytes, color="#333333", linestyle="--", linewidth=0.8)
    axes.set_ylabel("byte of the arena")
    axes.set_title(
        f"Memory plan: {plan.arena_bytes:,} bytes. A darker step is a layer that writes over its "
        "own input.\nGrey: scratch; red: state",
        fontsize=9,
    )
