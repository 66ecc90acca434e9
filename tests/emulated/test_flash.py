"""The emulated Pico boots what `hedgerow flash` gave a simulated boot ROM, and verifies it."""

import sys
from pathlib import Path

import pytest

from hedgerow.device.flash import Options, flash
from hedgerow.device.images import read_image
from hedgerow.device.repl import read_banner, verify_rp2
from hedgerow.emulate.pico.board import PicoBoard
from hedgerow.errors import DeviceError
from hedgerow.toolchain.pico import ensure_pico

sys.path.append(str(Path(__file__).resolve().parent.parent / "host"))
from uf2_board import Uf2Board


@pytest.fixture(scope="module")
def firmware(need_target):
    need_target("pico")
    return ensure_pico().uf2


@pytest.fixture
def flashed(firmware, tmp_path):
    """2 MB of flash as the boot ROM left them."""
    with Uf2Board(tmp_path / "RPI-RP2") as board:
        done = flash(firmware, Options(drive=board.drive, repl_s=0, board="RPI_PICO"))
        assert board.restarted.is_set()
    assert done.verified == "restart"
    return bytes(board.flash)


def test_what_was_flashed_boots_and_is_verified_on_the_board(firmware, flashed):
    with PicoBoard() as board:
        board.reset(flashed)
        banner = read_banner(board, 10.0)
        assert banner.board == "Raspberry Pi Pico"
        assert banner.chip == "RP2040"
        assert banner.version.startswith("v1.25")
        verify_rp2(board, "pico", read_image(firmware))


def test_a_byte_that_differs_is_found_by_the_board_itself(firmware, flashed):
    image = read_image(firmware)
    address, data = image.parts[-1]
    last = address - 0x10000000 + len(data) - 1
    spoilt = bytearray(flashed)
    spoilt[last] ^= 1  # in the padding at the end of the program: it still boots
    with PicoBoard() as board:
        board.reset(bytes(spoilt))
        with pytest.raises(DeviceError, match=r"differ from .*flash it again"):
            verify_rp2(board, "pico", image)
