"""The door for links that are not MQTT: one frame in, its ack out, after the commit.

    ack = await intake.submit("bed-3", frame, source="coap")

The frame goes through the queue and the writer that MQTT's frames go through, and the answer is
the ack that MQTT would publish, signed where keys are used. The line of DESIGN.md this serves:
uplink -> gateway: frame, <= 200 bytes; ack once the store has committed it.
"""

import asyncio
import time

from hedgerow.errors import GatewayError
from hedgerow.gateway.messages import Inbound, Outcome, Refused
from hedgerow.gateway.writer import Writer

_COMMIT_S = 20.0  # a disk that syncs takes milliseconds; a failing one is retried by the writer


class Intake:
    """submit() belongs to event loops; any number of them, any number of calls at a time."""

    def __init__(self, writer: Writer):
        self._writer = writer

    async def submit(
        self,
        device: str,
        data: bytes,
        *,
        source: str,
        kind: str = "up",
        limit_s: float = _COMMIT_S,
    ) -> bytes:
        """Commit one message of a node; returns the ack bytes (b"" for info and status).

        kind: "up" (a frame), "info" (CBOR map) or "status" (b"online", b"offline").
        source: the link's kind, for alerts. Raises Refused (with `reason`) for a message that
        will never be stored; GatewayError when it cannot be stored now: the node asks again.
        """
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[tuple[Outcome, bytes]] = loop.create_future()

        def answer(found: Outcome, ack: bytes) -> None:  # in the writer's thread
            loop.call_soon_threadsafe(_resolve, outcome, (found, ack))

        message = Inbound(f"hedge/{device}/{kind}", bytes(data), time.time(), source)
        if not self._writer.offer(message, answer):
            raise GatewayError("the gateway has too much to store at the moment: send again later")
        try:
            found, ack = await asyncio.wait_for(outcome, limit_s)
        except TimeoutError as error:
            fault = self._writer.fault or "the writer is busy"
            raise GatewayError(f"not stored within {limit_s:g} s: {fault}") from error
        if isinstance(found, Refused):
            raise found
        if kind == "up" and not ack:
            raise GatewayError("the frame tripped a fault of the gateway; its log has the trace")
        return ack


def _resolve(
    future: asyncio.Future[tuple[Outcome, bytes]], outcome: tuple[Outcome, bytes]
) -> None:
    if not future.done():  # its caller may have given up
        future.set_result(outcome)
