"""The emulated RP2040 as a process: requests to it, and the answers to its questions.

The lines of JSON are described in serve.mjs and wiring.mjs.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hedgerow.emulate.pico.wiring import Wiring
from hedgerow.emulate.pipe_line import PipeLine
from hedgerow.errors import DeviceError
from hedgerow.toolchain.pico import ensure_pico

_SCRIPT = Path(__file__).parent / "serve.mjs"
_ANSWER_S = 30.0  # of the emulator itself, beyond what the program is given
FLASH_BYTES = 2 * 1024 * 1024


class PowerCut(DeviceError):
    """The power was cut where cut_power_at() said; `operation` counts from the start."""

    def __init__(self, name: str, operation: int) -> None:
        super().__init__(f"{name}: the power was cut at flash operation {operation}")
        self.operation = operation


class PicoChip:
    """A chip that has power and waits for talk() or step(); a Link of the raw REPL.

    flash_file: keeps the 2 MB of flash between runs, saved by close(); None forgets them.
    Raises ToolchainError if a part is missing, DeviceError if a file is no flash image.
    """

    name = "pico"

    def __init__(self, *, flash_file: Path | None = None) -> None:
        _check_flash_file(flash_file)
        parts = ensure_pico()
        command: list[str | Path] = ["node", _SCRIPT, parts.rp2040js, parts.boot_rom]
        command += [parts.firmware] if flash_file is None else [parts.firmware, flash_file]
        self._flash_file = flash_file
        self.wiring = Wiring(self._wire)
        self._asking = False
        self._line = PipeLine(self.name, command)

    def talk(self, send: bytes, until: bytes, timeout_s: float) -> dict[str, Any]:
        """Answer of "talk": "ended" and the bytes "received"."""
        request = {"send": _base64(send), "until": _base64(until), "timeout_s": timeout_s}
        answer = self._ask("talk", timeout_s, request)
        return {**answer, "received": base64.b64decode(answer["received"])}

    def step(self, send: bytes, run_ns: int | None, wall_s: float) -> tuple[bytes, int | None]:
        """Run for run_ns of the chip's time (None: until it sleeps), for wall_s of ours at most.

        Returns what it wrote, and for how many ns it then sleeps: 0 if it is awake, None until
        something from outside wakes it.
        """
        request = {"send": _base64(send), "nanos": run_ns, "wall_ms": 1000 * wall_s}
        answer = self._ask("step", wall_s, request)
        return base64.b64decode(answer["received"]), answer["sleeps_ns"]

    def poke(self, address: int, data: bytes) -> None:
        """Write into flash or RAM."""
        self._ask("poke", fields={"address": address, "data": _base64(data)})

    def status(self) -> dict[str, Any]:
        """cycles since reset, flash_operations since the start, warnings of the emulator."""
        return self._ask("status")

    def reset(self, flash: bytes | None = None) -> None:
        """As the reset pin does, or as power that returns; flash: 2 MB to begin with."""
        if flash is not None and len(flash) != FLASH_BYTES:
            raise DeviceError(f"{self.name}: a flash has {FLASH_BYTES} bytes, not {len(flash)}")
        fields = {} if flash is None else {"flash": _base64(zlib.compress(flash, 1))}
        self._ask("reset", fields=fields)

    def flash(self) -> bytes:
        """The 2 MB as they are now."""
        return zlib.decompress(base64.b64decode(self._ask("flash")["flash"]))

    def cut_power_at(self, operation: int | None, *, torn: bool = False) -> None:
        """Cut the power at the nth flash operation from now, 1 is the next; None: never.

        That operation does not happen, or, torn, to the first half of its bytes. What runs then
        raises PowerCut; reset() gives the power back.
        """
        if operation is not None and operation < 1:
            raise DeviceError(f"{self.name}: there is no flash operation {operation}: from 1 on")
        self._ask("cut", fields={"after": operation or 0, "torn": torn})

    def save_flash(self) -> None:
        """Write flash_file as the flash is now."""
        if self._flash_file is None:
            raise DeviceError(f"{self.name}: there is no flash file to save to: give flash_file=")
        self._ask("save")

    def close(self) -> None:
        try:
            if self._flash_file is not None:
                self.save_flash()
        finally:
            self._line.close()

    def kill(self) -> None:
        """End without saving."""
        self._line.close()

    def _wire(self, fields: Mapping[str, object]) -> None:
        self._ask("wire", fields=fields)

    def _ask(
        self, op: str, timeout_s: float = 0.0, fields: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        if self._asking:
            raise DeviceError(f"{self.name}: a chip on its pins cannot run programs on it")
        self._asking = True
        try:
            answer = self._exchange({"op": op, **(fields or {})}, timeout_s)
        finally:
            self._asking = False
        if "fault" in answer:
            raise DeviceError(f"{self.name}: {answer['fault']}")
        if "cut" in answer:
            raise PowerCut(self.name, answer["cut"])
        return answer

    def _exchange(self, message: Mapping[str, object], timeout_s: float) -> dict[str, Any]:
        """Send; answer questions until the answer comes."""
        while True:
            line = json.dumps(message).encode() + b"\n"
            answer: dict[str, Any] = json.loads(
                self._line.talk(line, b"\n", timeout_s + _ANSWER_S)
            )
            if "ask" not in answer:
                return answer
            message = self.wiring.answer(answer)


def _check_flash_file(path: Path | None) -> None:
    if path is None or not path.exists():
        return
    if not path.is_file() or path.stat().st_size != FLASH_BYTES:
        raise DeviceError(
            f"{path}: not a flash image of a Pico, which has {FLASH_BYTES} bytes: "
            "name another file; one that does not exist is made"
        )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
