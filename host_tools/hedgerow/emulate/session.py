"""One emulated board with a serial line that other programs open; what `hedgerow emulate` runs."""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from hedgerow.emulate.console import Machine, serve
from hedgerow.emulate.endpoints import Endpoint, Pty, TcpPort
from hedgerow.emulate.pico.chip import PicoChip
from hedgerow.emulate.pico.machine import PicoMachine
from hedgerow.emulate.qemu.machine import open_qemu_machine
from hedgerow.errors import UsageError
from hedgerow.toolchain.qemu import BOARDS as QEMU_BOARDS

PICO = "RPI_PICO"  # of boards/
_WEATHER_DAYS = 1461  # then the field stops: four years
BOARDS = ("pico", *(f"qemu-{name}" for name in QEMU_BOARDS))


@dataclasses.dataclass(frozen=True)
class Line:
    """Where the serial line can be opened. port: of TCP on loopback, 0 is any free one."""

    pty: bool = True
    link: Path | None = None
    port: int | None = None


@dataclasses.dataclass(frozen=True)
class PicoOptions:
    """flash, region_kb, cut_at, torn: as PicoBoard has them; speed: as PicoMachine. node: a node
    file, whose sensors and pump are on its pins, in a simulated field whose time is ours when it
    begins."""

    flash: Path | None = None
    region_kb: int = 0
    cut_at: int | None = None
    torn: bool = False
    speed: float | None = 1.0
    node: Path | None = None


def run_session(
    board: str, line: Line, options: PicoOptions, announce: Callable[[Sequence[str]], None]
) -> None:
    """Run until an exception ends it; announce() gets the addresses for `mpremote connect`.

    Raises PowerCut where options say so, DeviceError if the board stops or a place is taken,
    ToolchainError if a part is missing, UsageError if there is nowhere to connect to.
    """
    with _endpoints(line) as endpoints, _machine(board, options) as machine:
        announce([endpoint.address for endpoint in endpoints])
        serve(machine, endpoints)


@contextlib.contextmanager
def _endpoints(line: Line) -> Iterator[list[Endpoint]]:
    with contextlib.ExitStack() as cleanup:
        found: list[Endpoint] = []
        if line.pty or line.link is not None:
            found.append(cleanup.enter_context(contextlib.closing(Pty(line.link))))
        if line.port is not None:
            found.append(cleanup.enter_context(contextlib.closing(TcpPort(line.port))))
        if not found:
            raise UsageError("nowhere to connect to: give --pty, --link or --port")
        yield found


@contextlib.contextmanager
def _machine(board: str, options: PicoOptions) -> Iterator[Machine]:
    if board == "pico":
        with contextlib.closing(_open_pico(options)) as chip:
            chip.cut_power_at(options.cut_at, torn=options.torn)
            machine = PicoMachine(chip, options.speed)
            yield machine if options.node is None else _in_field(machine, chip, options.node)
        return
    if options != PicoOptions():
        raise UsageError(f"{board}: the options from --flash on are of the pico only")
    with contextlib.closing(open_qemu_machine(board.removeprefix("qemu-"))) as machine:
        yield machine


def _open_pico(options: PicoOptions) -> PicoChip:
    return PicoChip(flash_file=options.flash, region_kb=options.region_kb)


def _in_field(machine: PicoMachine, chip: PicoChip, node_file: Path) -> Machine:
    """Raises ConfigError with all mistakes of the node file."""
    from hedgerow.config import compile_file
    from hedgerow.emulate.pico.field import FieldMachine
    from hedgerow.emulate.weather import load_weather
    from hedgerow.sim.world import field_world

    plan = compile_file(node_file)
    if plan["board"]["name"] != PICO:
        raise UsageError(f'{node_file}: board = "{plan["board"]["name"]}": this one is a {PICO}')
    start_s = int(time.time())
    first = datetime.fromtimestamp(start_s + plan["node"]["offset_s"], UTC).date()
    weather = load_weather("seattle", first, _WEATHER_DAYS)
    world = field_world(plan, weather, seed=0, dry_pct=plan["thresholds"].get("dry_pct"))
    return FieldMachine(machine, chip.wiring, plan, world, start_s)
