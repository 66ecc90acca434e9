"""What `hedgerow lns` does, for programs too: from settings to a running server."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from hedgerow.errors import UsageError
from hedgerow.gateway.mqtt import BrokerAddress
from hedgerow.lns.chirpstack import ChirpStack
from hedgerow.lns.database import Database, lock_of
from hedgerow.lns.devices import Site
from hedgerow.lns.forward import MqttForward
from hedgerow.lns.records import Records
from hedgerow.lns.service import LnsService, run_until

Say = Callable[[str], None]


@dataclass(frozen=True)
class LnsOptions:
    """chirpstack: its broker; then no gateways are served here and site may be None.

    send: (device, file); fragment_bytes: of each.
    """

    db: Path
    broker: BrokerAddress
    site: Site | None = None
    host: str = "0.0.0.0"
    port: int = 1700
    chirpstack: BrokerAddress | None = None
    send: Sequence[tuple[str, Path]] = field(default_factory=tuple)
    fragment_bytes: int = 48


def run(options: LnsOptions, say: Say) -> None:
    """Until SIGINT or SIGTERM. Raises GatewayError if a part cannot start."""
    asyncio.run(serve(options, say))


async def serve(options: LnsOptions, say: Say, stop: asyncio.Event | None = None) -> None:
    """The same inside an event loop; stop ends it."""
    if stop is None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        stack.enter_context(lock_of(options.db))
        database = Database(options.db)
        stack.callback(database.close)
        forward = MqttForward(options.broker)
        stack.callback(forward.close)
        part = _Part(options, database, forward, stack, say, stop)
        await (part.integrate() if options.chirpstack else part.serve())


@dataclass(frozen=True)
class _Part:
    """What runs between database and broker: ChirpStack's records, or our own network server."""

    options: LnsOptions
    database: Database
    forward: MqttForward
    stack: AsyncExitStack
    say: Say
    stop: asyncio.Event

    async def integrate(self) -> None:
        options = self.options
        assert options.chirpstack is not None
        devices = options.site.devices if options.site else ()
        names = {device.dev_eui.hex(): device.name for device in devices if device.joins}
        cayenne = options.site.cayenne if options.site else frozenset()
        records = Records(self.database, self.forward.submit, cayenne)
        chirpstack = ChirpStack(options.chirpstack, records, names)
        self.stack.callback(chirpstack.close)
        chirpstack.start()
        self.forward.start()
        self.say(f"records of ChirpStack at {options.chirpstack!r} to {options.broker!r}")
        await self.stop.wait()

    async def serve(self) -> None:
        options, site = self.options, self.options.site
        if site is None:
            raise UsageError("a devices file is needed: --devices devices.toml")
        service = LnsService(
            site, self.database, self.forward.submit, host=options.host, port=options.port
        )
        await self.stack.enter_async_context(service)
        for device, path in options.send:
            transfer = service.send_file(device, path, options.fragment_bytes)
            self.say(f"{path} to {device}: {transfer.count} fragments of {transfer.size} bytes")
        self.forward.start()
        self.say(f"{site.region}, {len(site.devices)} devices, gateways at udp {service.port}")
        await run_until(service, self.stop, self.say)
