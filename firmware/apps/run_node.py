"""What `hedgerow deploy node.toml` starts on a board: the node that plan.json beside it describes.

Beside it lie the model and what else the plan names; the log lies outside of the app's slots and
outlives deploys.
"""

import asyncio
import json

import hedge_boot

from hedge.board import Board
from hedge.node import node_from_plan


def load(path):
    """The node of a plan, not yet running. path: of plan.json; other files lie beside it."""
    with open(path) as file:
        plan = json.load(file)
    return node_from_plan(plan, Board(plan["board"]), path.rpartition("/")[0])


asyncio.run(load(hedge_boot.path("plan.json")).run())
