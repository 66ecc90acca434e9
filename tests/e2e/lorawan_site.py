"""A farm on the simulated air: devices, gateways, the network server and a store behind it."""

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

from hedgerow.emulate.lora.channel import Channel, Place
from hedgerow.emulate.lora.world import Device, World
from hedgerow.gateway.database import open_database
from hedgerow.gateway.ingest import Ingest
from hedgerow.gateway.messages import Inbound
from hedgerow.lns.database import Database
from hedgerow.lns.devices import site_of
from hedgerow.lns.front import Front
from hedgerow.lns.records import Records
from hedgerow.lns.server import NetworkServer
from hedgerow.toolchain.unix import find_micropython
from hedgerow.transport.unix_process import device_path

START_S = 1760000000
_NODE = Path(__file__).with_name("upy") / "lorawan_node.py"


class FarmSite:
    """Everything in one folder; restart_server() is a crash of the network server."""

    def __init__(self, folder: Path, count: int, region: str = "EU868", seed: int = 1, **how: Any):
        self.folder = folder
        self.keys = {f"bed-{i}": how.pop("key", None) for i in range(count)}
        self.channel = Channel(seed, **how.pop("channel", {}))
        self.world = World(None, self.channel, START_S)
        self.table = {"region": region, "device": [self._row(i) for i in range(count)], **how}
        self.connection: sqlite3.Connection = open_database(folder / "farm.db")
        self.ingest = Ingest(
            self.connection, key_of=self._key_of if any(self.keys.values()) else None
        )
        self.refuse = False  # the store takes nothing for now
        self.restart_server()

    def _key_of(self, device: str) -> bytes | None:
        key = self.keys.get(device)
        return key.encode() if key else None

    @staticmethod
    def _row(i: int) -> dict[str, Any]:
        if i % 4 == 3:
            row = {
                "dev_addr": f"2601{i:04x}",
                "nwk_s_key": f"{i:032x}",
                "app_s_key": f"{i + 9:032x}",
            }
        else:
            row = {"dev_eui": f"{i + 1:016x}", "join_eui": f"{7:016x}", "app_key": f"{i:032x}"}
        return {"name": f"bed-{i}", **row}

    def restart_server(self, forget: bool = False) -> None:
        path = self.folder / "lns.db"
        if hasattr(self, "database"):
            self.database.close()
        if forget:
            path.unlink()
        self.database = Database(path)
        self.records = Records(self.database, self._submit)
        site = site_of(self.table, "test")
        self.server = NetworkServer(site, self.database, self.records, now_s=self.world.now_s)
        self.world.front = Front(self.server, self.world.now_s)
        for gateway in self.world.gateways:
            self.server.gateway(gateway.eui).address = gateway

    async def _submit(self, device: str, frame: bytes) -> bytes:
        from hedgerow.errors import GatewayError

        if self.refuse:
            raise GatewayError("no")
        message = Inbound(f"hedge/{device}/up", frame, self.world.now_s())
        out = self.ingest.commit([message])
        if not out:
            raise GatewayError("refused")
        return bytes(out[-1].data)

    async def start(self, i: int, place: Place, **scenario: Any) -> Device:
        """Start (or restart) device i."""
        name = f"bed-{i}"
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        row = self.table["device"][i]
        uplink = {"region": self.table["region"], **{k: v for k, v in row.items() if k != "name"}}
        uplink |= scenario.pop("uplink", {})
        if self.keys[name]:
            uplink["key"] = self.keys[name].encode().hex()
            scenario["key"] = self.keys[name]
        args = {"device": name, "dir": str(folder), "start_s": int(self.world.now_s())}
        args |= {"records": 20, "every_s": 60, "uplink": uplink, **scenario}
        environment = dict(os.environ, MICROPYPATH=device_path(), SCENARIO=json.dumps(args))
        command = [str(find_micropython()), "-X", "heapsize=1M", str(_NODE)]
        return await self.world.add_device(name, place, command, environment, folder / "node.log")

    def results(self) -> dict[str, dict[str, Any]]:
        """The last report of each device that is done."""
        found = {}
        for name, device in self.world.devices.items():
            for line in device.told:
                if line.startswith("{"):
                    told = json.loads(line)
                    if told["event"] == "done":
                        found[name] = told
        return found

    def stored(self, name: str) -> dict[tuple[int, int], list[int]]:
        """(boot, stream) -> sequence numbers in the store, in order."""
        rows = self.connection.execute(
            "SELECT boot, stream, seq FROM record WHERE device = ? ORDER BY boot, stream, seq",
            (name,),
        )
        found: dict[tuple[int, int], list[int]] = {}
        for boot, stream, seq in rows:
            found.setdefault((boot, stream), []).append(seq)
        return found

    async def close(self) -> None:
        await self.world.close()
        self.database.close()
        self.connection.close()
