"""What may stand in board.json: MicroPython's own keys, and ours under "hedge"."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

# MicroPython 1.25, tools/autobuild/build-downloads.py, VALID_FEATURES.
Feature = Literal[
    "BLE", "CAN", "Ethernet", "LoRa", "USB", "USB-C", "WiFi",
    "Dual-core", "External Flash", "External RAM",
    "Feather", "JST-PH", "JST-SH", "mikroBUS", "microSD", "SDCard",
    "Environment Sensor", "IMU",
    "Audio Codec", "Battery Charging", "Camera", "DAC", "Display", "Microphone", "PoE",
    "RGB LED", "Secure Element",
]  # fmt: skip

# Folders of MicroPython's ports/ that Hedgerow knows how to talk to.
Port = Literal["unix", "rp2", "esp32", "qemu"]

# MicroPython's words for the chip; host and cores where no chip is meant.
Mcu = Literal[
    "rp2040", "rp2350", "esp32", "esp32s2", "esp32s3", "esp32c3", "esp32c6",
    "host", "cortexm3", "cortexm4f", "cortexm7f", "rv32imac",
]  # fmt: skip

# How firmware gets onto a board; PORT_FLASHING says which fits which port.
FlashMethod = Literal["esptool", "uf2", "none"]
PORT_FLASHING = {"esp32": "esptool", "rp2": "uf2", "unix": "none", "qemu": "none"}

# Words of mpy-cross -march for the native code that a board's firmware loads.
MpyArch = Literal["x64", "armv6m", "armv7m", "armv7emsp", "armv7emdp", "xtensawin", "rv32imc"]

# What is printed beside header pins that are no GPIO.
POWER = (
    "3V3", "5V", "GND", "AGND", "VBUS", "VSYS", "VCC", "3V3_EN", "ADC_VREF",
    "EN", "RST", "RUN", "NC",
)  # fmt: skip

UsbNumber = Annotated[str, Field(pattern=r"^0x[0-9A-F]{4}$")]

CpuPin = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class I2C(_Strict):
    scl: CpuPin
    sda: CpuPin
    freq_hz: PositiveInt


class SPI(_Strict):
    sck: CpuPin
    mosi: CpuPin
    miso: CpuPin
    freq_hz: PositiveInt


class UART(_Strict):
    tx: CpuPin
    rx: CpuPin


BUSES: dict[str, type[_Strict]] = {"i2c": I2C, "spi": SPI, "uart": UART}


class Region(_Strict):
    """A part of the flash, start counted from its first byte."""

    name: Annotated[str, Field(min_length=1)]
    start: NonNegativeInt
    size_bytes: PositiveInt


class UsbId(_Strict):
    """mode: running MicroPython, the chip's boot ROM, or a USB-UART bridge that knows no board."""

    vid: UsbNumber
    pid: UsbNumber
    mode: Literal["repl", "boot", "bridge"]


class Headers(_Strict):
    """Silkscreen from the USB end down, seen from the front: labels, reserved CPU pins, POWER."""

    usb_at_top: bool
    left: Annotated[list[str], Field(min_length=1)]
    right: list[str]


class Currents(_Strict):
    """Microamperes at the supply, null: no source says. active: the CPU at work, radio off; radio:
    the radio listening; deep_sleep: null too where the port cannot. wake_ms: from the end of a
    deep sleep to the first line of main.py."""

    of: Literal["board", "chip"]
    active_ua: PositiveInt | None
    radio_ua: PositiveInt | None
    light_sleep_ua: PositiveInt | None
    deep_sleep_ua: PositiveInt | None
    wake_ms: PositiveInt | None
    source: Annotated[str, Field(min_length=1)]


class Hedge(_Strict):
    """Our own part: what the device code and the checks need to know."""

    port: Port
    firmware: Annotated[str, Field(pattern=r"^[A-Z0-9_]*(-[A-Z0-9_]+)?$")] = ""
    flash_method: FlashMethod
    mpy_arch: MpyArch
    flash_bytes: PositiveInt | None
    ram_bytes: PositiveInt | None
    psram_bytes: PositiveInt | None = None
    flash_layout: list[Region]
    usb: list[UsbId]
    headers: Headers | None
    heap_bytes_measured: PositiveInt | None
    currents: Currents | None = None
    buses: dict[str, I2C | SPI | UART]
    adc_pins: list[CpuPin]
    input_only: list[CpuPin] = []
    reserved: dict[CpuPin, str] = {}
    caution: dict[CpuPin, str] = {}
    source: Annotated[str, Field(min_length=1)]


# Keys of Hedge that hold tables of their own.
PARTS: dict[str, type[_Strict]] = {
    "flash_layout": Region,
    "usb": UsbId,
    "headers": Headers,
    "currents": Currents,
}


class BoardFile(_Strict):
    """MicroPython's keys (docs of its tools/autobuild) plus "hedge"."""

    product: str
    vendor: str
    mcu: Mcu
    url: str
    features: list[Feature]
    hedge: Hedge
    deploy: list[str] = []
    deploy_options: dict[str, str] = {}
    docs: str = ""
    images: list[str] = []
    thumbnail: str = ""
    variants: dict[str, str] = {}
