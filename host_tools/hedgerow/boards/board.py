"""One board, as the other rooms see it. Plain data with a few questions to ask it."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hedgerow.errors import ConfigError


@dataclass(frozen=True)
class I2CBus:
    """`machine.I2C(id)`; scl and sda are CPU pin names."""

    id: int
    scl: str
    sda: str
    freq_hz: int


@dataclass(frozen=True)
class SPIBus:
    """`machine.SPI(id)`; pins are CPU pin names."""

    id: int
    sck: str
    mosi: str
    miso: str
    freq_hz: int


@dataclass(frozen=True)
class UARTBus:
    """`machine.UART(id)`; pins are CPU pin names."""

    id: int
    tx: str
    rx: str


@dataclass(frozen=True)
class FlashRegion:
    """A part of the flash; start is counted from the flash's first byte."""

    name: str
    start: int
    size_bytes: int


@dataclass(frozen=True)
class UsbId:
    """mode: "repl" (MicroPython runs), "boot" (the boot ROM) or "bridge" (a USB-UART chip)."""

    vid: int
    pid: int
    mode: str


@dataclass(frozen=True)
class Currents:
    """Microamperes, None where no source says; of: "board" or only its "chip" (or module)."""

    of: str
    active_ua: int | None
    radio_ua: int | None
    light_sleep_ua: int | None
    deep_sleep_ua: int | None
    wake_ms: int | None
    source: str


@dataclass(frozen=True)
class Headers:
    """Silkscreen from the USB end down, seen from the front. usb_at_top: it has a USB end."""

    usb_at_top: bool
    left: tuple[str, ...]
    right: tuple[str, ...]


@dataclass(frozen=True)
class Board:
    """A board of boards/<name>/.

    pins maps a silkscreen label to a CPU pin ("GP26" -> "GPIO26"). All other fields that name
    pins hold CPU pins. Sizes are None where there is no fixed one (the Unix port) or no one has
    measured it yet (heap_bytes_measured: free heap after boot of the stock firmware).
    firmware is MicroPython's name of the image that runs on it. flash_method is "esptool", "uf2"
    or "none"; flash_offset, where an image starts in the flash, is None except for esptool.
    headers is None where there are none to draw, currents where there is no supply to draw from.
    Questions about a pin take a label, a CPU pin or the number in "GPIO<number>", and raise
    ConfigError, naming the pins that would do, if the answer is no.
    """

    name: str
    product: str
    vendor: str
    mcu: str
    url: str
    features: tuple[str, ...]
    port: str
    firmware: str
    flash_method: str
    flash_offset: int | None
    mpy_arch: str
    flash_bytes: int | None
    ram_bytes: int | None
    psram_bytes: int | None
    heap_bytes_measured: int | None
    flash_layout: tuple[FlashRegion, ...]
    usb: tuple[UsbId, ...]
    headers: Headers | None
    currents: Currents | None
    pins: Mapping[str, str]
    adc_pins: tuple[str, ...]
    input_only: tuple[str, ...]
    reserved: Mapping[str, str]
    caution: Mapping[str, str]
    i2c_buses: Mapping[str, I2CBus]
    spi_buses: Mapping[str, SPIBus]
    uart_buses: Mapping[str, UARTBus]
    source: str

    def pin(self, label: str | int) -> str:
        """CPU pin behind a label. Raises ConfigError if it does not exist or is taken."""
        cpu_pin = self._cpu_pin(label)
        if cpu_pin in self.reserved:
            raise ConfigError(f"{self.name}: pin {label} is taken: {self.reserved[cpu_pin]}")
        return cpu_pin

    def pin_id(self, label: str | int) -> int | str:
        """What `machine.Pin()` takes: the number of a GPIO, else the CPU pin's name."""
        cpu_pin = self.pin(label)
        number = cpu_pin.removeprefix("GPIO")
        return int(number) if number.isdigit() else cpu_pin

    def adc_pin(self, label: str | int) -> str:
        """As pin(); the pin must be able to measure a voltage."""
        cpu_pin = self.pin(label)
        if cpu_pin not in self.adc_pins:
            able = ", ".join(self.labels(self.adc_pins))
            raise ConfigError(f"{self.name}: pin {label} has no ADC; pins with one: {able}")
        return cpu_pin

    def output_pin(self, label: str | int) -> str:
        """As pin(); the pin must be able to drive a load."""
        cpu_pin = self.pin(label)
        if cpu_pin in self.input_only:
            able = ", ".join(self.labels(self.output_pins))
            raise ConfigError(f"{self.name}: pin {label} is input only; outputs: {able}")
        return cpu_pin

    def i2c_bus(self, name: str) -> I2CBus:
        """The bus named e.g. "i2c0"."""
        if name not in self.i2c_buses:
            able = ", ".join(self.i2c_buses) or "none"
            raise ConfigError(f"{self.name}: no I2C bus {name!r}; buses: {able}")
        return self.i2c_buses[name]

    @property
    def output_pins(self) -> tuple[str, ...]:
        """CPU pins that can be driven."""
        return tuple(
            pin
            for pin in dict.fromkeys(self.pins.values())
            if pin not in self.input_only and pin not in self.reserved
        )

    def labels(self, cpu_pins: Iterable[str] | None = None) -> list[str]:
        """First silkscreen label of each CPU pin (default: all free ones), in table order."""
        wanted = set(self.pins.values()) if cpu_pins is None else set(cpu_pins)
        first: dict[str, str] = {}
        for label, cpu_pin in self.pins.items():
            if cpu_pin in wanted and cpu_pin not in self.reserved:
                first.setdefault(cpu_pin, label)
        return list(first.values())

    def _cpu_pin(self, label: str | int) -> str:
        key = f"GPIO{label}" if isinstance(label, int) else label
        if key in self.pins:
            return self.pins[key]
        if key in self.pins.values() or key in self.reserved:
            return key
        raise ConfigError(f"{self.name}: no pin {label!r}; {self._hint(key)}")

    def _hint(self, key: str) -> str:
        """The same number under another name, else the same letters, else all pins."""
        number = re.search(r"\d+$", key)
        cpu_pin = f"GPIO{number[0]}" if number else ""
        if cpu_pin in self.reserved:
            return f"{cpu_pin} is taken: {self.reserved[cpu_pin]}"
        near = self.labels([cpu_pin])
        if not number:
            near = difflib.get_close_matches(key.upper(), self.pins, n=1)
        return f"did you mean {near[0]}?" if near else f"pins: {', '.join(self.labels())}"
