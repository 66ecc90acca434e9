"""The emulated Pico alone: its flash, its ROM, its faults."""

import random
import struct

import pytest

from hedgerow.emulate.pico.board import PicoBoard
from hedgerow.errors import DeviceError

# Bits go there and back: the board reads and prints decimals less exactly.
ARITHMETIC = """
from struct import pack, unpack
def single(bits): return unpack("<f", pack("<I", bits))[0]
def bits(x): return unpack("<I", pack("<f", x))[0]
for pair in {pairs}:
    x, y = (single(each) for each in pair)
    print(*(bits(v) for v in (x + y, x - y, x * y, x / y)), int(x), x < y, float(int(x)) == int(x))
"""


@pytest.fixture(scope="module")
def pico(need_target):
    need_target("pico")
    with PicoBoard() as board:
        yield board


def test_flash_keeps_files_between_runs(need_target, tmp_path):
    need_target("pico")
    flash = tmp_path / "flash.bin"
    with PicoBoard(flash_file=flash) as board:
        board.put("kept.txt", b"from an earlier run")
    assert flash.stat().st_size == 2 * 1024 * 1024
    with PicoBoard(flash_file=flash) as board:
        assert board.exec("print(open('kept.txt').read())") == "from an earlier run\n"


def test_programming_clears_bits_and_only_erasing_sets_them(pico):
    source = """
import rp2
flash, block = rp2.Flash(), bytearray(256)
last = flash.ioctl(4, 0) - 1
def programmed(value):
    if value is None:
        flash.ioctl(6, last)
    else:
        flash.writeblocks(last, bytes([value]) * 256, 0)
    flash.readblocks(last, block, 0)
    return block[7]
print([programmed(value) for value in (None, 0xf3, 0x3f, 0xff, None)])
"""
    assert pico.exec(source) == f"{[0xFF, 0xF3, 0x33, 0x33, 0xFF]}\n"


def test_flash_operations_are_counted(pico):
    before = pico.status()["flash_operations"]
    pico.exec("with open('log', 'wb') as f: f.write(bytes(1000))")
    assert 0 < pico.status()["flash_operations"] - before < 20


def test_reset_starts_anew_and_keeps_the_flash(pico):
    pico.put("stays.txt", b"1")
    pico.exec("gone = 1")
    pico.reset()
    assert pico.exec("print('gone' in globals(), open('stays.txt').read())") == "False 1\n"


def test_arithmetic_of_the_boot_rom_is_ieee_single_precision(pico):
    rng = random.Random(1)
    pairs = [(_single(rng.uniform(-1e4, 1e4)), _single(rng.uniform(-30, 30))) for _ in range(40)]
    pairs += [(0.0, 1.5), (1.0, 3.0), (16777216.0, 1.0), (-0.5, -0.25)]
    source = ARITHMETIC.format(pairs=[(_bits(x), _bits(y)) for x, y in pairs])
    for line, (x, y) in zip(pico.exec(source).splitlines(), pairs, strict=True):
        expected = [_bits(v) for v in (x + y, x - y, x * y, x / y)]
        assert line.split() == [*map(str, expected), str(int(x)), str(x < y), "True"], (x, y)


def test_what_a_board_would_die_of_is_told(need_target):
    need_target("pico")
    with PicoBoard() as board, pytest.raises(DeviceError, match="hard fault"):
        board.exec("@micropython.viper\ndef f(): ptr32(0x20000001)[0] = 1\nf()")


def test_a_sleep_that_nothing_ends_is_told(need_target):
    need_target("pico")
    with PicoBoard() as board, pytest.raises(DeviceError, match="nothing will wake it"):
        board.exec("@micropython.asm_thumb\ndef f():\n    cpsid('i')\n    wfi()\nf()")


def _single(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def _bits(x):
    """Of x rounded to single precision, as an integer."""
    return struct.unpack("<I", struct.pack("<f", x))[0]
