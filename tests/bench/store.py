"""The outbox on a raw flash region: cost of a record, wear, recovery, RAM.

On the Unix port with flash in RAM (time is that of the code alone), and on the emulated Pico's
own flash (core cycles; a chip's program takes 0.4 ms, its erase 45 ms on top: W25Q16JV datasheet).

    python tests/bench/store.py       prints what was measured
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from hedgerow import paths
from hedgerow.toolchain.mpy import compile_mpy
from hedgerow.toolchain.unix import find_micropython

_HERE = Path(__file__).resolve().parent
_UNIT = _HERE.parent / "unit"
_SIZES_KB = (64, 256, 1024)
_RECORDS, _PICO_RECORDS = 5000, 320
_PICO_STORAGE = 0xA0000, 1408 * 1024  # of an RPI_PICO: where in its flash, bytes
_PICO_KB = 256
_MHZ = 125
_PACKAGES = ("core", "store", "wire")
_ERASES_LIMIT = 1.0  # issue: at most one erase for 64 records of 32 bytes

_UNIX = """
import json, time
from ram_flash import RamFlash
import store_work
for kb in {sizes}:
    flash = RamFlash(kb // 4, 4096)
    store_work.fill(flash)
    found = store_work.run(flash, time.ticks_us, 0, {records})
    print(json.dumps(found))
"""
_PICO = """
import json, machine, rp2
import store_work
flash = rp2.Flash(start={start}, len={size})
print(json.dumps(store_work.run(flash, lambda: {cycles}, {wrap}, {records})))
"""


def measure() -> list[dict]:
    """Rows of both."""
    rows = []
    for kb, found in zip(_SIZES_KB, on_unix(), strict=True):
        rows += _rows(f"store {kb} KB, Unix port", found, "us", "flash in RAM, 64-bit words")
    try:
        found = on_pico()
    except Exception as error:  # noqa: BLE001  a part of the toolchain is missing: said in a row
        return [*rows, {"name": "store, emulated Pico", "value": 0, "unit": f"skipped: {error}"}]
    return rows + _rows(
        f"store {_PICO_KB} KB, emulated Pico", found, "cycles", "rp2.Flash, RP2040"
    )


def _rows(name: str, found: dict, unit: str, how: str) -> list[dict]:
    how += f"; records of 32 bytes, {found['held']} held when full"
    return [
        {"name": f"{name}: append", "value": found["append"], "unit": unit, "how": how},
        {"name": f"{name}: open when full", "value": found["open"], "unit": unit, "how": how},
        {"name": f"{name}: RAM when full", "value": found["ram"], "unit": "B", "how": how},
        {
            "name": f"{name}: erases per 64 records",
            "value": round(found["erases_64"], 3),
            "unit": "",
            "limit": _ERASES_LIMIT,
            "how": f"{how}; acknowledged by 8, a value of 300 bytes saved every 100",
        },
    ]


def on_unix() -> list[dict]:
    """Figures of each of _SIZES_KB."""
    source = _UNIX.format(sizes=_SIZES_KB, records=_RECORDS)
    path = f"{_HERE / 'upy'}:{_UNIT}:{paths.firmware_dir()}:.frozen"
    done = subprocess.run(
        [find_micropython(), "-X", "heapsize=64m", "-c", source],
        env=dict(os.environ, MICROPYPATH=path),
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def on_pico() -> dict:
    """Figures of the emulated Pico, times in core cycles."""
    from hedgerow.emulate.pico.board import PicoBoard

    with PicoBoard() as board, tempfile.TemporaryDirectory() as name:
        _install(board, Path(name))
        flash = bytearray(board.flash())
        start = unused(flash, _PICO_KB * 1024)
        at = _PICO_STORAGE[0] + start
        flash[at : at + _PICO_KB * 1024] = _full_image()
        board.reset(bytes(flash))
        source = _PICO.format(
            start=start,
            size=_PICO_KB * 1024,
            cycles=board.cycles_expr,
            wrap=board.cycles_wrap,
            records=_PICO_RECORDS,
        )
        return json.loads(board.exec(source, timeout_s=900))


def unused(flash: bytearray, size: int) -> int:
    """Where in the storage the file system has so many bytes that it does not use."""
    base, total = _PICO_STORAGE
    for start in range(0, total - size + 1, 4096):
        if flash.count(0xFF, base + start, base + start + size) == size:
            return start
    raise RuntimeError(f"no {size} free bytes in the Pico's storage")


def _full_image() -> bytes:
    """A full region, made here: 6,000 appends would take the emulator minutes."""
    sys.path[:0] = [str(_HERE / "upy"), str(_UNIT)]
    import store_work
    from ram_flash import RamFlash

    flash = RamFlash(_PICO_KB // 4, 4096)
    store_work.fill(flash)
    return b"".join(flash.blocks)


def _install(board, folder: Path) -> None:  # type: ignore[no-untyped-def]
    top = paths.firmware_dir() / "hedge"
    board.exec("import os\nos.mkdir('hedge')")
    sources = {"hedge/__init__": top / "__init__.py", "store_work": _HERE / "upy/store_work.py"}
    for package in _PACKAGES:
        board.exec(f"os.mkdir('hedge/{package}')")
        for path in sorted((top / package).glob("*.py")):
            sources[f"hedge/{package}/{path.stem}"] = path
    for target, source in sources.items():
        compile_mpy(source, folder / "out.mpy", arch=board.native_arch)
        board.put(f"{target}.mpy", (folder / "out.mpy").read_bytes())


def main() -> None:
    for kb, found in zip(_SIZES_KB, on_unix(), strict=True):
        print(kb, found)
    print("pico", on_pico())


if __name__ == "__main__":
    main()
