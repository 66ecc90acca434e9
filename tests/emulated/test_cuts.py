"""Power cut at every flash operation of a program, on the emulated Pico's own littlefs."""

import ast

import pytest

from hedgerow.emulate.pico.board import PicoBoard
from hedgerow.emulate.pico.chip import PowerCut
from hedgerow.errors import DeviceError

# Within a block's metadata, within a block, over several.
SIZES = {"small": 40, "log": 1000, "model": 5000}
FIRST = [(name, 1) for name in SIZES]
SAVES = [(name, version) for version in (2, 3) for name in SIZES]
# Each file is rewritten in place; littlefs promises the old content until close() returns.
SAVE = """
def save(name, version, size):
    with open(name, "wb") as f:
        f.write(bytes([version]) * size)
"""
# What differs within one file shows as several versions.
LOOK = """
def look(name):
    with open(name, "rb") as f:
        content = f.read()
    return sorted(set(content)) + [len(content)]
print([look(name) for name in {names}])
"""


@pytest.fixture(scope="module")
def pico(need_target):
    need_target("pico")
    with PicoBoard() as board:
        yield board


@pytest.fixture(scope="module")
def saved(pico):
    """A flash that holds the first version of each file."""
    pico.exec(program(FIRST))
    return pico.flash()


@pytest.fixture(scope="module")
def ends(pico, saved):
    """Number of flash operations after each of SAVES, when nothing is cut."""
    pico.reset(saved)
    first = pico.status()["flash_operations"]
    pico.exec(SAVE)
    ends = []
    for save in SAVES:
        pico.exec(call(*save))
        ends.append(pico.status()["flash_operations"] - first)
    return ends


def program(saves):
    return SAVE + "".join(call(*save) for save in saves)


def call(name, version):
    return f"save({name!r}, {version}, {SIZES[name]})\n"


def state_after(n_saves):
    versions = dict(FIRST + SAVES[:n_saves])
    return [[versions[name], SIZES[name]] for name in SIZES]


def look(pico):
    return ast.literal_eval(pico.exec(LOOK.format(names=list(SIZES))))


def cut_in_saves(pico, flash, operation, torn):
    """State of the files after a cut at that operation of all SAVES, and the next boot."""
    pico.reset(flash)
    pico.cut_power_at(operation, torn=torn)
    with pytest.raises(PowerCut):
        pico.exec(program(SAVES))
    pico.cut_power_at(None)
    pico.reset()
    return look(pico)


@pytest.mark.parametrize("torn", [False, True], ids=["clean", "torn"])
def test_a_cut_at_any_operation_leaves_the_old_or_the_new_content(pico, saved, ends, torn):
    wrong = []
    for operation in range(1, ends[-1] + 1):
        found = cut_in_saves(pico, saved, operation, torn)
        done = sum(end < operation for end in ends)
        if found not in (state_after(done), state_after(done + 1)):
            wrong.append((operation, found))
    assert ends[-1] > 2 * len(SAVES)
    assert wrong == []


def test_a_file_system_that_was_cut_takes_further_writes(pico, saved, ends):
    cut_in_saves(pico, saved, ends[-1] // 2, True)
    pico.exec(program(SAVES))
    pico.reset()
    assert look(pico) == state_after(len(SAVES))


@pytest.mark.parametrize("torn", [False, True], ids=["clean", "torn"])
def test_a_cut_in_the_first_format_is_formatted_anew(need_target, tmp_path, torn):
    need_target("pico")
    flash = tmp_path / "flash.bin"
    with pytest.raises(PowerCut, match="flash operation 2"):
        PicoBoard(flash_file=flash, cut_at=2, torn=torn)
    with PicoBoard(flash_file=flash) as board:
        assert board.exec("import os; print(os.listdir())") == "[]\n"


def test_a_torn_program_is_half_done_a_clean_cut_is_not(pico, saved):
    source = """
import rp2
flash = rp2.Flash()
last = flash.ioctl(4, 0) - 1
flash.ioctl(6, last)
flash.writeblocks(last, bytes(256), 0)
"""
    for torn, programmed in ((False, 0), (True, 128)):
        pico.reset(saved)
        pico.cut_power_at(2, torn=torn)
        with pytest.raises(PowerCut):
            pico.exec(source)
        page = pico.flash()[-4096:][:256]
        assert page == bytes(programmed) + b"\xff" * (256 - programmed)
        pico.cut_power_at(None)


def test_nothing_runs_between_the_cut_and_the_power(pico, saved):
    pico.reset(saved)
    pico.cut_power_at(1)
    with pytest.raises(PowerCut):
        pico.exec("open('a', 'w').close()")
    with pytest.raises(DeviceError, match="no power"):
        pico.exec("print(1)")
    pico.cut_power_at(None)
    pico.reset()
    assert pico.exec("print(1)") == "1\n"


def test_a_flash_file_of_another_size_is_refused(need_target, tmp_path):
    need_target("pico")
    (tmp_path / "short").write_bytes(bytes(1000))
    with pytest.raises(DeviceError, match="not a flash image of a Pico"):
        PicoBoard(flash_file=tmp_path / "short")
