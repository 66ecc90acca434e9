"""The longest time that the control loop waited for the network, in each situation; limit 50 ms.

A node under MicroPython's Unix port makes ten records a second; a task beside it sleeps 5 ms at a
time and notes by how much a sleep took longer (tests/faults/net/upy/gaps.py). Each situation
begins and ends three times. What counts is the node's own doing: the most that it computed in one
such sleep, or, if it is more, what each of the three times shows when the wait for a processor is
left out, as a call that blocks would. One row has the return of a serial link, limit 3 s.

    python tests/bench/run.py loop_gap
    python tests/bench/loop_gap.py tls          one situation
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gap_sites
import heap
from gap_sites import SITUATIONS, GapSite, SerialSite, Situation, started
from peers import LoopThread

from hedgerow import paths
from hedgerow.toolchain.unix import find_micropython

_TIMES = 3
_AT_ONCE = 4  # situations; each needs little of a processor, and waiting for one is left out
_LIMIT_MS = 50.0
_RETURN_LIMIT_S = 3.0
_SETTLED_S = 1.5
_BACK_S = 60.0
_FLASH = Path(__file__).with_name("upy") / "flash_gaps.py"
_GAPS = Path(gap_sites.__file__).parent.parent / "faults" / "net" / "upy"
_NOTE = {"tls_handshake": "; its longest piece is one call of mbedTLS, which cannot be cut"}


def measure(pattern: str = "") -> list[dict]:
    """A row for each situation whose name contains the pattern, and those of flash and serial."""
    chosen = [situation for situation in SITUATIONS if pattern in situation.name]
    thread = LoopThread()
    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = list(pool.map(lambda situation: _rows(situation, thread), chosen))
    finally:
        thread.close()
    rows = [row for rows in found for row in rows]
    return rows + (_flash_rows() if pattern in "flash" else [])


def _rows(situation: Situation, thread: LoopThread) -> list[dict]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = (situation, thread, find_micropython(), heap.mosquitto(), folder)
        with started(*parts) as site:
            gaps, back_s = _play(situation, site)
    rows = [_row(situation.name, gaps)]
    if isinstance(site, SerialSite):
        how = f"the longest of {_TIMES}: a bridge begins to open the port, until the next ack"
        value = round(max(back_s), 3)
        row = {"name": "loop_gap.serial_return", "value": value, "unit": "s", "how": how}
        rows.append({**row, "limit": _RETURN_LIMIT_S})
    return rows


def _play(situation: Situation, site: GapSite) -> tuple[list[dict], list[float]]:
    """Gaps of the start and of each time, and how long after each repair records came."""
    back_s = []
    if situation.carries:
        site.wait_rows(3)
    for phase in range(1, _TIMES + 1):
        time.sleep(_SETTLED_S)
        site.control(phase=phase)
        if situation.carries:
            situation.breaks(site)
        time.sleep(situation.lasts_s)
        if situation.carries:
            begin = time.monotonic()
            situation.repairs(site)
            site.wait_rows(1, _BACK_S)
            back_s.append(time.monotonic() - begin)
    site.control(phase=_TIMES + 1)
    assert site.node
    gaps = [site.node.expect("gaps") for _ in range(_TIMES + 1)]
    assert site.reasons() or site.dns.asked, f"{situation.name}: the node noticed nothing"
    return gaps, back_s


def _row(name: str, gaps: list[dict]) -> dict:
    """gaps: of the start, then of each time."""
    computed = max(one["computed"] for one in gaps)
    asleep = min(one["ours"] for one in gaps[1:])
    start, *times = (f"{one['computed']:.1f}" for one in gaps)
    how = (
        f"computed: start {start}, then {', '.join(times)} ms; without waiting for a processor "
        f"{', '.join(format(one['ours'], '.1f') for one in gaps[1:])}; by the clock "
        f"{max(one['late'] for one in gaps):.1f}{_NOTE.get(name, '')}"
    )
    return _limited(name, max(computed, asleep), how)


def _limited(name: str, value: float, how: str) -> dict:
    row = {"name": f"loop_gap.{name}", "value": round(value, 1), "unit": "ms"}
    return {**row, "limit": _LIMIT_MS, "how": how}


def _flash_rows() -> list[dict]:
    """Raw flash that takes as long as a W25Q16JV's datasheet says is typical."""
    unit = Path(gap_sites.__file__).parent.parent / "unit"
    done = subprocess.run(
        [find_micropython(), _FLASH],
        env=dict(os.environ, MICROPYPATH=f"{_GAPS}:{unit}:{paths.firmware_dir()}:.frozen"),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found = json.loads(done.stdout)
    how = "processor time; simulated flash: a sector's erase 45 ms, a page 0.4 ms (W25Q16JV, "
    how += f"typical; 400 and 3 at most); {found['begun'][1]} sectors began; "
    rows = (
        ("flash_append", "prepared", "erased ahead in an idle moment"),
        ("flash_append_unprepared", "append", "what a start's first three sectors' worth meets"),
        ("flash_idle", "idle", "the erase ahead itself, in a pause of the node of over 500 ms: "
         "one operation of the chip, which cannot be cut"),
    )  # fmt: skip
    return [_limited(name, found[key], how + what) for name, key, what in rows]


if __name__ == "__main__":
    for found in measure(*sys.argv[1:2]):
        print(f"{found['name']:32} {found['value']:8} {found['unit']}  {found['how']}")
