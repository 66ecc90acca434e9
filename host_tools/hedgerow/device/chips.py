"""Chips that can be flashed: the numbers that firmware files and boot ROMs name them by."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chip:
    """mcu: MicroPython's word. esp_id: chip id in an ESP image header. uf2_families: UF2 family
    ids that its boot ROM takes. uf2_board_id: Board-ID of its drive's INFO_UF2.TXT."""

    mcu: str
    name: str
    esp_id: int | None = None
    boot_offset: int | None = None
    uf2_families: tuple[int, ...] = ()
    uf2_board_id: str = ""


# esp_id: esp_chip_id_t of ESP-IDF's bootloader_support (esp_app_format.h). UF2 families and
# Board-IDs: boot/uf2.h of pico-sdk 2.1.1; RP2040 datasheet 2.8.4, RP2350 datasheet 5.5.
CHIPS = (
    Chip("esp32", "ESP32", esp_id=0, boot_offset=0x1000),
    Chip("esp32s2", "ESP32-S2", esp_id=2, boot_offset=0x1000),
    Chip("esp32c3", "ESP32-C3", esp_id=5, boot_offset=0),
    Chip("esp32s3", "ESP32-S3", esp_id=9, boot_offset=0),
    Chip("esp32c6", "ESP32-C6", esp_id=13, boot_offset=0),
    Chip("rp2040", "RP2040", uf2_families=(0xE48BFF56,), uf2_board_id="RPI-RP2"),
    Chip("rp2350", "RP2350", uf2_families=(0xE48BFF59, 0xE48BFF5A), uf2_board_id="RP2350"),
)

# Not an image for a chip: pico-sdk's blocks for any address, among them the one that works around
# erratum RP2350-E10 at the head of every RP2350 file.
UF2_ABSOLUTE = 0xE48BFF57

# Further families that people try, from the registry of the UF2 specification (uf2families.json).
OTHER_FAMILIES = {
    0x1C5F21B0: "ESP32",
    0xBFDD4EEE: "ESP32-S2",
    0xC47E5767: "ESP32-S3",
    0xD42BA06C: "ESP32-C3",
    0x540DDF62: "ESP32-C6",
    0xE48BFF58: "RP2 data, not a program",
    0xE48BFF5B: "RP2350, Arm non-secure",
    0x68ED2B88: "SAMD21",
    0x55114460: "SAMD51",
    0xADA52840: "nRF52840",
    0x57755A57: "STM32F4",
}


def by_esp_id(esp_id: int) -> Chip | None:
    """The chip of an ESP image header."""
    return next((chip for chip in CHIPS if chip.esp_id == esp_id), None)


def by_family(family: int) -> Chip | None:
    """The chip of a UF2 family id."""
    return next((chip for chip in CHIPS if family in chip.uf2_families), None)


def by_mcu(mcu: str) -> Chip | None:
    """The chip of a board's `mcu`, None if it cannot be flashed."""
    return next((chip for chip in CHIPS if chip.mcu == mcu), None)


def by_name(name: str) -> Chip | None:
    """The chip of esptool's name for it, e.g. "ESP32-C3"."""
    return next((chip for chip in CHIPS if chip.name == name), None)


def family_name(family: int) -> str:
    """What a UF2 family id stands for, in words."""
    chip = by_family(family)
    return chip.name if chip else OTHER_FAMILIES.get(family, "an unknown chip")
