"""Which boards are in sight: USB IDs, bridges, drives; and the command that lists them."""

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from esp_rom import EspRom
from firmware_files import esp_firmware, uf2
from uf2_board import INFO, Uf2Board

from hedgerow.cli.flash import command
from hedgerow.device import find
from hedgerow.device.find import Attached, attached, uf2_drive
from hedgerow.device.flash import Options, flash
from hedgerow.device.probe import probed
from hedgerow.errors import DeviceError, UsageError


def port(device, vid, pid):
    return SimpleNamespace(device=device, vid=vid, pid=pid, description=f"port {device}")


def seen(*ports, drives=()):
    return attached(lambda: ports, lambda: drives)


def test_a_running_pico_may_be_any_rp2_board():
    (item,) = seen(port("/dev/ttyACM0", 0x2E8A, 0x0005))
    assert (item.kind, item.mode) == ("serial", "repl")
    assert {"RPI_PICO", "RPI_PICO2_W", "SEEED_XIAO_RP2040"} <= set(item.boards)
    assert set(item.mcus) == {"rp2040", "rp2350"}


def test_native_usb_of_the_esp_chips_tells_the_mode():
    repl, boot = seen(port("a", 0x303A, 0x4001), port("b", 0x303A, 0x0002))
    assert (repl.mode, boot.mode) == ("repl", "boot")
    assert "esp32s3" in repl.mcus
    assert boot.mcus == ("esp32s2",)


def test_a_bridge_tells_neither_board_nor_chip():
    (item,) = seen(port("/dev/ttyUSB0", 0x10C4, 0xEA60))
    assert (item.mode, item.boards, item.mcus) == ("bridge", (), ())


def test_other_ports_are_not_boards():
    assert seen(port("/dev/ttyS0", None, None), port("/dev/ttyUSB9", 0x1234, 0x5678)) == []


def test_a_drive_tells_its_chip_by_its_board_id(tmp_path):
    for board_id, mcus in (("RPI-RP2", ("rp2040",)), ("RP2350", ("rp2350",)), ("Other", ())):
        (tmp_path / "INFO_UF2.TXT").write_text(INFO.format(board_id))
        found = uf2_drive(tmp_path)
        assert (found.kind, found.mode, found.mcus) == ("drive", "boot", mcus)
    assert seen(drives=[tmp_path])[0].where == str(tmp_path)


def test_other_folders_are_no_drives(tmp_path):
    assert uf2_drive(tmp_path) is None
    assert uf2_drive(tmp_path / "none") is None
    (tmp_path / "INFO_UF2.TXT").write_bytes(b"\xff\x00 garbage")
    assert uf2_drive(tmp_path).mcus == ()


def test_only_fat_file_systems_are_asked(tmp_path):
    table = tmp_path / "mounts"
    table.write_text(
        "/dev/sda1 / ext4 rw 0 0\n"
        "/dev/sdb1 /media/me/RPI-RP2 vfat rw 0 0\n"
        "server:/x /far nfs rw 0 0\n"
        "/dev/sdc1 /media/my\\040disk vfat rw 0 0\n"
    )
    mounts = [str(path) for path in find._linux_fat_mounts(table)]
    assert mounts == ["/media/me/RPI-RP2", "/media/my disk"]
    assert find._linux_fat_mounts(tmp_path / "none") == []


def test_two_ports_that_may_be_meant_ask_for_a_choice(tmp_path):
    path = tmp_path / "firmware.bin"
    path.write_bytes(esp_firmware(5))
    look = lambda: seen(port("/dev/a", 0x10C4, 0xEA60), port("/dev/b", 0x303A, 0x1001))  # noqa: E731
    with pytest.raises(UsageError, match=r"/dev/a .*/dev/b .*choose with --port PORT"):
        flash(path, Options(), look=look)


def test_a_running_pico_is_no_place_for_an_esp_image(tmp_path):
    path = tmp_path / "firmware.bin"
    path.write_bytes(esp_firmware(5))
    with pytest.raises(DeviceError, match=r"no board for .* \(ESP32-C3\) in sight"):
        flash(path, Options(), look=lambda: seen(port("/dev/a", 0x2E8A, 0x0005)))


def test_a_probe_reads_the_banner_of_a_running_board():
    with EspRom("esp32c3") as rom:
        rom.flash[:0x10001] = b"\xe9" * 0x10001
        (item,) = seen(port(rom.port, 0x10C4, 0xEA60))
        item = probed(item)
    assert item.mcus == ("esp32c3",)
    assert item.description == "MicroPython v1.25.0 on ESP32C3 module (ESP32C3)"


def test_a_probe_asks_the_boot_rom_of_a_blank_board():
    pytest.importorskip("esptool", reason="esptool is not installed (Python package)")
    with EspRom("esp32", flash_bytes=2 << 20) as rom:
        item = probed(seen(port(rom.port, 0x10C4, 0xEA60))[0])
        assert rom.flash == b"\xff" * (2 << 20)
    assert item.mcus == ("esp32",)
    assert item.description == "ESP32 with 2 MB of flash, no MicroPython"


def test_a_probe_of_a_port_that_is_gone_says_so():
    item = probed(seen(port("/dev/ttyNONE", 0x2E8A, 0x0005))[0])
    assert "there is no such port" in item.description
    assert "rp2040" in item.mcus


def run(*args):
    return CliRunner().invoke(command, [str(arg) for arg in args])


def test_the_command_lists_what_is_attached(monkeypatch):
    here = [Attached("serial", "/dev/ttyACM0", "repl", ("RPI_PICO",), ("rp2040",), "Board CDC")]
    monkeypatch.setattr(find, "attached", lambda: here)
    assert "/dev/ttyACM0" in run("--list").output
    assert "(RPI_PICO)" in run("--list").output
    assert json.loads(run("--list", "--json").output)[0]["mcus"] == ["rp2040"]
    monkeypatch.setattr(find, "attached", list)
    assert "no board in sight" in run("--list").output


def test_the_command_flashes_an_esp_and_tells_who_answers(tmp_path):
    pytest.importorskip("esptool", reason="esptool is not installed (Python package)")
    path = tmp_path / "firmware.bin"
    path.write_bytes(esp_firmware(5))
    with EspRom("esp32c3") as rom:
        result = run(path, "--port", rom.port, "--board", "ESP32_GENERIC_C3")
        assert result.exit_code == 0, result.exception
    assert "verified: MD5 by the chip" in result.output
    assert f"{rom.port}: MicroPython v1.25.0 on ESP32C3 module" in result.output


def test_the_command_flashes_a_drive_and_answers_in_json(tmp_path):
    path = tmp_path / "firmware.uf2"
    path.write_bytes(uf2(b"code" * 500))
    with Uf2Board(tmp_path / "RPI-RP2") as board:
        result = run(path, "--drive", board.drive, "--no-repl", "--json")
    done = json.loads(result.output.splitlines()[-1])
    assert (done["chip"], done["size_bytes"], done["banner"]) == ("RP2040", 2000, None)


def test_faults_of_the_command_are_device_errors(tmp_path):
    result = run(tmp_path / "none.uf2")
    assert isinstance(result.exception, DeviceError)
    assert isinstance(run("--board", "UNIX").exception, UsageError)
