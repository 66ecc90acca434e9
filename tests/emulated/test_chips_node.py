"""The soil node of firmware/apps on the emulated Pico: probe, filter, rule, pump, log on flash."""

import ast

import pytest

from hedgerow import paths
from hedgerow.emulate.chips.pump import Pump
from hedgerow.emulate.chips.soil_probe import SoilProbe
from hedgerow.emulate.pico.board import PicoBoard
from hedgerow.emulate.pico.chip import PowerCut
from hedgerow.toolchain.mpy import compile_mpy

LEFT_OUT = ("infer", "learn", "net")  # packages that this node does not use
DRIVERS = ("__init__", "adc_mv", "relay", "soil_probe")
HOURS = 9
# From midnight of a day in June, so that the rule's window, 4 to 8 h, lies in the run.
RUN = """
import asyncio
import os
import soil_node
from hedge.board import Board
from hedge.core import clock, log
clock.set_epoch_s(1717545600 + {start_s})
node = soil_node.build(Board({{"name": "RPI_PICO", "port": "rp2"}}), "")
async def run():
    try:
        await asyncio.wait_for(node.run(), {hours} * 3600)
    except asyncio.TimeoutError:
        pass
asyncio.run(run())
stats = node.stats()
print(repr([stats[name] for name in ("decisions", "actuations", "tick_errors", "records_lost")]))
print(repr(os.listdir("/store")))
"""


@pytest.fixture(scope="module")
def flash(need_target, tmp_path_factory):
    """Of a Pico with the package and the app on it."""
    need_target("pico")
    folder = tmp_path_factory.mktemp("mpy")
    with PicoBoard() as board:
        install(board, folder)
        return board.flash()


@pytest.fixture
def pico(flash):
    with PicoBoard() as board:
        board.reset(flash)
        yield board


@pytest.fixture
def pump(pico):
    probe = SoilProbe(dry_mv=2400, wet_mv=1100)  # as soil_node.py has it
    probe.vwc_pct = 12.0
    pico.attach_adc(26, probe)
    pump = Pump(pico.now_ms, litres_per_min=10)
    pico.on_pin(15, pump.on_level)
    return pump


def install(board, folder):
    """Compile and copy what the node uses; three quarters of this file's time."""
    top = paths.firmware_dir()
    sources = {path.relative_to(top): path for path in sorted((top / "hedge").rglob("*.py"))}
    made = set()
    for name, source in sources.items():
        package, parts = str(name.parent), name.parts
        if parts[1] in LEFT_OUT or (parts[1] == "drivers" and name.stem not in DRIVERS):
            continue
        if package not in made:
            board.exec(f"import os\nos.mkdir({package!r})")
            made.add(package)
        put_compiled(board, source, str(name.with_suffix(".mpy")), folder)
    put_compiled(board, top / "apps" / "soil_node.py", "soil_node.mpy", folder)


def put_compiled(board, source, name, folder):
    compile_mpy(source, folder / "out.mpy", arch=board.native_arch)
    board.put(name, (folder / "out.mpy").read_bytes())


def run(pico, start_s=0, hours=HOURS):
    """[decisions, actuations, tick_errors, records_lost] and the files of the log."""
    lines = pico.exec(RUN.format(start_s=start_s, hours=hours), timeout_s=120).splitlines()
    return [ast.literal_eval(line) for line in lines[-2:]]


def test_dry_soil_is_watered_once_in_the_morning(pico, pump):
    (decisions, actuations, errors, lost), files = run(pico)
    assert (decisions, actuations, errors, lost) == (HOURS * 4, 1, 0, 0)
    (began_ms, ended_ms) = pump.runs[0]
    assert abs(ended_ms - began_ms - 900_000) < 100
    assert abs(pump.total_litres() - 150) < 0.1
    assert any(name.endswith(".log") for name in files)


def test_a_cut_while_the_pump_runs_stops_it_and_the_node_goes_on(pico, pump, flash):
    before = pico.status()["flash_operations"]
    run(pico, hours=4.1)  # the last that it writes is that the pump is on
    operation = pico.status()["flash_operations"] - before
    pico.reset(flash)
    pico.cut_power_at(operation, torn=True)
    with pytest.raises(PowerCut):
        run(pico)
    assert pump.is_on
    pico.cut_power_at(None)
    pico.reset()
    assert not pump.is_on
    (decisions, _, errors, _), files = run(pico, start_s=86400)
    assert (decisions, errors) == (HOURS * 4, 0)
    assert "boot-00000002" in files
    assert not pump.is_on
