"""The log in the emulated Pico's flash, its power cut at flash operations of a workload.

The real firmware runs the workload of tests/upy/powercut.py on rp2.Flash and, after the cut and a
reset, the recovery. What it then reads is judged on the host, and so is the flash itself, by the
reader that was written from SPEC.md alone.
"""

import json
import sys
from pathlib import Path

import pytest

from hedgerow import paths
from hedgerow.emulate.pico.board import PicoBoard
from hedgerow.emulate.pico.chip import PowerCut
from hedgerow.toolchain.mpy import compile_mpy

_TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_TESTS / name) for name in ("unit", "upy", "faults/store")]

import oracle  # noqa: E402
import powercut  # noqa: E402

_STEPS, _STARTS = 30, 2
_SECTOR_BYTES = 4096
_SECTORS = 8  # little: records are dropped, the journal is copied
_STORAGE = (0x100A0000 - 0x10000000, 1408 * 1024)  # of an RPI_PICO: where in the flash, bytes
_PACKAGES = ("core", "store", "wire")
_ON_BOARD = """
import json, rp2
import powercut
from hedge.core import log
log.level = log.WARN + 1


class Counted:
    "rp2.Flash, and how many operations it has done."

    def __init__(self, flash):
        self.flash = flash
        self.journal = []
        self.readblocks = flash.readblocks

    def writeblocks(self, block, buf, offset):
        self.journal.append(None)
        self.flash.writeblocks(block, buf, offset)

    def ioctl(self, op, arg):
        if op == 6:
            self.journal.append(None)
        return self.flash.ioctl(op, arg)


class Medium(powercut.RegionMedium):
    page_bytes = 256
    poor_blocks = {sectors}


def run(seed, start, size, steps, starts):
    flash = Counted(rp2.Flash(start=start, len=size))
    history = powercut.History()
    workload = powercut.Workload(Medium, seed)
    workload.payload_bits = 7
    for _ in range(starts):
        workload.run(flash, history, steps)
    return flash, history


def tell(seed, start, size, steps, starts):
    flash, history = run(seed, start, size, steps, starts)
    print(len(flash.journal))
    for start, end, key, payload in history.appends:
        print(json.dumps(["append", start, end, key, payload.hex()]))
    for row in history.acks:
        print(json.dumps(["ack"] + list(row)))
    for start, end, values in history.values[1:]:
        print(json.dumps(["values", start, end, values["count"], len(values["fill"])]))


def recover(seed, start, size):
    store, kv = Medium.start(rp2.Flash(start=start, len=size), seed & 1)
    store.open()
    found = powercut.look(store, kv)
    for key in found["got"]:
        print(json.dumps(["got", key, found["got"][key].hex()]))
    found["got"] = None
    if found["values"]:
        found["values"]["fill"] = len(found["values"]["fill"])
    found["dropped"] = list(found["dropped"].items())
    print(json.dumps(["found", found]))
"""


class Pico:
    """A board with the store on it and a region that its file system does not touch."""

    def __init__(self, board, folder):
        self.board = board
        self._install(folder)
        self.flash = board.flash()
        at, size = _STORAGE
        self.start = size - _SECTORS * _SECTOR_BYTES
        self._at = at + self.start
        assert set(self.region()) == {0xFF}, "the file system uses the end of the flash"

    def _install(self, folder):
        top = paths.firmware_dir()
        self.board.exec("import os\nos.mkdir('hedge')")
        self._put(top / "hedge" / "__init__.py", "hedge/__init__.mpy", folder)
        for package in _PACKAGES:
            self.board.exec(f"os.mkdir('hedge/{package}')")
            for source in sorted((top / "hedge" / package).glob("*.py")):
                self._put(source, f"hedge/{package}/{source.stem}.mpy", folder)
        self._put(_TESTS / "upy" / "powercut.py", "powercut.mpy", folder)
        self._put(_TESTS / "unit" / "ram_flash.py", "ram_flash.mpy", folder)
        script = folder / "on_board.py"
        script.write_text(_ON_BOARD.replace("{sectors}", str(_SECTORS)))
        self._put(script, "on_board.mpy", folder)

    def _put(self, source, name, folder):
        compile_mpy(source, folder / "out.mpy", arch=self.board.native_arch)
        self.board.put(name, (folder / "out.mpy").read_bytes())

    def region(self):
        return self.board.flash()[self._at : self._at + _SECTORS * _SECTOR_BYTES]

    def call(self, function, *args):
        """What a function of _ON_BOARD prints, as lines."""
        place = f"{self.start}, {_SECTORS * _SECTOR_BYTES}"
        more = "".join(f", {arg}" for arg in args[1:])
        source = f"import on_board\non_board.{function}({args[0]}, {place}{more})\n"
        return self.board.exec(source, timeout_s=300).splitlines()

    def history(self, seed):
        """(flash operations, powercut.History) of the workload, not cut."""
        self.board.reset(self.flash)
        count, *lines = self.call("tell", seed, _STEPS, _STARTS)
        history = powercut.History()
        for kind, *row in map(json.loads, lines):
            if kind == "append":
                start, end, key, payload = row
                history.appends.append((start, end, tuple(key), bytes.fromhex(payload)))
            elif kind == "ack":
                history.acks.append((row[0], tuple(row[1]), row[2]))
            else:
                start, end, number, size = row
                history.values.append((start, end, {"count": number, "fill": size}))
        return int(count), history

    def cut(self, seed, operation, torn):
        """Cut the workload; (flash region, what the next start found)."""
        self.board.reset(self.flash)
        self.board.cut_power_at(operation, torn=torn)
        with pytest.raises(PowerCut):
            self.call("run", seed, _STEPS, _STARTS)
        self.board.cut_power_at(None)
        self.board.reset()
        image = self.region()
        lines = [json.loads(line) for line in self.call("recover", seed)]
        found = lines.pop()[1]
        found["got"] = {tuple(key): bytes.fromhex(payload) for _, key, payload in lines}
        found["dropped"] = dict(found["dropped"])
        return image, found


@pytest.fixture(scope="module")
def pico(need_target, tmp_path_factory):
    need_target("pico")
    with PicoBoard() as board:
        yield Pico(board, tmp_path_factory.mktemp("mpy"))


def _check(pico, seed, history, operation, torn):
    image, found = pico.cut(seed, operation, torn)
    powercut.judge(found, history, operation - 1)
    log = oracle.read_region(image, _SECTOR_BYTES)
    waiting = {key: payload for key, payload in log.records.items() if not log.is_acked(key)}
    assert waiting == found["got"], f"seed {seed}, operation {operation}, torn {torn}"


@pytest.mark.timeout(900)
def test_cuts_here_and_there_lose_nothing(pico):
    count, history = pico.history(1)
    assert count > 40
    assert sum(end is not None for _, end, _, _ in history.appends) > 30
    for i, operation in enumerate(range(2, count, count // 3)):
        _check(pico, 1, history, operation, torn=i % 2 == 1)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.parametrize("torn", [False, True], ids=["clean", "torn"])
def test_a_cut_at_any_operation_loses_nothing(pico, seed, torn):
    count, history = pico.history(seed)
    for operation in range(1, count + 1):
        _check(pico, seed, history, operation, torn)
    print(f"power cuts checked: {count}")
