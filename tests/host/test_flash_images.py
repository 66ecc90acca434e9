"""Firmware files: kind, chip and size; cut, damaged and foreign ones say what is wrong."""

import random
import struct

import pytest
from firmware_files import (
    APP_DESCRIPTION,
    RP2040,
    RP2350_ARM,
    esp_firmware,
    esp_part,
    uf2,
    uf2_block,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgerow.boards import load_board
from hedgerow.device import fits
from hedgerow.device.images import read_image
from hedgerow.errors import DeviceError

NOISE = random.Random(7).randbytes(3000)


@pytest.fixture
def read(tmp_path):
    """read(bytes) -> Image; read.fault(bytes) -> message, which names the file."""

    def image(data):
        path = tmp_path / "firmware.any"
        path.write_bytes(data)
        return read_image(path)

    def fault(data):
        with pytest.raises(DeviceError) as caught:
            image(data)
        assert str(tmp_path / "firmware.any") in str(caught.value)
        return str(caught.value)

    image.fault = fault
    return image


@pytest.mark.parametrize(
    ("esp_id", "mcu", "offset"),
    [(0, "esp32", 0x1000), (2, "esp32s2", 0x1000), (9, "esp32s3", 0), (5, "esp32c3", 0)],
)
def test_an_esp_firmware_tells_chip_address_and_flash(read, esp_id, mcu, offset):
    data = esp_firmware(esp_id, flash_mb=8)
    image = read(data)
    assert (image.kind, image.chip.mcu) == ("esp", mcu)
    assert image.parts == ((offset, data),)
    assert image.flash_bytes == 8 << 20


def test_a_uf2_tells_chip_parts_and_size(read):
    image = read(uf2(NOISE))
    assert (image.kind, image.chip.mcu) == ("uf2", "rp2040")
    assert image.parts == ((0x10000000, NOISE),)
    assert image.flash_bytes == len(NOISE)


def test_blocks_in_any_order_and_with_gaps_are_joined(read):
    blocks = [
        uf2_block(b"c" * 256, 2, 3, RP2350_ARM, 0x10008000),
        uf2_block(b"a" * 256, 0, 3, RP2350_ARM, 0x10000000),
        uf2_block(b"b" * 256, 1, 3, RP2350_ARM, 0x10000100),
    ]
    image = read(b"".join(blocks))
    assert image.chip.mcu == "rp2350"
    assert image.parts == ((0x10000000, b"a" * 256 + b"b" * 256), (0x10008000, b"c" * 256))


def test_the_block_against_erratum_e10_is_no_part_of_the_image(read):
    block = uf2_block(b"\xef" * 256, 0, 2, 0xE48BFF57, 0x10FFFF00)
    assert read(block + uf2(NOISE, RP2350_ARM)).parts == ((0x10000000, NOISE),)


def test_the_pico_firmware_that_the_toolchain_builds_is_read():
    from hedgerow import paths

    built = sorted((paths.build_dir() / "micropython").glob("*/pico/**/firmware.uf2"))
    if not built:
        pytest.skip("no firmware.uf2 in the build cache (hedgerow toolchain pico)")
    image = read_image(built[0])
    assert image.chip.mcu == "rp2040"
    joined = b"".join(data for _, data in image.parts)
    assert joined.startswith(built[0].with_suffix(".bin").read_bytes()[:256])
    fits.check_board(image, load_board("RPI_PICO"))


@pytest.mark.parametrize(
    "keep", [1, 23, 24, 100, 0x8000 - 1, 0x8000, 0x8010, 0x10000, 0x10020, -1]
)
def test_an_esp_firmware_cut_anywhere_is_refused(read, keep):
    text = read.fault(esp_firmware(5)[:keep])
    assert "cut short, get it again" in text or "damaged, get it again" in text


def test_a_uf2_cut_between_or_inside_blocks_is_refused(read):
    data = uf2(NOISE)
    assert "11 of 12 blocks, block 11 is missing: it is cut short" in read.fault(data[:-512])
    assert "no whole number of 512-byte blocks" in read.fault(data[:-100])


@pytest.mark.parametrize("at", [40, 1300, 0x10030])
def test_a_flipped_bit_in_an_esp_firmware_is_found(read, at):
    data = bytearray(esp_firmware(5))
    data[at] ^= 4
    text = read.fault(bytes(data))
    assert "damaged, get it again" in text or "cut short" in text


def test_a_wrong_checksum_under_a_right_hash_is_found(read):
    wrong = esp_part(5, [NOISE], checksum_seed=0)
    assert "boot loader has a wrong checksum" in read.fault(wrong)


def test_a_damaged_uf2_block_is_numbered(read):
    data = bytearray(uf2(NOISE))
    data[512 * 3 + 510] ^= 1
    assert "block 3 is damaged" in read.fault(bytes(data))


def test_an_app_without_boot_loader_is_refused(read):
    app = esp_part(5, [APP_DESCRIPTION + NOISE])
    assert "take the .bin of the whole firmware" in read.fault(app)


def test_a_boot_loader_alone_is_refused(read):
    assert "partition table" in read.fault(esp_part(5, [NOISE]))


def test_parts_for_two_chips_are_refused(read):
    text = read.fault(esp_firmware(5, app_id=13))
    assert "boot loader for ESP32-C3, app for ESP32-C6" in text


def test_a_chip_that_is_not_supported_is_numbered(read):
    assert "chip with id 12" in read.fault(esp_firmware(12))


def test_families_of_other_chips_are_named(read):
    assert "0x68ed2b88 (SAMD21): expected a UF2 for RP2040 or RP2350" in read.fault(
        uf2(NOISE, 0x68ED2B88)
    )
    assert "expected those of one chip" in read.fault(uf2(NOISE) + uf2(NOISE, RP2350_ARM))


def test_a_ram_image_is_refused(read):
    assert "0x20000000, which is not flash" in read.fault(uf2(NOISE, address=0x20000000))


def test_blocks_on_top_of_each_other_are_refused(read):
    blocks = [uf2_block(b"a" * 256, n, 2, RP2040, 0x10000000) for n in (0, 1)]
    assert "two blocks go to 0x10000000" in read.fault(b"".join(blocks))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "the file is empty"),
        (b"\x7fELF\x01\x01", "an ELF file"),
        (b":10000000AB", "an Intel hex file"),
        (b"PK\x03\x04xx", "a zip archive"),
        (b"<!DOCTYPE html><html>", "a web page: the download went wrong"),
        (b"M\x06\x1f\x00", "a compiled .mpy module"),
        (b"\xff" * 4096, "nothing but blank bytes"),
        (b"hello", "expected a .uf2 (RP2) or .bin (ESP32)"),
    ],
)
def test_what_is_no_firmware_is_named(read, data, expected):
    assert expected in read.fault(data)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DeviceError, match=r"none.bin: No such file"):
        read_image(tmp_path / "none.bin")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_mutants_are_read_or_refused_with_a_message(tmp_path_factory, data):
    good = data.draw(st.sampled_from((uf2(NOISE), esp_firmware(5, app_bytes=600))))
    mutant = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mutant) - 1))
        mutant[at] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("mutant") / "m.bin"
    path.write_bytes(mutant[: data.draw(st.integers(0, len(mutant)))])
    try:
        image = read_image(path)
    except DeviceError as error:
        assert str(path) in str(error)
    else:
        assert image.size_bytes > 0


@pytest.mark.parametrize(
    ("data", "board", "expected"),
    [
        (uf2(NOISE), "RPI_PICO2", "is for RP2040, RPI_PICO2 has RP2350"),
        (uf2(NOISE), "ESP32_GENERIC", "is for RP2040, ESP32_GENERIC has ESP32"),
        (esp_firmware(5), "ESP32_GENERIC_S3", "is for ESP32-C3, ESP32_GENERIC_S3 has ESP32S3"),
        (esp_firmware(9, flash_mb=16), "ESP32_GENERIC_S3", "needs 16 MB of flash"),
        (uf2(NOISE, address=0x10200000), "RPI_PICO", "of flash, RPI_PICO has 2 MB"),
        (uf2(NOISE), "UNIX", "UNIX is not flashed"),
    ],
)
def test_an_image_that_does_not_belong_on_a_board_is_refused(read, data, board, expected):
    with pytest.raises(DeviceError) as caught:
        fits.check_board(read(data), load_board(board))
    assert expected in str(caught.value)


def test_images_of_every_chip_fit_a_board_of_that_chip(read):
    for data, board in (
        (uf2(NOISE), "RPI_PICO_W"),
        (uf2(NOISE, RP2350_ARM), "RPI_PICO2_W"),
        (uf2(NOISE, 0xE48BFF5A), "RPI_PICO2"),
        (esp_firmware(0), "AITHINKER_ESP32_CAM"),
        (esp_firmware(2), "ESP32_GENERIC_S2"),
        (esp_firmware(9, flash_mb=8), "SEEED_XIAO_ESP32S3_SENSE"),
        (esp_firmware(13), "ESP32_GENERIC_C6"),
    ):
        fits.check_board(read(data), load_board(board))


def test_the_header_written_here_is_espressifs():
    # esptool documentation, "Firmware Image Format": magic, segments, mode, size and frequency,
    # entry point; extended header: chip id at byte 12, hash flag at byte 23.
    data = esp_part(5, [b"1234"], flash_mb=4)
    assert struct.unpack_from("<BBBB", data) == (0xE9, 1, 2, 0x20)
    assert (struct.unpack_from("<H", data, 12)[0], data[23]) == (5, 1)
    assert len(data) % 16 == 0
