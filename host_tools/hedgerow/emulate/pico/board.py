"""The emulated Raspberry Pi Pico as a board."""

import base64
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hedgerow.emulate.board import EmulatedBoard, Region
from hedgerow.emulate.raw_repl import timeout_text
from hedgerow.errors import DeviceError
from hedgerow.toolchain.pico import ensure_pico
from hedgerow.transport.unix_process import die_with_parent

_SCRIPT = Path(__file__).parent / "serve.mjs"
# A Pico has 2 MB of flash; the emulated chip's further 14 MB hold blobs, seen through XIP too.
_BLOBS = (0x10200000, 0x11000000)
_CYCLES = 0x40068000  # emulator.mjs: no peripheral of the RP2040 lies there
_STOP_S = 5.0


class PicoBoard(EmulatedBoard):
    """flash_file: keeps the 2 MB of flash between runs; None forgets them.

    Raises ToolchainError if a part is missing, DeviceError if it does not start.
    """

    name = "pico"
    native_arch = "armv6m"
    cycles_expr = f"machine.mem32[{_CYCLES:#x}]"
    cycles_unit = "cycle"
    cycles_wrap = 2**30

    def __init__(self, *, flash_file: Path | None = None) -> None:
        self._flash_file = flash_file
        self._errors = tempfile.TemporaryFile()
        self._process = self._start_node()
        super().__init__(self, Region(*_BLOBS))
        try:
            self.start("import machine")
        except BaseException:
            self.close()
            raise

    def _start_node(self) -> subprocess.Popen[bytes]:
        parts = ensure_pico()
        command = ["node", _SCRIPT, parts.rp2040js, parts.boot_rom, parts.firmware]
        command += [self._flash_file] if self._flash_file else []
        return subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            preexec_fn=die_with_parent,
        )

    def talk(self, send: bytes, until: bytes, timeout_s: float) -> bytes:
        """Link of the raw REPL."""
        request = {"send": _base64(send), "until": _base64(until), "timeout_s": timeout_s}
        answer = self._ask("talk", **request)
        received = base64.b64decode(answer["received"])
        if answer["ended"] == "timeout":
            raise DeviceError(timeout_text(self.name, timeout_s, received))
        if answer["ended"] == "asleep":
            raise DeviceError(f"{self.name}: the program sleeps and nothing will wake it")
        return received

    def poke(self, address: int, data: bytes) -> None:
        self._ask("poke", address=address, data=_base64(data))

    def status(self) -> dict[str, Any]:
        """cycles since reset, flash_operations since the start, warnings of the emulator."""
        return self._ask("status")

    def save_flash(self) -> None:
        """Write flash_file; close() does so too."""
        if self._flash_file is None:
            raise DeviceError("pico: there is no flash file to save to: give flash_file=")
        self._ask("save")

    def close(self) -> None:
        if self._flash_file is not None and self._process.poll() is None:
            self.save_flash()
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _ask(self, op: str, **fields: object) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"op": op, **fields}).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise DeviceError(self._ended()) from error
        line = self._process.stdout.readline()
        if not line:
            raise DeviceError(self._ended())
        answer: dict[str, Any] = json.loads(line)
        if "fault" in answer:
            raise DeviceError(f"{self.name}: {answer['fault']}")
        return answer

    def _ended(self) -> str:
        self._process.wait(_STOP_S)
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()[-6:]
        return "\n  ".join([f"{self.name}: the emulator ended", *said])


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
