"""The relay app's parts, or a repeater, on the simulated air; runs under MicroPython.

SCENARIO='{"host": ..., "port": ...}' micropython espnow_relay_node.py relay|repeater
"""

import asyncio
import json
import os
import sys

from hedge.core import log
from hedge.net.espnow_radio import Radio
from hedge.net.espnow_relay import Relay
from hedge.net.espnow_repeater import Repeater
from hedge.net.link import make_link


async def main(name, args):
    radio = Radio()
    print(json.dumps({"event": "ready"}))
    if name == "repeater":
        await Repeater(radio).run()
    settings = {"kind": "mqtt", "host": args["host"], "port": args["port"]}
    await Relay(radio, lambda device, info: make_link(settings, device, info)).run()


log.level = log.DEBUG
asyncio.run(main(sys.argv[1], json.loads(os.getenv("SCENARIO"))))
