"""`hedgerow flash` on an RP2 board: the drive of a simulated boot ROM, what is kept off it."""

import contextlib
import os
import pty
import random
import shutil
import threading
import tty

import pytest
from firmware_files import RP2350_ARM, esp_firmware, uf2
from uf2_board import INFO, Uf2Board

from hedgerow.device import flash as flash_module
from hedgerow.device import uf2_drive
from hedgerow.device.find import Attached
from hedgerow.device.flash import Options, firmware_for, flash
from hedgerow.errors import ConfigError, DeviceError, UsageError

N_UNPLUGS = int(os.environ.get("UNPLUGS", "100"))
PROGRAM = random.Random(3).randbytes(300_000)


@pytest.fixture
def firmware(tmp_path):
    """firmware(bytes) -> path of that file; without an argument, of a program for the RP2040."""

    def make(data=None):
        path = tmp_path / "firmware.uf2"
        path.write_bytes(uf2(PROGRAM) if data is None else data)
        return path

    return make


def options(drive, **changes):
    return Options(**{"drive": drive, "repl_s": 0, "restart_s": 90.0, **changes})


def fault(path, where, **changes):
    with pytest.raises(DeviceError) as caught:
        flash(path, options(where, **changes))
    return str(caught.value)


def test_the_boot_rom_gets_every_byte_and_restarts(firmware, tmp_path):
    seen = []
    with Uf2Board(tmp_path / "RPI-RP2") as board:
        done = flash(firmware(), options(board.drive), lambda done, total: seen.append(done))
        assert board.restarted.is_set()
    assert board.flash[: len(PROGRAM)] == PROGRAM
    assert (done.chip, done.size_bytes, done.verified) == ("RP2040", len(PROGRAM), "restart")
    assert seen[-1] == len(uf2(PROGRAM))
    assert len(seen) > 5


def test_a_drive_is_found_by_itself(firmware, tmp_path):
    with Uf2Board(tmp_path / "RPI-RP2") as board:
        here = Attached("drive", str(board.drive), "boot", ("RPI_PICO",), ("rp2040",), "RP2")
        done = flash(firmware(), options(None), look=lambda: [here])
        assert board.restarted.is_set()
    assert done.where == str(board.drive)


@pytest.mark.parametrize(
    ("data", "board_id", "expected"),
    [
        (uf2(PROGRAM, RP2350_ARM), "RPI-RP2", "is for RP2350,"),
        (uf2(PROGRAM), "RP2350", "is for RP2040,"),
        (uf2(PROGRAM), "nRF52840-Feather-v1", "an unknown board"),
    ],
)
def test_another_family_is_never_copied(firmware, tmp_path, data, board_id, expected):
    with Uf2Board(tmp_path / "DRIVE", board_id) as board:
        text = fault(firmware(data), board.drive)
        assert [path.name for path in board.drive.iterdir()] == ["INFO_UF2.TXT"]
    assert expected in text
    assert "nothing was written" in text


def test_an_esp_image_is_never_copied(tmp_path):
    path = tmp_path / "firmware.bin"
    path.write_bytes(esp_firmware(0))
    with Uf2Board(tmp_path / "RPI-RP2") as board:
        with pytest.raises(UsageError, match="goes over a serial port"):
            flash(path, options(board.drive))
        assert [path.name for path in board.drive.iterdir()] == ["INFO_UF2.TXT"]


def test_an_image_beyond_the_flash_is_never_copied(firmware, tmp_path):
    path = firmware(uf2(PROGRAM, address=0x10200000))
    with Uf2Board(tmp_path / "RPI-RP2") as board:
        for changes in ({}, {"board": "RPI_PICO"}):
            text = fault(path, board.drive, **changes)
            assert "of flash" in text
            assert "has 2 MB" in text
        assert len(list(board.drive.iterdir())) == 1


def test_a_truncated_file_is_never_copied(firmware, tmp_path):
    with Uf2Board(tmp_path / "RPI-RP2") as board:
        assert "cut short" in fault(firmware(uf2(PROGRAM)[:-512]), board.drive)
        assert len(list(board.drive.iterdir())) == 1


def unplug_at(path, folder, n_bytes):
    """While copying; then the same board is flashed again."""
    slow = lambda done, total: board._thread.join(0.05)  # noqa: E731 - the board needs its turn
    with Uf2Board(folder / f"half{n_bytes}", unplug_after=n_bytes) as board:
        with pytest.raises(DeviceError) as caught:
            flash(path, options(board.drive), slow)
        assert not board.restarted.is_set()
    assert "the board has no complete firmware" in str(caught.value)
    assert f"of {path.stat().st_size} bytes" in str(caught.value)
    with Uf2Board(folder / f"again{n_bytes}") as again:
        again.flash[:] = board.flash
        flash(path, options(again.drive))
    assert again.flash[: len(PROGRAM)] == PROGRAM


@pytest.mark.parametrize("part", [0.01, 0.5, 0.9])
def test_unplugged_while_copying_is_never_called_done(firmware, tmp_path, part):
    path = firmware()
    unplug_at(path, tmp_path, int(path.stat().st_size * part))


@pytest.mark.soak
def test_unplugged_at_any_byte_of_the_copy_is_never_called_done(firmware, tmp_path):
    path = firmware()
    whole = path.stat().st_size - 512  # the drive goes by itself once it has the last block
    for n_bytes in random.Random(5).sample(range(1, whole), N_UNPLUGS):
        unplug_at(path, tmp_path, n_bytes)


def test_a_boot_rom_that_does_not_restart_is_told(firmware, tmp_path):
    drive = tmp_path / "RPI-RP2"
    drive.mkdir()
    (drive / "INFO_UF2.TXT").write_text(INFO.format("RPI-RP2"))
    text = fault(firmware(), drive, restart_s=0.3)
    assert "the drive is still there" in text
    assert "did not take the file" in text


def test_a_full_drive_is_told(firmware, tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(uf2_drive.os, "fsync", full)
    with Uf2Board(tmp_path / "RPI-RP2", family=0) as board:
        assert "No space left on device after 65536 of" in fault(firmware(), board.drive)


def test_a_folder_that_is_no_drive_is_refused(firmware, tmp_path):
    assert "no INFO_UF2.TXT" in fault(firmware(), tmp_path)


def test_nothing_and_too_much_in_sight_are_told(firmware):
    with pytest.raises(DeviceError, match=r"no board for .* in sight"):
        flash(firmware(), options(None), look=list)
    two = [Attached("drive", f"/media/{n}", "boot", (), ("rp2040",), "RP2") for n in (1, 2)]
    with pytest.raises(UsageError, match="choose with --drive FOLDER"):
        flash(firmware(), options(None), look=lambda: two)


def test_no_prompt_after_the_restart_is_told(firmware, tmp_path):
    with Uf2Board(tmp_path / "RPI-RP2") as board, pytest.raises(DeviceError) as caught:
        flash(firmware(), options(board.drive, repl_s=0.5), look=list)
    assert board.restarted.is_set()
    assert "no serial port of a running board appeared" in str(caught.value)


def test_another_board_that_runs_is_not_taken_for_the_flashed_one(firmware, tmp_path):
    other = Attached("serial", "/dev/ttyOTHER", "repl", (), ("rp2040",), "CDC")
    with Uf2Board(tmp_path / "RPI-RP2") as board, pytest.raises(DeviceError) as caught:
        flash(firmware(), options(board.drive, repl_s=0.3), look=lambda: [other])
    assert "no serial port of a running board appeared" in str(caught.value)


def test_a_running_board_is_asked_for_its_boot_rom(firmware, tmp_path):
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(RunningPico())
        drive = []

        def look():
            if running.left.is_set() and not drive:
                drive.append(stack.enter_context(Uf2Board(tmp_path / "RPI-RP2")).drive)
            if drive:
                return [Attached("drive", str(drive[0]), "boot", (), ("rp2040",), "RP2")]
            return [Attached("serial", running.port, "repl", (), ("rp2040",), "CDC")]

        done = flash(firmware(), options(None), look=look)
    assert done.where == str(tmp_path / "RPI-RP2")
    assert running.said.endswith(b"import machine\nmachine.bootloader()\n\x04")


def test_a_board_in_boot_mode_without_a_drive_is_told(firmware, monkeypatch):
    monkeypatch.setattr(flash_module, "_DRIVE_S", 0.2)
    with RunningPico() as running:
        here = Attached("serial", running.port, "repl", (), ("rp2040",), "CDC")
        with pytest.raises(DeviceError, match=r"no drive appeared: is it mounted\? .*nothing was"):
            flash(firmware(), options(None), look=lambda: [here])


class RunningPico:
    """MicroPython's raw REPL on a pseudo-terminal, as far as leaving it goes."""

    def __enter__(self):
        self.said, self.left = b"", threading.Event()
        self._line, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        os.close(self._slave)
        self._thread.join(5)
        os.close(self._line)

    def _answer(self):
        with contextlib.suppress(OSError):  # the slave is closed: the end
            while data := os.read(self._line, 4096):
                self.said += data
                if data.endswith(b"\x01"):
                    os.write(self._line, b"raw REPL; CTRL-B to exit\r\n>")
                if b"machine.bootloader()" in self.said:
                    self.left.set()


def test_which_firmware_can_be_built_is_told():
    with pytest.raises(UsageError, match="give a firmware file"):
        firmware_for(None)
    with pytest.raises(ConfigError, match="did you mean"):
        firmware_for("rpi_pico")


def test_a_boot_rom_finds_the_blocks_in_the_sectors_of_a_fat_image(firmware, tmp_path):
    if not (shutil.which("mformat") and shutil.which("mcopy")):
        pytest.skip("mformat is not installed (Debian package mtools)")
    with Uf2Board(tmp_path / "RPI-RP2", fat_image=tmp_path / "drive.img") as board:
        flash(firmware(), options(board.drive))
        assert board.restarted.is_set()
    assert board.flash[: len(PROGRAM)] == PROGRAM
