"""What may stand in board.json: MicroPython's own keys, and ours under "hedge"."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

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


class Hedge(_Strict):
    """Our own part: what the device code and the checks need to know."""

    port: Port
    flash_bytes: PositiveInt | None
    ram_bytes: PositiveInt | None
    heap_bytes_measured: PositiveInt | None
    buses: dict[str, I2C | SPI | UART]
    adc_pins: list[CpuPin]
    input_only: list[CpuPin] = []
    reserved: dict[CpuPin, str] = {}
    caution: dict[CpuPin, str] = {}
    source: Annotated[str, Field(min_length=1)]


class BoardFile(_Strict):
    """MicroPython's keys (docs of its tools/autobuild) plus "hedge"."""

    product: str
    vendor: str
    mcu: str
    url: str
    features: list[Feature]
    hedge: Hedge
    deploy: list[str] = []
    deploy_options: dict[str, str] = {}
    docs: str = ""
    images: list[str] = []
    thumbnail: str = ""
    variants: dict[str, str] = {}
