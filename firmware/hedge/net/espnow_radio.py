"""ESP-NOW as the link and the relay need it: ESP32 and ESP8266 ports only.

Source: MicroPython 1.25 documentation, module espnow; `aioespnow` is of micropython-lib.
"""

from ..core.errors import ConfigError, LinkError

BROADCAST = b"\xff" * 6
_MAX_PEERS = 18  # the chip keeps 20


class Radio:
    """channel: 1 to 13, that of the relay's access point; None leaves it as it is, as a board does
    that is connected to Wi-Fi itself.
    """

    def __init__(self, channel=None):
        try:
            import aioespnow
            import network
        except ImportError as e:
            raise ConfigError("uplink espnow: this firmware lacks it: %s" % e)
        wlan = network.WLAN(network.WLAN.IF_STA)
        if channel is not None:  # else whoever connected it has made it active
            wlan.active(True)
            wlan.disconnect()  # an ESP8266 connects by itself
            wlan.config(channel=channel)
        self.mac = bytes(wlan.config("mac"))
        self._espnow = aioespnow.AIOESPNow()
        self._espnow.active(True)
        self._peers = []

    async def send(self, mac, data):
        """False if the peer's radio did not take it; True always for BROADCAST."""
        try:
            self._know(mac)
            return await self._espnow.asend(mac, data)
        except OSError as e:
            raise LinkError("espnow: %r" % e)

    def _know(self, mac):
        if mac in self._peers:
            return
        if len(self._peers) == _MAX_PEERS:
            self._espnow.del_peer(self._peers.pop(0))
        self._espnow.add_peer(mac)
        self._peers.append(mac)

    async def recv(self):
        """(MAC of the sender, datagram)"""
        mac, data = await self._espnow.arecv()
        return bytes(mac), bytes(data)
