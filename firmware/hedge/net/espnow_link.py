"""The link over ESP-NOW: frames to a relay, a board with Wi-Fi that runs espnow_relay.py.

DESIGN: uplink -> gateway: frames of at most 200 bytes; acks back. The messages and the session are
those of the serial link (SPEC.md); ESPNOW_SPEC.md says how they travel. No Wi-Fi network is
joined: a node is awake for milliseconds.
"""

import asyncio

from ..core.errors import LinkError
from .espnow_parts import DOWN, UP, Parts, pack
from .espnow_radio import BROADCAST, Radio
from .serial_link import SerialLink


class EspnowLink(SerialLink):
    """radio: has mac, `await send(mac, data)` and `await recv()`, as espnow_radio.Radio."""

    window = 4
    hurry = None  # a relay does not say that it came: the next attempt finds it

    def __init__(self, radio, device, info=b"", keepalive_s=60, timeout_ms=10000):
        super().__init__(None, device, info, keepalive_s, timeout_ms)
        self._radio = radio
        self._parts = Parts()
        self._relay = BROADCAST  # until one answers
        self._number = 0

    @property
    def damaged(self):
        """Messages of which parts were lost."""
        return self._parts.lost

    async def connect(self):
        self._relay = BROADCAST
        try:
            return await super().connect()
        except LinkError as e:
            if "hedgerow bridge" in str(e):
                raise LinkError("espnow: no relay answers: same channel?")
            raise

    async def _write(self, kind, body):
        self._number += 1
        for datagram in pack(self._radio.mac, UP, self._number, kind, body):
            taken = await asyncio.wait_for_ms(
                self._radio.send(self._relay, datagram), self._timeout_ms
            )
            self.bytes_sent += len(datagram)
            if not taken and kind == "U":
                raise LinkError("espnow: the relay is out of reach")
        self._mark_sent()

    async def _read(self, limit_ms, session):
        try:
            sender, data = await asyncio.wait_for_ms(self._radio.recv(), limit_ms)
        except asyncio.TimeoutError:
            return False
        message = self._parts.take(data)
        if message and message[0] == DOWN and message[1] == self._radio.mac:
            kind, body = message[2:]
            if body[:2] == session:
                if kind == "w":
                    self._relay = sender  # the relay, or a repeater before it
                self._take(kind, body[2:], session)
        return True


def make(cfg, device, info):
    """See link.make_link. radio: in place of Radio(channel), for tests."""
    radio = cfg.get("radio") or Radio(cfg.get("channel") or 1)
    return EspnowLink(radio, device, info, keepalive_s=cfg.get("keepalive_s") or 60)
