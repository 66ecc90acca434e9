"""An emulated Pico with drivers on it, and one driver at a time against its simulated chip."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

from hedgerow import paths
from hedgerow.drivers import drivers
from hedgerow.toolchain.mpy import compile_mpy

HERE = Path(__file__).parent
TESTS = HERE.parent
sys.path.append(str(TESTS / "unit"))

from driver_rows import (  # noqa: E402, F401  of tests/unit
    all_rows,
    chip_class,
    chip_of,
    feel,
    key_of,
)
from part_rows import ROWS as PARTS  # noqa: E402, F401  of tests/unit

_PARTS = ("core/__init__", "core/errors", "core/clock", "drivers/__init__", "board", "more_buses")
_STANDARD_HZ = 400000


def rows_on(bus):
    """{key: row of the battery} of the drivers on that bus."""
    return {key_of(row): row for row in all_rows() if drivers()[row["driver"]]["bus"] == bus}


def with_bases(names):
    """These drivers and the modules beside them that they import from."""
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            source = (paths.firmware_dir() / "hedge" / "drivers" / f"{name}.py").read_text()
            waiting += re.findall(r"from \.(\w+) import", source)
    return sorted(found)


def install(board, names, folder, texts=()):
    """Compile and copy: the board's part, these drivers, driver_trial and further files."""
    hedge = paths.firmware_dir() / "hedge"
    parts = [*_PARTS, *(f"drivers/{name}" for name in with_bases(names))]
    files = [(hedge / f"{part}.py", f"hedge/{part}.mpy") for part in parts]
    files += [(text, f"{text.stem}.mpy") for text in (HERE / "driver_trial.py", *texts)]
    for source, name in files:
        compile_mpy(source, folder / "out.mpy", arch=board.native_arch)
        board.put(name, (folder / "out.mpy").read_bytes())


def points_on_the_unix_port(micropython, keys):
    """{key: [values a point]}, see unix_points.py."""
    folders = [TESTS / "shim" / "upy", TESTS / "unit", paths.firmware_dir(), paths.emulate_dir()]
    path = ":".join(map(str, [*folders, paths.host_tools_dir(), ".frozen"]))
    done = subprocess.run(
        [micropython, HERE / "unix_points.py", *keys],
        env={**os.environ, "MICROPYPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return dict(ast.literal_eval(line) for line in done.stdout.splitlines())


class OnBoard:
    """A driver on the board; bus: what Board.bus is asked for. A context manager drops it."""

    def __init__(self, board, name, bus, args=None, freq_hz=_STANDARD_HZ):
        entry = drivers()[name]
        what = (name, entry["class"], bus, args or {}, len(entry["channels"]), freq_hz)
        self._board = board
        self._locked = not entry.get("alloc_bytes", 0)
        board.exec(f"trial = None\nfrom driver_trial import Trial\ntrial = Trial(*{what!r})")

    def read(self):
        """Values, or the name of the error, with " half" if out was touched."""
        return ast.literal_eval(self._board.exec("print(repr(trial.read()))"))

    def measure(self):
        """[values, cycles, us in its calls, heap bytes]; heap locked unless it declares some."""
        return ast.literal_eval(self._board.exec(f"print(repr(trial.measure({self._locked})))"))


class I2CTrial:
    """Driver and chip of a row of the battery on the board's I2C bus 0; close() unplugs it."""

    def __init__(self, board, row):
        self.board, self.row = board, row
        self.entry = drivers()[row["driver"]]
        self._args = row.get("args", {})
        self._addr = self._args.get("addr", self.entry["addrs"][0])
        self.renew()

    def renew(self):
        """Another chip and another driver."""
        self.chip = chip_of(self.row, self.entry, self.board.now_ms)
        self.board.attach_i2c(0, self._addr, self.chip)
        self.restart(min(self.entry["max_hz"], _STANDARD_HZ))

    def restart(self, freq_hz):
        """Another driver, at a speed of the bus; the chip keeps its state."""
        name, bus = self.row["driver"], ("i2c", "i2c0")
        self._driver = OnBoard(self.board, name, bus, self._args, freq_hz)
        self.measure = self._driver.measure

    def read(self, inputs=None):
        """As OnBoard.read(), after the chip felt these inputs."""
        feel(self.chip, inputs or {})
        return self._driver.read()

    def pause(self):
        """A fifth of a second of the board's time."""
        self.board.exec("import time\ntime.sleep_ms(200)")

    def close(self):
        self.board.detach_i2c(0, self._addr)
