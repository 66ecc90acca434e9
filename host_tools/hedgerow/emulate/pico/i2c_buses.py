"""I2C chips on the two controllers of the chip: answers to the questions of wiring.mjs."""

from collections.abc import Mapping
from typing import Any

_N_BUSES = 2
_HZ_TOLERANCE = 1.01  # the SDK divides the clock by a whole number

Question = Mapping[str, Any]
Answer = Mapping[str, object]


class I2CBuses:
    """Chips: as in unix/fake_machine/i2c.py. A bus faster than a chip's max_hz is not heard."""

    def __init__(self) -> None:
        self.chips: dict[int, dict[int, Any]] = {}
        self._selected: dict[int, Any] = {}  # bus -> chip of the transfer that is under way

    @staticmethod
    def has(bus: int) -> bool:
        return bus in range(_N_BUSES)

    def stuck(self, question: Question) -> Answer:
        chips = self.chips[question["bus"]].values()
        return {"stuck": any(getattr(chip, "holds_bus", False) for chip in chips)}

    def start(self, question: Question) -> Answer:
        chip = self.chips[question["bus"]].get(question["addr"])
        if chip is not None and question["hz"] > _HZ_TOLERANCE * getattr(chip, "max_hz", 1e9):
            chip = None
        self._selected[question["bus"]] = chip
        if chip is None:
            return {"ack": False}
        stretch_ns = 1000 * getattr(chip, "stretch_us", 0)
        return {"ack": bool(chip.start(question["reading"])), "stretch_ns": stretch_ns}

    def write(self, question: Question) -> Answer:
        return {"ack": bool(self._selected[question["bus"]].write(question["byte"]))}

    def read(self, question: Question) -> Answer:
        return {"byte": self._selected[question["bus"]].read() & 0xFF}

    def stop(self, question: Question) -> Answer:
        self._selected[question["bus"]].stop()
        return {}
