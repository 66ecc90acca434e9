"""The emulated Raspberry Pi Pico as a board."""

from pathlib import Path
from typing import Any

from hedgerow.emulate.board import EmulatedBoard, Region
from hedgerow.emulate.pico.chip import FlashOperation, PicoChip
from hedgerow.emulate.raw_repl import timeout_text
from hedgerow.errors import DeviceError

# A Pico has 2 MB of flash; the emulated chip's further 14 MB hold blobs, seen through XIP too.
_BLOBS = (0x10200000, 0x11000000)
_CYCLES = 0x40068000  # emulator.mjs: no peripheral of the RP2040 lies there
_IMPORTS = "import machine"


class PicoBoard(EmulatedBoard):
    """flash_file, region_kb: as PicoChip has them.

    cut_at, torn: as cut_power_at(); strikes as it boots, too: a blank flash is formatted then.
    Chips are attached to its pins as in wiring.py.
    Raises ToolchainError if a part is missing, DeviceError if it does not start, PowerCut.
    """

    name = PicoChip.name
    native_arch = "armv6m"
    cycles_expr = f"machine.mem32[{_CYCLES:#x}]"
    cycles_unit = "cycle"
    cycles_wrap = 2**30

    def __init__(
        self,
        *,
        flash_file: Path | None = None,
        region_kb: int = 0,
        cut_at: int | None = None,
        torn: bool = False,
    ) -> None:
        self._chip = PicoChip(flash_file=flash_file, region_kb=region_kb)
        super().__init__(self, Region(*_BLOBS))
        wiring = self._chip.wiring
        self.now_ms, self.now_ns = wiring.now_ms, wiring.now_ns
        self.attach_i2c, self.detach_i2c = wiring.attach_i2c, wiring.detach_i2c
        self.attach_spi, self.attach_uart = wiring.attach_spi, wiring.attach_uart
        self.attach_adc, self.attach_dht = wiring.attach_adc, wiring.attach_dht
        self.attach_onewire, self.detach_onewire = wiring.attach_onewire, wiring.detach_onewire
        self.attach_bitstream, self.attach_pulse = wiring.attach_bitstream, wiring.attach_pulse
        self.pwm_on, self.each_ms = wiring.pwm_on, wiring.each_ms
        self.on_pin, self.drive_pin, self.pin = wiring.on_pin, wiring.drive_pin, wiring.pin
        try:
            self._chip.cut_power_at(cut_at, torn=torn)
            self.start(_IMPORTS)
        except BaseException:
            self._chip.close()
            raise

    def talk(self, send: bytes, until: bytes, timeout_s: float) -> bytes:
        """Link of the raw REPL."""
        answer = self._chip.talk(send, until, timeout_s)
        received: bytes = answer["received"]
        if answer["ended"] == "timeout":
            raise DeviceError(timeout_text(self.name, timeout_s, received))
        if answer["ended"] == "asleep":
            raise DeviceError(f"{self.name}: the program sleeps and nothing will wake it")
        return received

    def poke(self, address: int, data: bytes) -> None:
        self._chip.poke(address, data)

    def status(self) -> dict[str, Any]:
        """As PicoChip.status()."""
        return self._chip.status()

    def flash(self) -> bytes:
        """The 2 MB of flash as they are now."""
        return self._chip.flash()

    def cut_power_at(self, operation: int | None, *, torn: bool = False) -> None:
        """As PicoChip.cut_power_at(); exec() and put() then raise PowerCut."""
        self._chip.cut_power_at(operation, torn=torn)

    def record_flash(self) -> None:
        """As PicoChip.record_flash()."""
        self._chip.record_flash()

    def recorded_flash(self) -> list[FlashOperation]:
        """As PicoChip.recorded_flash()."""
        return self._chip.recorded_flash()

    def reset(self, flash: bytes | None = None) -> None:
        """Start the chip anew, as its reset pin does or power that returns.

        Blobs and their addresses stay, and so does the flash, if none is given (2 MB).
        """
        self._chip.reset(flash)
        self.start(_IMPORTS)

    def close(self) -> None:
        self._chip.close()
