"""Between datagrams and the server: acknowledges, joins the gateways' copies, tries the options.

No sockets and no timers: service.py has them, and the simulated air calls it without any.

    replies, begun = front.take(datagram, address)    # send the replies; for each begun packet,
    out = await front.answer(packet)                  # after DEDUPE_S: (address, datagram), None
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from hedge.core.errors import FrameError
from hedgerow.lns import semtech
from hedgerow.lns.gateways import Gateway
from hedgerow.lns.semtech import Rx, Tx
from hedgerow.lns.server import NetworkServer

DEDUPE_S = 0.15  # copies of a packet that come later count as a repeat
_MOST_OPEN = 1000
_KEEP_TOKENS = 64
_MOST_ERRORS = 20  # texts; the protocol has eight

Out = tuple[object, bytes]  # address, datagram


@dataclass
class _Open:
    arrived_s: float
    heard: list[Rx]


class Front:
    """malformed: datagrams that were none, and packets in one that could not be read.
    failed: downlinks that no gateway took."""

    def __init__(self, server: NetworkServer, now_s: Callable[[], float] = time.time):
        self._server = server
        self._now_s = now_s
        self._open: dict[bytes, _Open] = {}
        self._waiting: dict[bytes, list[tuple[Gateway, Tx]]] = {}  # token -> options left
        self.malformed = 0
        self.failed = 0
        self.errors: dict[str, int] = {}

    def take(self, data: bytes, address: object) -> tuple[list[Out], list[bytes]]:
        """(datagrams to send, packets whose copies are now being gathered)."""
        try:
            datagram = semtech.unpack(data)
        except FrameError:
            self.malformed += 1
            return [], []
        if datagram.kind == semtech.PUSH_DATA:
            self.malformed += datagram.malformed
            begun = [key for rx in datagram.packets if (key := self._gather(rx))]
            self._seen(datagram.gateway)
            return [(address, semtech.ack(datagram))], begun
        if datagram.kind == semtech.PULL_DATA:
            gateway = self._seen(datagram.gateway)
            gateway.address, gateway.version = address, datagram.version
            return [(address, semtech.ack(datagram))], []
        if datagram.kind == semtech.TX_ACK:
            again = self._tx_ack(datagram)
            return ([again] if again else []), []
        self.malformed += 1  # the server's own kinds
        return [], []

    def _seen(self, eui: bytes) -> Gateway:
        gateway = self._server.gateway(eui)
        gateway.last_seen_s = self._now_s()
        return gateway

    def _gather(self, rx: Rx) -> bytes | None:
        found = self._open.get(rx.data)
        if found:
            found.heard.append(rx)
            return None
        if len(self._open) >= _MOST_OPEN:
            return None
        self._open[rx.data] = _Open(self._now_s(), [rx])
        return rx.data

    async def answer(self, packet: bytes) -> Out | None:
        """All copies are in: what to send, if anything."""
        found = self._open.pop(packet)
        plan = await self._server.receive(found.heard, found.arrived_s)
        return self._try(plan.options) if plan else None

    def class_c(self, device: str) -> Out | None:
        """What a class C device is owed now."""
        plan = self._server.plan_class_c(device)
        return self._try(plan.options) if plan else None

    def _try(self, options: list[tuple[Gateway, Tx]]) -> Out | None:
        if not options:
            self.failed += 1
            return None
        gateway, tx = options[0]
        token = secrets.token_bytes(2)
        self._waiting[token] = options[1:]
        while len(self._waiting) > _KEEP_TOKENS:
            del self._waiting[next(iter(self._waiting))]
        self._server.reserve(gateway, tx)
        return gateway.address, semtech.pull_resp(gateway.version, token, tx)

    def _tx_ack(self, datagram: semtech.Datagram) -> Out | None:
        """A gateway that cannot send leaves it to the next option."""
        options = self._waiting.pop(datagram.token, None)
        if not datagram.error or options is None:
            return None
        known = datagram.error in self.errors or len(self.errors) < _MOST_ERRORS
        error = datagram.error if known else "other"
        self.errors[error] = self.errors.get(error, 0) + 1
        self._server.gateway(datagram.gateway).refused += 1
        return self._try(options)
