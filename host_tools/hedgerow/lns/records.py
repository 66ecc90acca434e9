"""What devices send on the ports of the payload codec, to the gateway's store, and the ack back.

The line of DESIGN.md this serves: uplink -> gateway: version, device, boot, stream, seq, records;
acks of what is committed. Used by the network server and by the ChirpStack integration alike.
"""

import logging
import time
from collections.abc import Awaitable, Callable

from hedge.core.errors import FrameError
from hedge.net.lorawan import payload
from hedge.net.lorawan.parts import Assembler
from hedgerow.errors import GatewayError
from hedgerow.gateway import cayenne
from hedgerow.gateway.messages import Refused
from hedgerow.lns.database import Database

_log = logging.getLogger("hedgerow.lns")

_PORTS = (payload.PORT_RECORDS, payload.PORT_PARTS)

# (device, frame) -> the gateway's ack; raises Refused, or GatewayError for "not now".
Submit = Callable[[str, bytes], Awaitable[bytes]]


class Records:
    """stored, refused, unknown: messages counted by what became of them.

    cayenne: names of the devices whose messages are Cayenne LPP, on any port.
    """

    def __init__(self, database: Database, submit: Submit, cayenne: frozenset[str] = frozenset()):
        self._database = database
        self._submit = submit
        self.cayenne = cayenne
        self._parts: dict[str, Assembler] = {}
        self.stored = self.refused = self.unknown = 0

    def wants(self, device: str, port: int) -> bool:
        """True if take() is for what this device sends on this port."""
        return port in _PORTS or (device in self.cayenne and port != 0)  # 0: MAC commands

    async def take(self, device: str, port: int, data: bytes) -> bytes | None:
        """Store what a verified message holds; the downlink's payload on PORT_RECORDS, or None.

        An answer means: committed. Skeletons that it taught are committed before it too.
        """
        if device in self.cayenne:
            await self._take_cayenne(device, data)
            return None
        try:
            whole = data if port == payload.PORT_RECORDS else self._assembled(device, data)
            if whole is None:
                return None
            known = self._database.skeletons(device)
            frames, learned = payload.expand(whole, device, known)
        except payload.UnknownSkeleton as error:
            self.unknown += 1
            _log.info("%s: %s; asked for whole records", device, error)
            return bytes(payload.pack_ack(b"", True))
        except FrameError as error:
            self._refuse(device, str(error))
            return None
        return await self._store(device, frames, learned)

    async def _take_cayenne(self, device: str, data: bytes) -> None:
        """Such a device expects no answer and sends nothing twice: a number that was given out and
        not stored is a gap."""
        now_s = int(time.time())
        boot, seq = self._database.counted(device) or (now_s, 1)
        try:
            frames, after = cayenne.to_frames(device, boot, seq, now_s, data)
        except FrameError as error:
            self._refuse(device, str(error))
            return
        with self._database.transaction():
            self._database.put_counted(device, boot, after)
        await self._store(device, frames, {})

    def _assembled(self, device: str, part: bytes) -> bytes | None:
        found = self._parts.setdefault(device, Assembler()).add(part)
        return bytes(found) if found is not None else None

    async def _store(
        self, device: str, frames: list[bytes], learned: dict[int, bytes]
    ) -> bytes | None:
        ack = b""
        try:
            for frame in frames:
                ack = await self._submit(device, frame)
        except Refused as error:
            self._refuse(device, f"{error.reason}: {error}")
            return None
        except GatewayError as error:
            _log.warning("%s: not stored now: %s", device, error)
            return None  # no answer: the device sends it again
        self.stored += 1
        fresh = {d: s for d, s in learned.items() if self._is_new(device, d, s)}
        if fresh:
            with self._database.transaction():
                self._database.put_skeletons(device, fresh)
        return bytes(payload.pack_ack(ack))

    def _is_new(self, device: str, digest: int, skeleton: bytes) -> bool:
        return self._database.skeletons(device).get(digest) != skeleton

    def _refuse(self, device: str, why: str) -> None:
        self.refused += 1
        _log.warning("%s: message refused: %s", device, why)
