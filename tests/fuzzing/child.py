"""One reader in a process of its own: child.py MODULE NAME PACKETS SEED. The last line is JSON."""

import asyncio
import json
import sys

import trial

from hedge.core import log


def main(module, name, packets, seed):
    log.level = log.WARN + 1
    if sys.implementation.name != "micropython":
        import logging

        logging.disable(logging.CRITICAL)
    reader = __import__(module).READERS[name]()
    told = asyncio.run(trial.run(reader, int(packets), int(seed), lambda n: print(n)))
    print(json.dumps(told))


main(*sys.argv[1:5])
