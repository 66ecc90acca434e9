"""The native kernels on each board's processor: random layers, each with its expected output."""

import binascii
import sys
from pathlib import Path

import pytest

from hedgerow.toolchain.natmod import native_module

sys.path.append(str(Path(__file__).resolve().parent.parent / "host"))
from kernel_layers import LAYERS, sample

_SEEDS = range(40)
_LARGEST_BYTES = 40_000  # a board's blobs stay until the end; the arena is in its heap
_SETUP = """
import array, binascii, struct, uctypes
import hedge_infer_native as native

def infer(at, size, x_at, rows):
    data = uctypes.bytearray_at(at, size)
    arena = bytearray(struct.unpack_from("<I", data, 16)[0])  # at a multiple of 16, as all of them
    place, n = struct.unpack_from("<II", data, 24)
    arena[place : place + n] = uctypes.bytearray_at(x_at, n)
    cursor = array.array("i", (60, 0, struct.unpack_from("<H", data, 20)[0], rows))
    while cursor[2]:
        native.run(data, arena, cursor)
    place, n = struct.unpack_from("<II", data, 36)
    print(hex(binascii.crc32(memoryview(arena)[place : place + n])))
"""


@pytest.fixture(scope="module")
def kernels(board):
    """The board with the module and infer() on it."""
    board.put("hedge_infer_native.mpy", native_module(board.native_arch).read_bytes())
    board.exec(_SETUP)
    return board


@pytest.mark.parametrize("name", LAYERS)
def test_random_layers_equal_the_definition(kernels, name):
    ran = 0
    for seed in _SEEDS:
        hgm, x, wanted = sample(name, seed)
        if max(len(hgm), x.size + wanted.size) > _LARGEST_BYTES:
            continue
        at, x_at = kernels.blob(hgm), kernels.blob(x.tobytes())
        for rows in (0, 1):
            said = kernels.exec(f"infer({at}, {len(hgm)}, {x_at}, {rows})")
            assert int(said, 16) == binascii.crc32(wanted.tobytes()), (seed, rows)
        ran += 1
    assert ran >= len(_SEEDS) // 4
