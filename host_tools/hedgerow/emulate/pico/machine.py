"""The emulated Pico as a machine of console.serve: it boots, and runs at its pace."""

from hedgerow.emulate.console import Pace
from hedgerow.emulate.pico.chip import PicoChip

_WALL_S = 0.02  # at most so long does input wait for the chip
_ANSWER_NS = 5000000  # by which input may let it run ahead: it answers at once


class PicoMachine:
    """speed: of its time against ours, None: sleeps take no time at all."""

    def __init__(self, chip: PicoChip, speed: float | None = 1.0) -> None:
        self._chip = chip
        self._pace = Pace(speed)
        self._now_ns = 0

    def filenos(self) -> list[int]:
        return []

    def step(self, received: bytes) -> tuple[bytes, float | None]:
        """As Machine.step(). Raises PowerCut, DeviceError if the program would stop a board."""
        written, wait_s = self._run(b"", self._pace.left_ns(self._now_ns))
        if received:
            answer, wait_s = self._run(received, _ANSWER_NS)
            written += answer
        return written, wait_s

    def _run(self, received: bytes, run_ns: int | None) -> tuple[bytes, float | None]:
        step = self._chip.step(received, None if run_ns is None else max(0, run_ns), _WALL_S)
        self._now_ns = step.now_ns
        left_ns = self._pace.left_ns(self._now_ns)
        if step.sleeps_ns == 0 and left_ns is not None and left_ns > 0:
            self._pace.fell_behind(self._now_ns)
        return step.written, self._pace.wait_s(self._now_ns, step.sleeps_ns)
