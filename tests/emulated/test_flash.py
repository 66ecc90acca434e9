"""The emulated Pico boots what `hedgerow flash` gave a simulated boot ROM, and verifies it."""

import contextlib
import sys
import threading
from pathlib import Path

import pytest

from hedgerow.device.find import Attached
from hedgerow.device.flash import Options, flash
from hedgerow.device.images import read_image
from hedgerow.device.monitor import Plot, lines, shown
from hedgerow.device.repl import read_banner, verify_rp2
from hedgerow.emulate.console import serve
from hedgerow.emulate.endpoints import Pty
from hedgerow.emulate.pico.board import PicoBoard
from hedgerow.emulate.pico.chip import PicoChip
from hedgerow.emulate.pico.machine import PicoMachine
from hedgerow.errors import DeviceError, UsageError
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
        banner = read_banner(board, 150.0)
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


class Ended(Exception):
    """Ends the thread that serves a Pico."""


class PicoPort:
    """An emulated Pico on a pseudo-terminal; it runs from power_on() to the end of the block."""

    is_full = False

    def __init__(self):
        self.chip, self._pty, self._ended = PicoChip(), Pty(), threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def power_on(self, flash):
        self.chip.reset(flash)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ended.set()
        if self._thread.ident:
            self._thread.join(150)
        self._pty.close()
        self.chip.close()

    def _serve(self):
        with contextlib.suppress(Ended):
            serve(PicoMachine(self.chip), [self])

    @property
    def port(self):
        return self._pty.address

    def filenos(self):
        return self._pty.filenos()

    def receive(self):
        if self._ended.is_set():
            raise Ended
        return self._pty.receive()

    def send(self, data):
        self._pty.send(data)


def test_from_a_blank_board_to_the_first_plotted_value(firmware, tmp_path):
    app = tmp_path / "field.py"
    app.write_text(
        "import time\nn = 20\nwhile True:\n"
        "    print('soil=%d' % n)\n    n += 1\n    time.sleep(0.1)\n"
    )
    with PicoPort() as pico, Uf2Board(tmp_path / "RPI-RP2") as board:
        running = []

        def look():
            if board.restarted.is_set() and not running:
                pico.power_on(bytes(board.flash))
                running.append(Attached("serial", pico.port, "repl", (), ("rp2040",), "Pico"))
            return running

        options = Options(drive=board.drive, board="RPI_PICO")
        done = flash(firmware, options, look=look, app=app)
        pictures = shown(lines(done.port, wait_s=150), Plot(), lambda: (60, 20), colour=False)
        picture = next(text for text, is_picture in pictures if is_picture)
    assert done.verified == "SHA-256 on the board"
    assert (done.port, done.banner.board) == (pico.port, "Raspberry Pi Pico")
    assert done.deployed.said == "boot: slot a starts field"
    assert "soil" in picture
    assert "20" in picture


def test_what_is_no_app_is_told_before_anything_is_written(firmware, tmp_path):
    with Uf2Board(tmp_path / "RPI-RP2") as board:
        with pytest.raises(UsageError, match=r"no main\.py"):
            flash(firmware, Options(drive=board.drive), app=board.drive)
        assert [path.name for path in board.drive.iterdir()] == ["INFO_UF2.TXT"]
