"""README's inference table, made from bench.json: never typed.

    python tests/bench/table.py            # print it from build/bench.json
    python tests/bench/table.py --write    # keep the run as bench.json here, renew the README

A test holds README against the kept run, so that neither changes alone.
"""

import json
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
README, KEPT, NEWEST = (
    ROOT / "README.md",
    Path(__file__).with_name("bench.json"),
    ROOT / "build/bench.json",
)
BEGIN, END = "<!-- made by tests/bench/table.py -->\n", "<!-- end -->\n"
MODELS = {"kws": "KWS", "vww": "VWW", "ic": "IC", "ad": "AD", "sww": "SWW"}
_PICO_HZ = 125e6


class _Rows:
    """Rows of a run by name; a missing one shows as a dash, not as a guess."""

    def __init__(self, rows: list[dict]) -> None:
        self._by_name = {row["name"]: row for row in rows}

    def cell(self, name: str, shown: str, key: str = "value", factor: float = 1.0) -> str:
        row = self._by_name.get(name)
        value = None if row is None else row[key]
        return "-" if value is None else format(value * factor, shown)


# column head -> (row name, key, factor, format)
COLUMNS = {
    "file, bytes": ("size.{}.file", "value", 1, ",.0f"),
    "arena, bytes": ("size.{}.arena", "value", 1, ",.0f"),
    "x86-64 native, us": ("infer.{}.native.x64.tflm", "value", 1, ",.0f"),
    "of TFLM": ("infer.{}.native.x64.tflm", "ratio", 1, ".3f"),
    "of LiteRT": ("infer.{}.native.x64.litert", "ratio", 1, ".2f"),
    "x86-64 viper, of TFLM": ("infer.{}.viper", "ratio", 1, ".1f"),
    "Pico, M cycles": ("infer.{}.pico", "value", 1e-6, ".2f"),
    "ms at 125 MHz": ("infer.{}.pico", "value", 1e3 / _PICO_HZ, ",.0f"),
    "of CMSIS-NN": ("infer.{}.pico", "ratio", 1, ".2f"),
    "Cortex-M3, instr. per MAC": ("infer.{}.qemu-m3", "value", 1, ".2f"),
    "Cortex-M4": ("infer.{}.qemu-m4", "value", 1, ".2f"),
    "RV32": ("infer.{}.qemu-rv32", "value", 1, ".2f"),
}


def table(rows: list[dict]) -> str:
    """Markdown, one line a model."""
    found = _Rows(rows)
    lines = [_line(["model", *COLUMNS]), _line(["---"] * (1 + len(COLUMNS)))]
    for name, title in MODELS.items():
        cells = [
            found.cell(row.format(name), shown, key, factor)
            for row, key, factor, shown in COLUMNS.values()
        ]
        lines.append(_line([title, *cells]))
    return "".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def with_table(readme: str, rows: list[dict]) -> str:
    """The README's text with the part between the marks renewed."""
    before, rest = readme.split(BEGIN, 1)
    return before + BEGIN + table(rows) + END + rest.split(END, 1)[1]


def main(*arguments: str) -> None:
    if "--write" in arguments:
        shutil.copy(NEWEST, KEPT)
        text = README.read_text(encoding="utf-8")
        README.write_text(with_table(text, json.loads(KEPT.read_text())), encoding="utf-8")
    else:
        print(table(json.loads(NEWEST.read_text())), end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
