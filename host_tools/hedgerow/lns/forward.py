"""Where frames of the network server go: over a broker to the gateway, its acks come back.

    forward = MqttForward(address); forward.start()
    ack = await forward.submit("bed-3", frame)      # a Submit of records.py

In one process with a gateway, its intake is the Submit instead: intake.submit(..., "lorawan").
"""

import asyncio
import contextlib

from hedge.net.topics import topic
from hedgerow.errors import GatewayError
from hedgerow.gateway.intake import Intake
from hedgerow.gateway.mqtt import BrokerAddress
from hedgerow.lns.broker import BrokerSession
from hedgerow.lns.records import Submit

_ACK_S = 4.0  # a later ack would miss the device's windows; the device asks again


class MqttForward:
    """An ack of a device answers the oldest frame of it that waits: acks are watermarks."""

    def __init__(self, address: BrokerAddress):
        self._address = address
        self._waiting: dict[str, list[asyncio.Future[bytes]]] = {}
        self.session = BrokerSession(address, "hedgerow-lns", ["hedge/+/ack"], self._ack)

    def start(self) -> None:
        self.session.start()

    def close(self) -> None:
        self.session.close()

    async def submit(self, device: str, frame: bytes) -> bytes:
        """Raises GatewayError: no broker, or no ack in time."""
        waiting = self._waiting.setdefault(device, [])
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        waiting.append(answer)
        try:
            if not self.session.publish(topic(device, "up"), frame):
                raise GatewayError(f"no connection to the broker {self._address!r}")
            return await asyncio.wait_for(answer, _ACK_S)
        except TimeoutError as error:
            raise GatewayError(f"the gateway does not acknowledge within {_ACK_S:g} s") from error
        finally:
            with contextlib.suppress(ValueError):
                waiting.remove(answer)

    def _ack(self, name: str, data: bytes) -> None:
        parts = name.split("/")
        for answer in self._waiting.get(parts[1], []) if len(parts) == 3 else []:
            if not answer.done():
                answer.set_result(data)
                return


def to_intake(intake: Intake) -> Submit:
    """The gateway in this process."""

    async def submit(device: str, frame: bytes) -> bytes:
        return await intake.submit(device, frame, source="lorawan")

    return submit
