"""The bed of soil around an emulated Pico: what a node file wires up hangs on its pins.

    machine = FieldMachine(PicoMachine(chip), chip.wiring, plan, world, start_s)
    serve(machine, endpoints)

DESIGN: the same scene, chips and field as on the Unix port; only the pins are others.
"""

from collections.abc import Mapping
from typing import Any

from hedgerow.emulate.pico.machine import PicoMachine
from hedgerow.emulate.pico.wiring import Wiring
from hedgerow.emulate.scene import Scene


class _Bench:
    """The bench functions of the fake machine, with a plan's names of buses, on a Pico's pins."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wiring, name)

    def attach_i2c(self, bus: str, addr: int, chip: Any) -> None:
        self._wiring.attach_i2c(int(bus.removeprefix("i2c")), addr, chip)


class FieldMachine:
    """A machine of console.serve: a Pico whose sensors show a world, whose pump waters it.

    plan: a compiled node file. world: as sim/world.py makes it. start_s: the world's time, seconds
    since 1970, when the chip's was 0. The world goes on while the chip has no power.
    """

    def __init__(
        self,
        machine: PicoMachine,
        wiring: Wiring,
        plan: Mapping[str, Any],
        world: Mapping[str, Any],
        start_s: int,
    ) -> None:
        self._machine = machine
        self._start_s = start_s
        self.scene = Scene(plan, world, start_s, wiring.now_ms, bench=_Bench(wiring))
        self.scene.connect_pumps(lambda: None)

    @property
    def now_s(self) -> float:
        """The world's time."""
        return self._start_s + self._machine.now_ns / 1e9

    def filenos(self) -> list[int]:
        return self._machine.filenos()

    def step(self, received: bytes) -> tuple[bytes, float | None]:
        """As PicoMachine.step(); the world is first brought to where the chip will be."""
        self.scene.advance(self._start_s + self._machine.next_ns / 1e9)
        return self._machine.step(received)
