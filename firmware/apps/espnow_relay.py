"""A relay for ESP-NOW nodes: a board on Wi-Fi that carries their frames to a broker.

Settings lie in relay.json beside it: {"uplink": {"kind": "mqtt", "host": "192.168.1.2"}}. Wi-Fi is
up before (boot.py); nodes use the channel of its access point.
"""

import asyncio
import json

from hedge.net.espnow_radio import Radio
from hedge.net.espnow_relay import Relay
from hedge.net.link import make_link


def main(path="relay.json"):
    """Runs until the board is reset."""
    with open(path) as f:
        settings = json.load(f)
    uplink = settings["uplink"]

    def make(device, info):
        return make_link(uplink, device, info)

    asyncio.run(Relay(Radio(), make, settings.get("most", 8)).run())


if __name__ == "__main__":
    main()
