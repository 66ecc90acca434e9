"""The farm that chaos.py torments: six nodes on six links, bad lines, and all they need."""

import contextlib
from pathlib import Path

from bad_lines import BadWeather
from coap_peers import LossyRelay
from gateway_process import GatewayProcess
from ledger import ENTRY_BYTES
from node import Node
from peers import LoopThread, Mosquitto
from ports import free_udp_port
from radio_field import UPLINK, RadioField, RadioNode, lns, wait_for_forwarders
from serial_node import SerialNode
from tool import Tool

_SCRIPT = Path(__file__).with_name("upy") / "chaos_node.py"
# Records that may wait in a node's store: the slower the link, the fewer.
ROOMS = {"mqtt": 3000, "mqtt5": 3000, "http": 3000, "serial": 800, "coap": 300, "lorawan": 300}
_PACES_MS = {"lorawan": 400}  # of the air; else 10
_FULL = 10_000  # with fewer to make the rooms are smaller in proportion


class Killable:
    """A node with its store and ledger, over all its lives."""

    def __init__(self, farm: "Farm", name: str, cfg: dict, room: int) -> None:
        self.name, self.ledger = name, farm.folder / f"{name}-ledger"
        self.ledger.mkdir()
        self.place = farm.folder / f"{name}-tty"
        self._micropython, self._field = farm.micropython, farm.field
        self._args = {"script": _SCRIPT, "device": name, "cfg": cfg, "room": room}
        self._args |= {
            "store": str(farm.folder / f"{name}-store"),
            "pace_ms": _PACES_MS.get(name, 10),
        }
        self._args |= {"ledger": str(self.ledger), "enough": str(farm.enough)}
        self.node = self._made()

    def _made(self) -> Node:
        kind = self._args["cfg"]["kind"]
        if kind == "serial":
            return SerialNode(self._micropython, "", self.place, **self._args)
        if kind == "lorawan":
            log = self.ledger.with_name("lorawan.log")
            return RadioNode(self._field, self._micropython, log, **dict(self._args))
        return Node(self._micropython, "", **self._args)

    def start(self) -> None:
        self.node = self._made().__enter__()

    def kill(self) -> None:
        assert self.node.process.poll() is None, f"{self.name} ended: {self._last_words()}"
        self.node.kill()

    def _last_words(self) -> str:
        with contextlib.suppress(AssertionError):
            self.node.expect("nothing that is ever said", 1)
        return " / ".join(self.node.seen[-8:])

    def lose(self, n_bytes: int) -> None:
        self.node.lose(n_bytes)


class Farm:
    """Everything that runs; a context manager."""

    def __init__(self, folder: Path, programs: tuple[Path, Path], records: int, seed: int) -> None:
        self.folder, self.enough = folder, folder / "enough"
        self.micropython = programs[0]
        self._mosquitto, self._records, self._seed = programs[1], records, seed
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "Farm":
        with contextlib.ExitStack() as stack:
            self._build(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *raised) -> None:
        self._stack.__exit__(*raised)

    def _build(self, stack: contextlib.ExitStack) -> None:
        thread = LoopThread()
        stack.callback(thread.close)
        self.broker = stack.enter_context(Mosquitto(self._mosquitto, self.folder))
        coap_port = free_udp_port()
        url = f"mqtt://127.0.0.1:{self.broker.port}"
        self.gateway = GatewayProcess(self.folder, url, coap_port)
        stack.callback(self.gateway.close)
        self.gateway.start()
        self.weather = BadWeather(thread, self._seed)
        stack.callback(self.weather.close)
        relay = LossyRelay(thread, coap_port, self._seed, loss=0.3, double=0.1, late=0.2)
        self.relay = stack.enter_context(relay)
        self.weather.over_datagrams(relay)
        self._build_radio(stack, thread)
        self.nodes = [self._node(name, cfg) for name, cfg in self._links().items()]
        self._start_nodes(stack)

    def _build_radio(self, stack: contextlib.ExitStack, thread: LoopThread) -> None:
        port = free_udp_port()
        self.lns = lns(self.folder, port, self.broker.port)
        self.lns.start()
        stack.callback(self.lns.close)
        self.field = RadioField(thread, port, self._seed)
        stack.callback(self.field.close)
        wait_for_forwarders(self.field)

    def calm(self) -> None:
        """All lines are good from now on."""
        self.weather.calm()
        self.field.calm()

    def has_suffered(self) -> bool:
        """What is lost or doubled by chance has been, where little was sent."""
        radio = self.field.report()
        return bool(self.relay.dropped and radio["lost"] and radio["heard_twice"])

    def made(self) -> int:
        """Records in the ledgers."""
        files = [path for node in self.nodes for path in node.ledger.iterdir()]
        return sum(path.stat().st_size for path in files) // ENTRY_BYTES

    def _links(self) -> dict[str, dict]:
        def line(port: int) -> dict:
            return {"host": "127.0.0.1", "port": self.weather.line_to(port).port}

        quick = {"kind": "mqtt", "timeout_ms": 2500, "keepalive_s": 5}
        return {
            "mqtt": quick | line(self.broker.port),
            "mqtt5": quick | line(self.broker.port) | {"version": 5},
            "http": {"kind": "http", "timeout_ms": 2500} | line(self.gateway.http_port),
            "coap": {"kind": "coap", "host": "127.0.0.1", "port": self.relay.port},
            "serial": {"kind": "serial", "keepalive_s": 5},
            "lorawan": UPLINK,
        }

    def _node(self, name: str, cfg: dict) -> Killable:
        return Killable(self, name, cfg, ROOMS[name] * min(self._records, _FULL) // _FULL)

    def _start_nodes(self, stack: contextlib.ExitStack) -> None:
        for node in self.nodes:
            node.start()
            stack.callback(lambda node=node: node.node.kill())
        serial = next(node for node in self.nodes if node.name == "serial")
        bridge = ["bridge", "--port", str(serial.place), "--quiet"]
        bridge += ["--broker", f"mqtt://127.0.0.1:{self.broker.port}"]
        self.bridge = Tool(self.folder / "bridge.log", *bridge)
        self.bridge.start()
        stack.callback(self.bridge.close)
        self.weather.over_cable(serial.lose)
