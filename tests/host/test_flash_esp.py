"""`hedgerow flash` on a simulated ESP32: esptool itself talks to the boot ROM's protocol."""

import os
import random
import subprocess
import sys

import pytest
from esp_rom import EspRom
from firmware_files import esp_firmware, uf2

from hedgerow.device import esptool_program
from hedgerow.device.esptool_program import Esptool
from hedgerow.device.flash import Options, flash
from hedgerow.errors import DeviceError, UsageError

pytest.importorskip("esptool", reason="esptool is not installed (Python package)")

ESP_ID = {"esp32": 0, "esp32s2": 2, "esp32c3": 5, "esp32s3": 9, "esp32c6": 13}
OFFSET = {"esp32": 0x1000, "esp32s2": 0x1000, "esp32c3": 0, "esp32s3": 0, "esp32c6": 0}
N_UNPLUGS = int(os.environ.get("UNPLUGS", "20"))
# FLASH_DATA, FLASH_DEFL_BEGIN and _DATA. Not FLASH_BEGIN: the stub is left by one of no bytes.
WRITING = {0x03, 0x10, 0x11}


@pytest.fixture
def firmware(tmp_path):
    """firmware("esp32c3") -> path of a whole firmware file."""

    def make(chip, **changes):
        path = tmp_path / "firmware.bin"
        path.write_bytes(esp_firmware(ESP_ID[chip], **changes))
        return path

    return make


def options(rom, **changes):
    return Options(**{"port": rom.port, "repl_s": 90.0, "connect_attempts": 5, **changes})


def fault(path, rom, **changes):
    with pytest.raises(DeviceError) as caught:
        flash(path, options(rom, **{"connect_attempts": 1, **changes}))
    assert rom.port in str(caught.value) or str(path) in str(caught.value)
    return str(caught.value)


def assert_untouched(rom):
    assert not WRITING & set(rom.commands)
    assert rom.flash == b"\xff" * len(rom.flash)


@pytest.mark.parametrize(
    ("chip", "stub"),
    [*((chip, True) for chip in ESP_ID), ("esp32", False), ("esp32s2", False), ("esp32c3", False)],
)
def test_what_is_flashed_is_verified_and_answers(firmware, chip, stub):
    path = firmware(chip)
    seen = []
    with EspRom(chip) as rom:
        done = flash(path, options(rom, stub=stub), lambda done, total: seen.append(done / total))
        data = path.read_bytes()
        start = OFFSET[chip]
        assert rom.flash[start : start + len(data)] == data
        # Without the stub the ROM's plain commands are used, with it the compressed ones.
        assert (0x03 in rom.commands, 0x11 in rom.commands) == (not stub, stub)
    assert done.verified == "MD5 by the chip"
    assert (done.banner.version, done.size_bytes) == ("v1.25.0", len(data))
    assert seen[-1] == 1.0
    assert seen == sorted(seen)


def test_the_roms_compressed_commands_are_simulated_too(firmware):
    path = firmware("esp32c3")
    with EspRom("esp32c3") as rom:
        write = ["--no-stub", "write-flash", "--compress", "0", str(path)]
        command = [sys.executable, "-m", "esptool", "--port", rom.port, *write]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stdout.decode()
        data = path.read_bytes()
        assert rom.flash[: len(data)] == data
        assert 0x11 in rom.commands
        assert not rom.stub


@pytest.mark.parametrize(
    ("image", "chip", "expected"),
    [
        ("esp32", "esp32c3", "is for ESP32,"),
        ("esp32c3", "esp32", "is for ESP32-C3,"),
        ("esp32s3", "esp32s2", "is for ESP32-S3,"),
        ("esp32c3", "esp32c6", "is for ESP32-C3,"),
    ],
)
def test_another_chips_image_is_never_written(firmware, image, chip, expected):
    with EspRom(chip) as rom:
        text = fault(firmware(image), rom)
        assert_untouched(rom)
        assert rom.commands.count(0x08) == 2  # SYNC: probed, then let go again
    assert expected in text
    assert "nothing was written" in text


def test_esptool_would_refuse_another_chip_as_well(firmware):
    with EspRom("esp32c3") as rom:
        image = firmware("esp32").read_bytes()
        with pytest.raises(DeviceError, match="the chip is another one than the image's; nothing"):
            Esptool(rom.port, connect_attempts=1).write(
                esptool_program.by_name("ESP32"), image, 0x1000, lambda done, total: None
            )
        assert_untouched(rom)


def test_an_image_for_more_flash_is_never_written(firmware):
    with EspRom("esp32c3", flash_bytes=4 << 20) as rom:
        text = fault(firmware("esp32c3", flash_mb=8), rom)
        assert_untouched(rom)
    assert "needs 8 MB of flash" in text
    assert "has 4 MB" in text


def test_a_truncated_image_never_reaches_the_board(firmware):
    path = firmware("esp32c3")
    path.write_bytes(path.read_bytes()[:-1])
    with EspRom("esp32c3") as rom:
        assert "cut short" in fault(path, rom)
        assert rom.commands == []


def test_a_named_board_with_another_chip_is_refused_before_the_port_is_opened(firmware):
    with EspRom("esp32c3") as rom:
        assert "RPI_PICO has RP2040" in fault(firmware("esp32c3"), rom, board="RPI_PICO")
        assert rom.commands == []


def test_unplugged_while_writing_is_never_called_done(firmware):
    # esptool itself waits 7 s for the board to return.
    with EspRom("esp32c3", unplug_after=1) as rom:
        text = fault(firmware("esp32c3"), rom)
    assert "the line broke" in text
    assert "no complete firmware; flash it again" in text


@pytest.mark.parametrize("stub", [True, False])
def test_flash_that_keeps_other_bytes_is_found_by_its_md5(firmware, stub):
    with EspRom("esp32c3", spoil=1) as rom:
        text = fault(firmware("esp32c3"), rom, stub=stub)
    assert "the flash did not keep what was written" in text


def test_after_a_broken_attempt_the_next_one_succeeds(firmware):
    path = firmware("esp32c3")
    with EspRom("esp32c3", unplug_after=40) as rom:
        assert "no complete firmware" in fault(path, rom, stub=False)
        assert not rom.boots()
        half = rom.flash
    with EspRom("esp32c3") as rom:
        rom.flash[:] = half
        assert flash(path, options(rom)).banner.version == "v1.25.0"


@pytest.mark.soak
@pytest.mark.parametrize("chip", ["esp32", "esp32c3"])
def test_unplugged_at_any_byte_the_message_is_true_and_the_next_attempt_succeeds(firmware, chip):
    path = firmware(chip)
    with EspRom(chip) as rom:
        flash(path, options(rom, repl_s=0))
        total = rom.n_received
    for at in random.Random(chip).sample(range(1, total), N_UNPLUGS):
        with EspRom(chip, unplug_at_byte=at) as rom:
            text = fault(path, rom)
            half = rom.flash
        untouched = half == b"\xff" * len(half)
        assert untouched or "nothing was written" not in text, (at, text)
        assert untouched or "no complete firmware" in text, (at, text)
        with EspRom(chip) as rom:
            rom.flash[:] = half
            assert flash(path, options(rom)).banner.version == "v1.25.0", at


def test_silence_says_how_to_start_the_boot_rom(firmware):
    with EspRom("esp32") as rom:
        rom._answer = lambda packet: None
        text = fault(firmware("esp32"), rom)
    assert "hold BOOT, press and release reset" in text
    assert "nothing was written" in text


def test_a_board_that_stays_silent_after_flashing_is_told(firmware):
    with EspRom("esp32c3") as rom:
        rom.boots = lambda: False
        text = fault(firmware("esp32c3"), rom, repl_s=1.0)
    assert "no prompt within 1 s after the reset" in text


def test_without_a_wait_for_the_prompt_there_is_no_banner(firmware):
    with EspRom("esp32c3") as rom:
        assert flash(firmware("esp32c3"), options(rom, repl_s=0)).banner is None


def test_two_tools_on_one_port_are_told(firmware):
    import serial

    with EspRom("esp32c3") as rom, serial.Serial(rom.port, exclusive=True):
        assert "another program has it open" in fault(firmware("esp32c3"), rom)
        assert rom.commands == []


def test_a_missing_port_is_told(firmware):
    with pytest.raises(DeviceError, match="/dev/ttyNONE: there is no such port"):
        flash(firmware("esp32c3"), Options(port="/dev/ttyNONE"))


def test_a_drive_is_no_place_for_an_esp_image(firmware, tmp_path):
    with pytest.raises(UsageError, match="give --port, not --drive"):
        flash(firmware("esp32c3"), Options(drive=tmp_path))


def test_a_uf2_is_never_sent_to_an_esp_port(tmp_path):
    path = tmp_path / "firmware.uf2"
    path.write_bytes(uf2(b"x" * 300))
    with EspRom("esp32c3") as rom:
        text = fault(path, rom)
        assert_untouched(rom)
    assert "no answer" in text


def test_an_esptool_that_ends_well_without_verifying_is_not_believed(firmware, monkeypatch):
    run = Esptool._run

    def forgetful(self, *arguments):
        return run(self, *arguments).replace("Hash of data verified.", "")

    monkeypatch.setattr(Esptool, "_run", forgetful)
    with EspRom("esp32c3") as rom:
        assert "esptool did not verify the flash" in fault(firmware("esp32c3"), rom)


def test_without_esptool_the_extra_is_named(firmware, monkeypatch):
    monkeypatch.setattr(esptool_program.importlib.util, "find_spec", lambda name: None)
    missing = pytest.raises(DeviceError, match=r"pip install 'hedgerow\[esp\]'")
    with EspRom("esp32c3") as rom, missing:
        flash(firmware("esp32c3"), options(rom))
