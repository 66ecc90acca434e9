"""The emulated Pico as a machine of console.serve: it boots, and runs at its pace."""

from hedgerow.emulate.console import Pace
from hedgerow.emulate.pico.chip import PicoChip

_WALL_S = 0.02  # at most so long does input wait for the chip
_ANSWER_NS = 5000000  # by which input may let it run ahead: it answers at once
_AWAKE_NS = 20000000  # at most so long past a skipped sleep: then its reader may answer


class PicoMachine:
    """speed: of its time against ours, None: sleeps take no time at all.

    now_ns: the chip's time. next_ns: when it will run next, if no input comes.
    """

    def __init__(self, chip: PicoChip, speed: float | None = 1.0) -> None:
        self._chip = chip
        self._speed = speed
        self._pace = Pace(speed)
        self.now_ns = self.next_ns = 0

    def set_speed(self, speed: float | None) -> None:
        """From now on; time goes on from here."""
        if speed != self._speed:
            self._speed, self._pace = speed, Pace(speed)
            self._pace.fell_behind(self.now_ns)

    def filenos(self) -> list[int]:
        return []

    def step(self, received: bytes) -> tuple[bytes, float | None]:
        """As Machine.step(). Raises PowerCut, DeviceError if the program would stop a board."""
        if self._speed is None:
            awake_ns = _ANSWER_NS if received else self.next_ns - self.now_ns + _AWAKE_NS
            return self._run(received, awake_ns)
        written, wait_s = self._run(b"", self._pace.left_ns(self.now_ns))
        if received:
            answer, wait_s = self._run(received, _ANSWER_NS)
            written += answer
        return written, wait_s

    def _run(self, received: bytes, run_ns: int | None) -> tuple[bytes, float | None]:
        step = self._chip.step(received, None if run_ns is None else max(0, run_ns), _WALL_S)
        self.now_ns = step.now_ns
        self.next_ns = step.now_ns + (step.sleeps_ns or 0)
        left_ns = self._pace.left_ns(self.now_ns)
        if step.sleeps_ns == 0 and left_ns is not None and left_ns > 0:
            self._pace.fell_behind(self.now_ns)
        return step.written, self._pace.wait_s(self.now_ns, step.sleeps_ns)
