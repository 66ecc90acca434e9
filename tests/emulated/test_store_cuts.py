"""The log in the emulated Pico's flash, its power cut at flash operations of a workload.

The real firmware runs the workload of tests/upy/powercut.py on rp2.Flash once, and the emulator
tells each operation of its flash. Of these the flash is put together as a cut would have left it:
clean (the operations before it), torn (and the first half of the next one's bytes: what the
emulator does when it cuts) and ragged (and some of the bits of each of its bytes, which it cannot
do). Each such flash goes through the start that follows a cut, by the real firmware. What that
reads is judged on the host, and so is the flash itself, by the reader written from SPEC.md alone;
the board itself appends, starts again and looks for what it appended.

What is shorter than a life with a power cut: the workload does not run again up to each cut; the
interpreter is not started anew for each start, only every 400 (the store's objects are); flashes
that are the same byte for byte are read once. That this comes to the same is shown on cuts that
are real: workload, power cut by the emulator, reset, start. They leave the same bytes, and the
start finds the same.
"""

import itertools
import os
import sys
from pathlib import Path

import pytest
from store_pico import SECTOR_BYTES, StorePico, image_of, powercut

from hedgerow.emulate.pico.board import PicoBoard

sys.path.append(str(Path(__file__).resolve().parents[1] / "faults" / "store"))

import oracle

_SEEDS = int(os.environ.get("HEDGEROW_SOAK_STORE_SEEDS", "16"))  # some 290 cuts each
_STEPS, _STARTS = 30, 2
_SECOND_STEPS = 12
_MHZ = 125
_REAL_CUTS = 2  # a seed


@pytest.fixture(scope="module")
def pico(need_target, tmp_path_factory):
    need_target("pico")
    with PicoBoard() as board:
        yield StorePico(board, tmp_path_factory.mktemp("mpy"))


class Checks:
    """Starts on flashes that cuts left; `count` cuts, `images` different ones, `worst_cycles`."""

    def __init__(self, pico):
        self._pico = pico
        self._found = {}
        self.count = 0
        self.worst_cycles = 0

    def check(self, flash, history, cut):
        """AssertionError if what is found is not what history allows."""
        image = image_of(flash)
        if image not in self._found:
            self._found[image], cycles = self._pico.recover(image)
            self.worst_cycles = max(self.worst_cycles, cycles)
        judge(image, self._found[image], history, cut)
        self.count += 1

    def __str__(self):
        milliseconds = self.worst_cycles / 1000 / _MHZ
        return (
            f"power cuts checked: {self.count} ({len(self._found)} different flashes; "
            f"a start took {milliseconds:.0f} ms of {_MHZ} MHz at most)"
        )


def judge(image, found, history, cut):
    powercut.judge(found, history, cut)
    log = oracle.read_region(image, SECTOR_BYTES)
    waiting = {key: payload for key, payload in log.records.items() if not log.is_acked(key)}
    assert waiting == found["got"]


def check_real_cut(pico, seed, workload, operation, *, torn):
    """A cut by the emulator leaves what is put together, and the start after it finds the same."""
    before, journal, history = workload
    image, found, _ = pico.cut(seed, _STEPS, _STARTS, operation, torn=torn)
    judge(image, found, history, operation - 1)
    flashes = powercut.cuts(before, journal, operation - 1, len(journal))
    _, tear, flash = next(itertools.islice(flashes, int(torn), None))
    assert tear == torn
    assert image_of(flash) == image
    assert pico.recover(image)[0] == found


def check_second_cuts(pico, checks, seed, workload, step=29, second_step=5):
    """Cut, start again and go on; cut that, too."""
    before, journal, history = workload
    for cut, _, flash in powercut.cuts(before, journal, seed % step, step):
        first, again, later = pico.record(seed + 2 * cut, _SECOND_STEPS, 1, image_of(flash))
        both = history.until(cut)
        both.appends += later.appends
        both.acks += later.acks
        both.values += later.values[1:]
        for second, _, torn in powercut.cuts(first, again, cut % second_step, second_step):
            checks.check(torn, both, second)


@pytest.mark.timeout(900)
def test_cuts_here_and_there_lose_nothing(pico):
    workload = before, journal, history = pico.record(1, _STEPS, _STARTS)
    assert len(journal) > 40
    assert sum(end is not None for _, end, _, _ in history.appends) > 30
    check_real_cut(pico, 1, workload, len(journal) // 3, torn=False)
    check_real_cut(pico, 1, workload, len(journal) // 2, torn=True)
    checks = Checks(pico)
    for cut, _, flash in powercut.cuts(before, journal, 40, len(journal)):
        checks.check(flash, history, cut)
    assert checks.count == 3


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(_SEEDS))
def test_a_cut_at_any_operation_loses_nothing(pico, seed):
    workload = before, journal, history = pico.record(seed, _STEPS, _STARTS)
    for i in range(_REAL_CUTS):
        operation = (seed * 37 + i * 53) % len(journal) + 1
        check_real_cut(pico, seed, workload, operation, torn=i % 2 == 1)
    checks = Checks(pico)
    for cut, _, flash in powercut.cuts(before, journal):
        checks.check(flash, history, cut)
    check_second_cuts(pico, checks, seed, workload)
    assert checks.count > 3 * len(journal)
    print(checks)
