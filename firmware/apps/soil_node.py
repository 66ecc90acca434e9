"""A soil node in Python instead of a node file: a probe, a pump, one rule.

On a Pico: copy the `hedge` package and this file, then

    import asyncio, soil_node
    asyncio.run(soil_node.main())

It is what a node file compiles to, written by hand; the calls are the same ones.
"""

from hedge.board import Board
from hedge.drivers.relay import Relay
from hedge.drivers.soil_probe import SoilProbe
from hedge.dsp.filters import Median
from hedge.node import Node
from hedge.store.kv import KV
from hedge.store.log import Store

_SAMPLE_S = 900
_SOIL_CHANNELS = (("vwc", "%", 100, 0, 10000),)  # as `hedgerow drivers soil_probe` says, scaled
_DRY_CENTI_PCT = 1400
_WET_ENOUGH_CENTI_PCT = 1500


def build(board, folder):
    """The node, not yet running. board: hedge.board.Board; folder: where its log goes."""
    log = folder + "/store"
    node = Node("bed-3", _SAMPLE_S, store=Store(log), state=KV(log + "/node.kv"))
    probe = SoilProbe(board.bus("adc", 26), dry_mv=2400, wet_mv=1100)
    soil = node.add_sensor("soil", probe, _SOIL_CHANNELS, raw_bytes=2)
    node.add_filter(soil, Median(3))
    pump = Relay(board.bus("output_pin", 15), max_on_ms=1800000)
    node.add_actuator("pump", pump, max_on_s=1800, min_off_s=600, max_s_per_day=3600)
    dry = ["<", soil, _DRY_CENTI_PCT, _WET_ENOUGH_CENTI_PCT]
    early = ["window", 4 * 60, 8 * 60, 127]
    node.add_rule("water", "pump", ["all", [dry, early]], on_s=900, hold_off_s=43200)
    node.add_record(soil, deadband=50, summary_s=86400)
    return node


async def main():
    """Run for ever on a Pico's pins; add node.make_uplink to send (see hedge/node_plan.py)."""
    await build(Board({"name": "RPI_PICO_W", "port": "rp2"}), "").run()
