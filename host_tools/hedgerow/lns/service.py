"""The network server with its socket and timers.

async with LnsService(site, database, submit, port=1700) as service:
    print(service.port)
"""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, cast

from hedgerow.errors import GatewayError
from hedgerow.lns.bulk import Transfer
from hedgerow.lns.database import Database
from hedgerow.lns.devices import Site
from hedgerow.lns.front import DEDUPE_S, Front, Out
from hedgerow.lns.records import Records, Submit
from hedgerow.lns.server import NetworkServer

_log = logging.getLogger("hedgerow.lns")

_CLASS_C_S = 3.0  # between two fragments to one device


class LnsService(asyncio.DatagramProtocol):
    """port 0: any free one. Raises GatewayError if it cannot listen."""

    def __init__(
        self,
        site: Site,
        database: Database,
        submit: Submit,
        *,
        host: str = "0.0.0.0",
        port: int = 1700,
    ):
        self.records = Records(database, submit, site.cayenne)
        self.server = NetworkServer(site, database, self.records)
        self.front = Front(self.server)
        self._site = site
        self._where = (host, port)
        self._transport: asyncio.DatagramTransport | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    async def __aenter__(self) -> "LnsService":
        host, port = self._where
        try:
            loop = asyncio.get_running_loop()
            await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))
        except (OSError, OverflowError) as error:
            raise GatewayError(
                f"cannot listen on udp {host}:{port}: {error}; choose another --port or --host"
            ) from error
        self._spawn(self._pace())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()

    def send_file(self, device: str, path: Path, size: int) -> Transfer:
        """Begin a bulk transfer. Raises GatewayError: unknown device, unreadable or too large."""
        if self.server.device(device) is None:
            raise GatewayError(f"no device {device!r} in the devices file")
        try:
            return self.server.send_bulk(device, path.read_bytes(), size)
        except (OSError, ValueError) as error:
            raise GatewayError(f"{path} cannot be sent to {device}: {error}") from error

    # asyncio.DatagramProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        replies, begun = self.front.take(data, addr)
        for reply in replies:
            self._send(reply)
        for packet in begun:
            self._spawn(self._answer(packet))

    def error_received(self, exc: Exception) -> None:
        _log.info("a gateway cannot be reached: %s", exc)

    def _send(self, out: Out) -> None:
        assert self._transport is not None
        self._transport.sendto(out[1], out[0])  # type: ignore[arg-type]

    # Tasks

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, packet: bytes) -> None:
        await asyncio.sleep(DEDUPE_S)
        try:
            out = await self.front.answer(packet)
        except sqlite3.Error as error:  # nothing is stored, so nothing is answered
            _log.error("a packet is dropped: %s", error)
            return
        except Exception:  # noqa: BLE001  logged; one packet must not stop the others
            _log.exception("packet %s", packet.hex())
            return
        if out:
            self._send(out)

    async def _pace(self) -> None:
        """Class C devices get their fragments at intervals."""
        names = [device.name for device in self._site.devices if device.class_c]
        while True:
            await asyncio.sleep(_CLASS_C_S)
            for name in names:
                try:
                    out = self.front.class_c(name)
                except sqlite3.Error as error:  # not stored, so not sent; the next round may
                    _log.error("nothing is sent to %s: %s", name, error)
                    continue
                if out:
                    self._send(out)

    # For a person

    def status(self) -> str:
        """One line of counts."""
        counts, records = self.server.counts, self.records
        gateways = sum(
            1 for g in self.server.gateways.values() if time.time() - g.last_seen_s < 60
        )
        return (
            f"gateways {gateways}, uplinks {counts.uplinks}, joins {counts.joins}, "
            f"stored {records.stored}, downlinks {counts.downlinks}, refused "
            f"{counts.refused + records.refused}, without time for an answer {counts.unplanned}, "
            f"not sent by a gateway {self.front.failed}"
        )


async def run_until(
    service: LnsService, stop: asyncio.Event, say: Any, every_s: float = 60.0
) -> None:
    """Until stop is set; a status line now and then, when something changed."""
    said = ""
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)
        line = service.status()
        if line != said:
            say(line)
            said = line
