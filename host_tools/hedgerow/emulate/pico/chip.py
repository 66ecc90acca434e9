"""The emulated RP2040 as a process: requests to it, and the answers to its questions.

The lines of JSON are described in serve.mjs and wiring.mjs.
"""

import base64
import dataclasses
import fcntl
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

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


@dataclasses.dataclass(frozen=True)
class Step:
    """written: on the serial line. sleeps_ns: 0, it is awake; None, until something wakes it.

    now_ns: the chip's time, counted on through resets.
    """

    written: bytes
    sleeps_ns: int | None
    now_ns: int


@dataclasses.dataclass(frozen=True)
class FlashOperation:
    """data: what then lies in the `count` bytes from `offset` of the flash; None: erased."""

    offset: int
    count: int
    data: bytes | None


class PicoChip:
    """A chip that has power and waits for talk() or step(); a Link of the raw REPL.

    flash_file: the 2 MB of flash, in which each operation is done as it happens; made if it does
    not exist. None: forgotten at the end. region_kb: of the firmware, as ensure_pico() has it.
    Raises ToolchainError if a part is missing, DeviceError if the file is no flash image or in
    use, UsageError if no region is that large.
    """

    name = "pico"

    def __init__(self, *, flash_file: Path | None = None, region_kb: int = 0) -> None:
        parts = ensure_pico(region_kb=region_kb)
        self._flash_file = None if flash_file is None else _open_flash_file(flash_file)
        command: list[str | Path] = ["node", _SCRIPT, parts.rp2040js, parts.boot_rom]
        command += [parts.firmware] if flash_file is None else [parts.firmware, flash_file]
        self.wiring = Wiring(self._wire)
        self._asking = False
        self._line = PipeLine(self.name, command)

    def talk(self, send: bytes, until: bytes, timeout_s: float) -> dict[str, Any]:
        """Answer of "talk": "ended" and the bytes "received"."""
        request = {"send": _base64(send), "until": _base64(until), "timeout_s": timeout_s}
        answer = self._ask("talk", timeout_s, request)
        return {**answer, "received": base64.b64decode(answer["received"])}

    def step(self, send: bytes, run_ns: int | None, wall_s: float) -> Step:
        """Run for run_ns of its time (None: until it sleeps), for wall_s of ours at most."""
        request = {"send": _base64(send), "nanos": run_ns, "wall_ms": 1000 * wall_s}
        answer = self._ask("step", wall_s, request)
        return Step(base64.b64decode(answer["received"]), answer["sleeps_ns"], answer["ns"])

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

    def record_flash(self) -> None:
        """Keep the flash operations from now on, for recorded_flash()."""
        self._ask("record", fields={"on": True})

    def recorded_flash(self) -> list[FlashOperation]:
        """Those since record_flash(), which ends; one that the power was cut at is not there."""
        rows = self._ask("record", fields={"on": False})["operations"]
        return [
            FlashOperation(offset, count, None if data is None else base64.b64decode(data))
            for offset, count, data in rows
        ]

    def close(self) -> None:
        self._line.close()
        if self._flash_file is not None:
            self._flash_file.close()

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


def _open_flash_file(path: Path) -> BinaryIO:
    """Open and locked, so that two emulators do not write the same flash; made if need be."""
    try:
        file = path.open("r+b" if path.exists() else "x+b")
    except OSError as error:
        raise DeviceError(f"{path}: cannot open the flash image: {error.strerror}") from error
    try:
        _lock(file, path)
        _check_size(file, path)
    except BaseException:
        file.close()
        raise
    return file


def _lock(file: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise DeviceError(f"{path}: another emulator runs on this flash image: end it") from error


def _check_size(file: BinaryIO, path: Path) -> None:
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        file.write(b"\xff" * FLASH_BYTES)
        file.flush()
    elif size != FLASH_BYTES:
        raise DeviceError(
            f"{path}: not a flash image of a Pico, which has {FLASH_BYTES} bytes: "
            "name another file; one that does not exist is made"
        )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
