"""The relay app, or a repeater, on the simulated air; runs under MicroPython.

    SCENARIO='{"host": ..., "port": ..., "settings": PATH}' micropython espnow_relay_node.py relay

settings: where the app's relay.json is to be. repeater: needs no settings.
"""

import asyncio
import json
import os
import sys

import espnow_relay  # firmware/apps

from hedge.core import log
from hedge.net.espnow_radio import Radio
from hedge.net.espnow_repeater import Repeater


def main(name, args):
    print(json.dumps({"event": "ready"}))
    if name == "repeater":
        asyncio.run(Repeater(Radio()).run())
    uplink = {"kind": "mqtt", "host": args["host"], "port": args["port"]}
    with open(args["settings"], "w") as f:
        json.dump({"uplink": uplink}, f)
    espnow_relay.main(args["settings"])


log.level = log.DEBUG
main(sys.argv[1], json.loads(os.getenv("SCENARIO")))
