"""What a reading costs a board: core cycles and blocked time of each I2C driver, emulated Pico.

python tests/bench/drivers.py        prints the rows as a table of Markdown
"""

import sys
import tempfile
from pathlib import Path

from hedgerow.emulate.pico.board import PicoBoard
from hedgerow.errors import ToolchainError

sys.path.append(str(Path(__file__).parent.parent / "emulated"))

from pico_drivers import I2CTrial, drivers, install, rows_on

_HOW = "one read of {driver}, bus at {hz} kHz, in its calls {us} us with the bus, emulated Pico"


def costs() -> dict[str, tuple[int, int, int, int]]:
    """By row of the battery: core cycles, us in the driver's calls, heap bytes, bus in Hz."""
    rows = rows_on("i2c")
    found = {}
    with PicoBoard() as board, tempfile.TemporaryDirectory() as folder:
        install(board, {row["driver"] for row in rows.values()}, Path(folder))
        for key, row in rows.items():
            trial = I2CTrial(board, row)
            trial.read(row["points"][0][0])
            _, cycles, us, heap_bytes = trial.measure()
            found[key] = (cycles, us, heap_bytes, min(drivers()[row["driver"]]["max_hz"], 400000))
            trial.close()
    return found


def measure() -> list[dict]:
    """Rows for build/bench.json; none, and the reason, where no Pico can be emulated."""
    try:
        found = costs()
    except ToolchainError as missing:
        print(f"drivers: no rows: {missing}")
        return []
    return [
        {
            "name": f"drivers.{key}.read",
            "value": cycles,
            "unit": "cycles",
            "how": _HOW.format(driver=key, hz=hz // 1000, us=us),
        }
        for key, (cycles, us, _, hz) in found.items()
    ]


def table() -> str:
    """The same for a README."""
    lines = ["| Row | cycles | us in its calls | heap, bytes |", "| --- | --- | --- | --- |"]
    for key, (cycles, us, heap_bytes, _) in sorted(costs().items()):
        lines.append(f"| `{key}` | {cycles:,} | {us:,} | {heap_bytes:,} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
