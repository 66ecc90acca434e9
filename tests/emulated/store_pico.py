"""An emulated Pico with the store on it, in a part of its flash that the file system does not use.

pico = StorePico(board, folder)
before, journal, history = pico.record(seed, steps, starts)
for cut, tear, flash in powercut.cuts(before, journal):
    found, cycles = pico.recover(image_of(flash))
image, found, cycles = pico.cut(seed, steps, starts, operation, torn=True)  # a real cut
"""

import json
import sys
from pathlib import Path

import pytest

from hedgerow import paths
from hedgerow.emulate.pico.chip import PowerCut
from hedgerow.toolchain.mpy import compile_mpy

_TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_TESTS / name) for name in ("unit", "upy")]

import powercut  # noqa: E402
from ram_flash import RamFlash  # noqa: E402

SECTOR_BYTES = 4096
_SECTORS = 8  # little: records are dropped, the journal is copied
_BYTES = _SECTORS * SECTOR_BYTES
_XIP = 0x10000000
_STORAGE = (0xA0000, 1408 * 1024)  # of an RPI_PICO: where in the flash, bytes
_PACKAGES = ("core", "store", "wire")
_STARTS_A_BOOT = 400  # recoveries before the interpreter begins anew, too
_FILES = ("upy/powercut.py", "unit/ram_flash.py", "emulated/store_on_board.py")


def install_store(board, folder, others=()):
    """Put the store on the board, and other modules. folder: for .mpy files on their way."""
    top = paths.firmware_dir()
    board.exec("import os\nos.mkdir('hedge')")
    _put(board, top / "hedge" / "__init__.py", "hedge/__init__.mpy", folder)
    for package in _PACKAGES:
        board.exec(f"os.mkdir('hedge/{package}')")
        for source in sorted((top / "hedge" / package).glob("*.py")):
            _put(board, source, f"hedge/{package}/{source.stem}.mpy", folder)
    for source in others:
        _put(board, source, f"{source.stem}.mpy", folder)


def _put(board, source, name, folder):
    compile_mpy(source, folder / "out.mpy", arch=board.native_arch)
    board.put(name, (folder / "out.mpy").read_bytes())


class StorePico:
    """board: a PicoBoard; folder: for .mpy files on their way."""

    def __init__(self, board, folder):
        self.board = board
        install_store(board, folder, [_TESTS / name for name in _FILES])
        self._flash = board.flash()
        self._start = _STORAGE[1] - _BYTES
        self._at = _STORAGE[0] + self._start
        self._recoveries = 0
        assert set(self.region()) == {0xFF}, "the file system uses the end of the flash"

    def region(self):
        """The store's bytes of the flash."""
        return self.board.flash()[self._at : self._at + _BYTES]

    def _call(self, function, *args):
        """What a function of store_on_board prints, as lines."""
        told = ", ".join(map(str, (self._start, _BYTES, *args)))
        source = f"import store_on_board\nstore_on_board.{function}({told})\n"
        return self.board.exec(source, timeout_s=300).splitlines()

    def record(self, seed, steps, starts, image=None):
        """(RamFlash before, its journal, powercut.History) of a workload, not cut.

        The operations are those that the emulator saw. image: of the region, in the interpreter
        that is there; else the board begins anew, and the region is blank.
        """
        if image is None:
            self._restart()
        else:
            self._poke(image)
        before = self.region()
        self.board.record_flash()
        lines = self._call("tell", seed, steps, starts)
        journal = [self._entry(operation) for operation in self.board.recorded_flash()]
        return _ram_flash(before), journal, _history(lines)

    def _entry(self, operation):
        block, offset = divmod(operation.offset - self._at, SECTOR_BYTES)
        assert 0 <= block < _SECTORS, "an operation outside of the region"
        assert offset + operation.count <= SECTOR_BYTES
        return block, offset, operation.data

    def recover(self, image):
        """(what a start finds on this image, cycles of it); then it appends and starts again."""
        if self._recoveries % _STARTS_A_BOOT == 0:
            self._restart()
        self._recoveries += 1
        self._poke(image)
        return self._recovered()

    def cut(self, seed, steps, starts, operation, *, torn):
        """(region after a real cut, what the start after it found, cycles of that)."""
        self._restart()
        self.board.cut_power_at(operation, torn=torn)
        with pytest.raises(PowerCut):
            self._call("run", seed, steps, starts)
        self.board.cut_power_at(None)
        self.board.reset()
        image = self.region()
        return image, *self._recovered()

    def _restart(self):
        self.board.reset(self._flash)

    def _poke(self, image):
        assert len(image) == _BYTES
        self.board.poke(_XIP + self._at, image)

    def _recovered(self):
        *lines, last = self._call("recover")
        found, cycles = json.loads(last)
        rows = [line.split(" ") for line in lines]
        found["got"] = {
            (int(boot), int(stream), int(seq)): bytes.fromhex(payload)
            for boot, stream, seq, payload in rows
        }
        found["dropped"] = dict(found["dropped"])
        return found, cycles


def image_of(flash):
    """The bytes of a RamFlash."""
    return b"".join(flash.blocks)


def _ram_flash(image):
    return RamFlash([image[at : at + SECTOR_BYTES] for at in range(0, len(image), SECTOR_BYTES)])


def _history(lines):
    history = powercut.History()
    for kind, *row in map(json.loads, lines):
        if kind == "append":
            begin, end, key, payload = row
            history.appends.append((begin, end, tuple(key), bytes.fromhex(payload)))
        elif kind == "ack":
            history.acks.append((row[0], tuple(row[1]), row[2]))
        else:
            begin, end, number, size = row
            history.values.append((begin, end, {"count": number, "fill": size}))
    return history
