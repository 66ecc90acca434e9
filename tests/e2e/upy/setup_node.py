"""The set-up page under MicroPython on loopback ports, for a browser; MicroPython.

SCENARIO: {"port": .., "dns_port": .., "path": .., "key": of the network "farm"}
"""

import asyncio
import json
import os

from hedge.net.setup import Portal
from hedge.net.wifi import Wifi
from hedgerow.emulate.wlan import Air, Network


async def main(args):
    air = Air(join_ms=1500, dhcp_ms=500)
    air.add("farm", key=args["key"])
    air.add("Hof & Garten")
    wifi = Wifi([("old", None)], Network(air, "esp32", "127.0.0.1"))
    heard = sorted([point.ssid for point in air.points])
    values = {"name": "bed-3", "host": "gateway.farm"}
    ports = {"host": "127.0.0.1", "port": args["port"], "dns_port": args["dns_port"]}
    portal = Portal(wifi, values, args["path"], heard, **ports)
    print(json.dumps({"event": "result", "saved": await portal.run(600000)}))


asyncio.run(main(json.loads(os.getenv("SCENARIO"))))
