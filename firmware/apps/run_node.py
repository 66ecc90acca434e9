"""What `hedgerow deploy node.toml` starts on a board: the node that plan.json beside it describes.

Beside it lie the model and what else the plan names; the log lies outside of the app's slots and
outlives deploys.

Modules are imported while the heap is swept every 16 KB: what stays would else lie scattered over
all of it. On a Pico whose firmware has no hedge the largest free piece was 1.2 of 86 KB then.
"""

import gc

_SWEPT_BYTES = 16384


def load(path):
    """The node of a plan, open but not yet running. path: of plan.json, with its files beside."""
    import json

    from hedge.board import Board
    from hedge.node import node_from_plan

    with open(path) as file:
        plan = json.load(file)
    node = node_from_plan(plan, Board(plan["board"]), path.rpartition("/")[0])
    node.open()
    return node


def main():
    """Run the deployed node for ever."""
    import asyncio

    import hedge_boot

    before = gc.threshold()
    gc.threshold(_SWEPT_BYTES)
    node = load(hedge_boot.path("plan.json"))
    gc.collect()
    gc.threshold(before)
    asyncio.run(node.run())


main()
