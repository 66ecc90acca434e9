"""README's inference table is what tests/bench/table.py makes of the kept run."""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "bench"))
import table


def test_the_readme_holds_the_kept_run() -> None:
    readme, rows = table.README.read_text(encoding="utf-8"), json.loads(table.KEPT.read_text())
    assert table.with_table(readme, rows) == readme
    shown = readme.split(table.BEGIN, 1)[1].split(table.END, 1)[0]
    assert "| VWW |" in shown


def test_what_was_not_measured_is_a_dash() -> None:
    shown = table.table([{"name": "size.kws.file", "value": 26736}])
    assert "| KWS | 26,736 | - |" in shown
