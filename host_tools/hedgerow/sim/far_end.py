"""The gateway of a simulation: one that runs already, or a private one for the time of the run."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from hedgerow.config.uplink_kinds import links_of
from hedgerow.errors import GatewayError
from hedgerow.gateway import Gateway, GatewayConfig
from hedgerow.sim.audit import Key
from hedgerow.sim.prepare import with_uplink
from hedgerow.sim.stored import gateway_answers, get_json, stored_in_db, stored_over_http

DEFAULT_URL = "http://127.0.0.1:8080"
PRIVATE = "private"
_BY_IP = ("mqtt", "coap", "http", "umqtt")


class RunningGateway:
    """Reached as the node file says; asked over HTTP what it holds."""

    def __init__(self, url: str) -> None:
        self.url = url

    def attach(self, plan: dict[str, Any]) -> dict[str, Any]:
        """The plan as it is: its [uplink] names the gateway's broker.

        A radio, a cable or a modem is not simulated here: MQTT to that broker takes its place.
        """
        if not plan.get("uplink"):
            raise GatewayError("the node file has no [uplink]; add one that names the broker")
        if all(link["kind"] in _BY_IP for link in links_of(plan["uplink"])):
            return plan
        host, _, port = get_json(f"{self.url}/api/health")["broker"].rpartition(":")
        return with_uplink(plan, host, int(port))

    def last_boot(self, device: str) -> int:
        """Highest boot number it knows of this device, 0 if none."""
        path = f"{self.url}/api/devices/{device}/sequences"
        rows = get_json(path, missing={"sequences": []})["sequences"]
        return max((row["boot"] for row in rows), default=0)

    def stored(self, device: str) -> dict[Key, bytes]:
        """All records of the device."""
        return stored_over_http(self.url, device)

    def refusals(self) -> list[str]:
        """Why it refuses messages, as its page shows it."""
        alerts = get_json(f"{self.url}/api/alerts?open=true")
        return [alert["text"] for alert in alerts if alert["kind"] == "malformed"]


class PrivateGateway:
    """Lives in this process; asked through its database."""

    def __init__(self, gateway: Gateway, db: Path) -> None:
        self._gateway, self._db = gateway, db
        self.url = gateway.http_url

    def attach(self, plan: dict[str, Any]) -> dict[str, Any]:
        """The plan with this gateway's broker."""
        return with_uplink(plan, self._gateway.mqtt_host, self._gateway.mqtt_port)

    def last_boot(self, device: str) -> int:
        """Highest boot number it knows of this device, 0 if none."""
        return max((boot for boot, _, _ in self.stored(device)), default=0)

    def stored(self, device: str) -> dict[Key, bytes]:
        """All records of the device."""
        return stored_in_db(self._db, device)

    def refusals(self) -> list[str]:
        """None: it was made for this node."""
        return []


FarEnd = RunningGateway | PrivateGateway


@contextlib.asynccontextmanager
async def far_end(
    url: str | None, folder: Path, note: str, broker: str = "auto", key_hex: str | None = None
) -> AsyncIterator[FarEnd]:
    """url: must answer. PRIVATE: a private one. None: the usual one if it answers, else that.

    key_hex: with which the node signs its frames; a private gateway has it too.
    """
    if url not in (None, PRIVATE):
        get_json(f"{url.rstrip('/')}/api/health")
        yield RunningGateway(url.rstrip("/"))
        return
    if url is None and gateway_answers(DEFAULT_URL):
        yield RunningGateway(DEFAULT_URL)
        return
    db = folder / "gateway.db"
    config = GatewayConfig(
        db=db,
        http_port=0,
        mqtt_port=0,
        broker=broker,
        keys={"*": bytes.fromhex(key_hex)} if key_hex else {},
        note=note,
        give_time=False,
    )
    async with Gateway(config) as gateway:
        yield PrivateGateway(gateway, db)
