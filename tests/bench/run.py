"""Every number the README quotes: runs all benchmarks, prints a table, writes build/bench.json.

    python tests/bench/run.py              all
    python tests/bench/run.py decision     only files whose name contains this

A benchmark is a file in this folder with measure(), which returns rows of {name, value, unit,
peer, peer_value, ratio, limit, limit_of, how}; only name, value and unit must be there. limit is
what the project promises: at most this value (limit_of "value", the default) or this ratio to the
peer (limit_of "ratio"). One that fails is reported, the others still run, and the exit code is 1;
a limit that is missed is printed, and does not change it.
"""

import importlib
import json
import platform
import re
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
KEYS = ("name", "value", "unit", "peer", "peer_value", "ratio", "limit", "limit_of", "how")


def benchmarks(pattern: str) -> list[str]:
    """Names of the files here that define measure()."""
    files = [path for path in sorted(HERE.glob("*.py")) if pattern in path.stem]
    return [path.stem for path in files if re.search(r"(?m)^def measure\(", path.read_text())]


def run(name: str) -> list[dict]:
    """Rows of one benchmark, each with all keys."""
    module = importlib.import_module(name)
    rows = module.measure()
    return [{key: row.get(key) for key in KEYS} for row in rows]


def show(rows: list[dict]) -> None:
    """One line a row on standard output."""
    for row in rows:
        line = f"{row['name']:44} {_short(row['value']):>12} {row['unit']}"
        if row["peer"] and row["peer_value"] is not None:
            line += f"   {row['peer']} {_short(row['peer_value'])}"
            line += f", ratio {_short(row['ratio'])}" if row["ratio"] is not None else ""
        print(line + _against_limit(row), flush=True)


def _against_limit(row: dict) -> str:
    """ "", or whether the promise is kept, and by how much it is missed."""
    if row["limit"] is None:
        return ""
    value = row[row["limit_of"] or "value"]
    said = f"   limit {_short(row['limit'])}: "
    if value <= row["limit"]:
        return said + "met"
    excess = f"{value / row['limit'] - 1:.1%} over" if row["limit"] else f"{_short(value)} over"
    return f"{said}MISSED, {excess}"


def _short(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"


def main(pattern: str = "") -> int:
    """Exit code."""
    sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
    rows, failed = [], 0
    for name in benchmarks(pattern):
        begin = time.monotonic()
        try:
            found = run(name)
        except Exception as error:  # noqa: BLE001  a broken benchmark must not hide the others
            failed += 1
            print(f"{name}: FAILED: {error!r}", flush=True)
            continue
        show(found)
        rows += found
        print(f"# {name}: {time.monotonic() - begin:.0f} s on {platform.machine()}", flush=True)
    target = HERE.parent.parent / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(rows, indent=1) + "\n")
    missed = [row["name"] for row in rows if "MISSED" in _against_limit(row)]
    print(f"{len(rows)} rows in {target}; limits missed: {', '.join(missed) or 'none'}")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
