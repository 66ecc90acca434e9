"""The emulated Raspberry Pi Pico as a board."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hedgerow.emulate.board import EmulatedBoard, Region
from hedgerow.emulate.pipe_line import PipeLine
from hedgerow.emulate.raw_repl import timeout_text
from hedgerow.errors import DeviceError
from hedgerow.toolchain.pico import ensure_pico

_SCRIPT = Path(__file__).parent / "serve.mjs"
# A Pico has 2 MB of flash; the emulated chip's further 14 MB hold blobs, seen through XIP too.
_BLOBS = (0x10200000, 0x11000000)
_CYCLES = 0x40068000  # emulator.mjs: no peripheral of the RP2040 lies there
_IMPORTS = "import machine"
_ANSWER_S = 30.0  # of the emulator itself, beyond what the program is given


class PicoBoard(EmulatedBoard):
    """flash_file: keeps the 2 MB of flash between runs, saved by close(); None forgets them.

    Raises ToolchainError if a part is missing, DeviceError if it does not start.
    """

    name = "pico"
    native_arch = "armv6m"
    cycles_expr = f"machine.mem32[{_CYCLES:#x}]"
    cycles_unit = "cycle"
    cycles_wrap = 2**30

    def __init__(self, *, flash_file: Path | None = None) -> None:
        parts = ensure_pico()
        command: list[str | Path] = ["node", _SCRIPT, parts.rp2040js, parts.boot_rom]
        command += [parts.firmware] if flash_file is None else [parts.firmware, flash_file]
        self._flash_file = flash_file
        self._line = PipeLine(self.name, command)
        super().__init__(self, Region(*_BLOBS))
        try:
            self.start(_IMPORTS)
        except BaseException:
            self._line.close()
            raise

    def talk(self, send: bytes, until: bytes, timeout_s: float) -> bytes:
        """Link of the raw REPL."""
        request = {"send": _base64(send), "until": _base64(until), "timeout_s": timeout_s}
        answer = self._ask("talk", timeout_s, request)
        received = base64.b64decode(answer["received"])
        if answer["ended"] == "timeout":
            raise DeviceError(timeout_text(self.name, timeout_s, received))
        if answer["ended"] == "asleep":
            raise DeviceError(f"{self.name}: the program sleeps and nothing will wake it")
        return received

    def poke(self, address: int, data: bytes) -> None:
        self._ask("poke", 0.0, {"address": address, "data": _base64(data)})

    def status(self) -> dict[str, Any]:
        """cycles since reset, flash_operations since the start, warnings of the emulator."""
        return self._ask("status")

    def reset(self) -> None:
        """Start the chip anew, as its reset pin does; flash, blobs and their addresses stay."""
        self._ask("reset")
        self.start(_IMPORTS)

    def save_flash(self) -> None:
        """Write flash_file as the flash is now."""
        if self._flash_file is None:
            raise DeviceError("pico: there is no flash file to save to: give flash_file=")
        self._ask("save")

    def close(self) -> None:
        try:
            if self._flash_file is not None:
                self.save_flash()
        finally:
            self._line.close()

    def _ask(
        self, op: str, timeout_s: float = 0.0, fields: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        request = json.dumps({"op": op, **(fields or {})}).encode() + b"\n"
        line = self._line.talk(request, b"\n", timeout_s + _ANSWER_S)
        answer: dict[str, Any] = json.loads(line)
        if "fault" in answer:
            raise DeviceError(f"{self.name}: {answer['fault']}")
        return answer


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
