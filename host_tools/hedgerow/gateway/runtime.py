"""Everything of a gateway that runs beside the HTTP server, started and stopped in order."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from hedgerow.gateway.alerts import AlertKey
from hedgerow.gateway.broker import Broker, start_broker
from hedgerow.gateway.coap import coap_listener
from hedgerow.gateway.config import GatewayConfig
from hedgerow.gateway.database import DatabaseLock, named_errors, open_database
from hedgerow.gateway.generation import client_of
from hedgerow.gateway.ingest import Ingest
from hedgerow.gateway.intake import Intake
from hedgerow.gateway.messages import Note
from hedgerow.gateway.mirror.run import mirroring
from hedgerow.gateway.mqtt import MqttSession
from hedgerow.gateway.writer import Writer

_log = logging.getLogger("hedgerow.gateway")


@dataclass
class Runtime:
    """What the routes may ask of the running parts."""

    config: GatewayConfig
    broker: Broker
    ingest: Ingest
    writer: Writer
    session: MqttSession
    intake: Intake
    started_s: float
    coap_port: int | None = None

    @property
    def revision(self) -> str:
        """Changes with every commit; never repeats over restarts."""
        return f"{self.started_s:.3f}-{self.writer.commits}"

    def health(self) -> dict[str, Any]:
        faults = [self.writer.fault] if self.writer.fault else []
        if not self.session.connected:
            faults.append("no connection to the broker")
        return {
            "status": "degraded" if faults else "ok",
            "faults": faults,
            "broker_kind": self.broker.kind,
            "broker": repr(self.broker.address),
            "broker_connected": self.session.connected,
            "queued": self.writer.queued,
            "generation": self.ingest.generation,
            "uptime_s": round(time.time() - self.started_s, 3),
        }


@contextlib.asynccontextmanager
async def running(config: GatewayConfig) -> AsyncIterator[Runtime]:
    """Database, broker, writer and MQTT session, in this order; stopped in reverse.

    Raises GatewayError if one of them cannot start; what had started is stopped again.
    """
    with DatabaseLock(config.db_path), contextlib.closing(open_database(config.db_path)) as db:
        with named_errors(config.db_path):
            ingest = Ingest(db, key_of=config.key_of(), give_time=config.give_time)
        sessions: list[MqttSession] = []
        writer = Writer(ingest, publish=lambda out: sessions[0].publish(out))
        async with start_broker(config, _reporter(writer)) as broker:
            client = client_of(db)
            client_id = f"hedgerow-{client:08x}"
            session = MqttSession(broker.address, client_id, writer.put)
            sessions.append(session)
            writer.start()
            try:
                await asyncio.to_thread(session.start)
                intake = Intake(writer)
                mirrors = mirroring(config, client, broker.address, lambda: writer.commits)
                async with coap_listener(config, intake) as coap_port, mirrors:
                    yield Runtime(
                        config, broker, ingest, writer, session, intake, time.time(), coap_port
                    )
            finally:
                await asyncio.to_thread(writer.stop)
                await asyncio.to_thread(session.stop)


def _reporter(writer: Writer):  # type: ignore[no-untyped-def]
    """Turns the broker's reports into an alert that opens and closes."""

    def report(text: str) -> None:
        _log.error("%s", text) if text else _log.warning("mosquitto runs again")
        alert = AlertKey("", "broker", "mosquitto")
        writer.put(Note(alert, text, is_over=not text, received_s=time.time()))

    return report
