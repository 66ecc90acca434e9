"""A board between nodes and their relay: passes datagrams on, for those out of its reach.

    asyncio.run(Repeater(Radio(channel=6)).run())

It learns the ways from what passes: towards a node, towards the relay. Each datagram goes on once,
with one hop less.
"""

from ..core import log
from ..core.errors import LinkError
from .espnow_parts import UP, identity, is_good
from .espnow_radio import BROADCAST

_KNOWN = 32  # datagrams
_MAX_NODES = 20


class Repeater:
    """passed: datagrams."""

    def __init__(self, radio):
        self._radio = radio
        self._seen = []
        self._ways = {}  # mac of a node -> [next hop to the relay, next hop to the node]
        self.passed = 0

    async def run(self):
        """Until cancelled."""
        while True:
            hop, data = await self._radio.recv()
            await self._pass(hop, data)

    async def _pass(self, hop, data):
        if not is_good(data) or not data[1] or identity(data) in self._seen:
            return
        self._seen.append(identity(data))
        if len(self._seen) > _KNOWN:
            self._seen.pop(0)
        direction, mac = data[0] & 1, bytes(data[2:8])
        way = self._way(mac)
        way[1 - direction] = hop  # where this came from, the other direction goes
        to = BROADCAST if direction == UP and data[10] == ord("H") else way[direction]
        try:
            await self._radio.send(to, data[:1] + bytes((data[1] - 1,)) + data[2:])
            self.passed += 1
        except LinkError as e:
            log.debug("repeater", "%s", e)

    def _way(self, mac):
        if mac not in self._ways:
            if len(self._ways) == _MAX_NODES:
                del self._ways[next(iter(self._ways))]
            self._ways[mac] = [BROADCAST, BROADCAST]
        return self._ways[mac]
