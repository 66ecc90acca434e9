"""A node that sleeps on the emulated Pico: MicroPython's own lightsleep, the same decisions."""

import ast

import pytest
from test_chips_node import HOURS, flash, pump  # noqa: F401  fixtures among them

from hedgerow.emulate.pico.board import PicoBoard

# As test_chips_node's RUN, asleep between ticks. The ledger's own clock is the board's.
ASLEEP = """
import asyncio, machine, time
import soil_node
from hedge.board import Board
from hedge.core import clock
from hedge.power.ledger import PHASES
from hedge.power.node import PowerNode
clock.set_epoch_s(1717545600)
soil_node.Node = PowerNode
board = Board({{"name": "RPI_PICO", "port": "rp2"}})
node = soil_node.build(board, "")
node.set_power({{"sleep": "light", "uplink_every_s": 3600, "on_events": True, "awake_max_s": 30,
    "ua": {{"sleep": 1500}}, "loads_ua": [None], "wake_ms": None}}, board, "")
async def live():
    try:
        await asyncio.wait_for(node.run(), {hours} * 3600 - 60)
    except asyncio.TimeoutError:
        pass
begin = time.ticks_ms()
asyncio.run(live())
stats = node.stats()
print(repr([stats[name] for name in ("decisions", "actuations", "tick_errors", "records_lost")]))
seconds = [node.ledger.seconds(i) for i in range(len(PHASES))]
print(repr([time.ticks_diff(time.ticks_ms(), begin) / 1000, sum(seconds), seconds]))
"""


@pytest.fixture
def pico(flash):  # noqa: F811
    with PicoBoard() as board:
        board.reset(flash)
        yield board


def test_asleep_it_decides_as_awake(pico, pump):  # noqa: F811
    lines = pico.exec(ASLEEP.format(hours=HOURS), timeout_s=120).splitlines()
    decisions, actuations, errors, lost = ast.literal_eval(lines[-2])
    assert (actuations, errors, lost) == (1, 0, 0)
    # The nap that the end of the run falls into lasts until the next reading, and that is made.
    assert decisions == HOURS * 4 + 1
    ((began_ms, ended_ms),) = pump.runs
    assert abs(ended_ms - began_ms - 900_000) < 200
    lived_s, counted_s, seconds = ast.literal_eval(lines[-1])
    _, infer_s, store_s, link_s, idle_s, sleep_s = seconds
    assert sleep_s > lived_s - 900 - 60  # 15 minutes of pump, awake
    assert idle_s > 900
    assert abs(counted_s - lived_s) < 5
    assert store_s > 0
    assert infer_s > 0
    assert link_s == 0
    # Why `hedgerow check` refuses deep sleep: no memory outlives it, no cause tells of it.
    told = pico.exec(
        "print([hasattr(machine.RTC(), 'memory'), hasattr(machine, 'DEEPSLEEP_RESET')])"
    )
    assert ast.literal_eval(told.strip()) == [False, False]
