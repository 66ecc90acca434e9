"""The other ends: brokers that are not ours, a relay between, a broker that misbehaves."""

import asyncio
import contextlib
import getpass
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Self

from ports import free_port

# No bound on anything: a machine that stands still for seconds, again and again, keeps them.
_LIMIT_S = 120.0
_LISTENER = re.compile(r"^listener (\d+) (\S+)", re.MULTILINE)


def soon(check: Callable[[], Any], what: object = "it", limit_s: float = _LIMIT_S) -> Any:
    """Wait until check() is true, and return that. what: told if it never was."""
    end = time.monotonic() + limit_s
    while not (found := check()):
        assert time.monotonic() < end, f"waited {limit_s:g} s in vain for {what}"
        time.sleep(0.02)
    return found


def _listens(port: int, host: str) -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return False
    return True


class BrokerProcess:
    """A broker of this test's own; kill() is SIGKILL, start() brings it back on its port.

    listeners: (port, host) of all it listens on, where that is more than its port.
    """

    def __init__(
        self, command: list[str], log: Path, port: int, listeners: tuple[tuple[int, str], ...] = ()
    ) -> None:
        self.port = port
        self._command = command
        self._log = log
        self._listeners = listeners or ((port, "127.0.0.1"),)
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        soon(self._is_up, f"{self._command[0]} to listen, see {self._log}")

    def _is_up(self) -> bool:
        assert self._process
        assert self._process.poll() is None, self._log.read_text(errors="replace")[-2000:]
        return all(_listens(port, host) for port, host in self._listeners)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(_LIMIT_S)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Mosquitto(BrokerProcess):
    def __init__(self, program: Path, folder: Path, extra: str = "") -> None:
        conf = folder / "mosquitto.conf"
        port = free_port()
        more = tuple((int(found[1]), found[2]) for found in _LISTENER.finditer(extra))
        listeners = ((port, "127.0.0.1"), *more)
        command = [str(program), "-c", str(conf)]
        super().__init__(command, folder / "mosquitto.log", port, listeners)
        access = "" if "allow_anonymous" in extra else "allow_anonymous true\n"
        conf.write_text(
            f"listener {self.port} 127.0.0.1\n{access}user {getpass.getuser()}\n"
            f"persistence true\npersistence_location {folder}/\n"
            f"autosave_interval 1\nautosave_on_changes true\n{extra}"
        )


class LoopThread:
    """An event loop in a thread, for peers that are asyncio: run(coroutine) waits for it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_LIMIT_S)

    def close(self) -> None:
        self.run(self._cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_LIMIT_S)

    async def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class PythonBroker:
    """amqtt in this process. Sessions live in memory: kill() forgets them."""

    def __init__(self, thread: LoopThread, accounts: dict[str, str] | None = None) -> None:
        self.port = free_port()
        self._thread = thread
        self._accounts = accounts
        self._broker: Any = None

    def start(self) -> None:
        self._thread.run(self._start())

    async def _start(self) -> None:
        import logging

        from amqtt.broker import Broker

        logging.getLogger("amqtt").setLevel(logging.CRITICAL)
        logging.getLogger("transitions").setLevel(logging.CRITICAL)
        plugins: dict = {
            "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
        }
        config = {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}},
            "plugins": plugins,
        }
        self._broker = Broker(config)
        await self._broker.start()

    def kill(self) -> None:
        if self._broker:
            self._thread.run(self._broker.shutdown())
            self._broker = None

    def __enter__(self) -> "PythonBroker":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


async def _close(server: Any) -> None:
    server.close()


def _abort(pair: dict) -> None:
    for writer in pair["writers"]:
        writer.transport.abort()


class Relay:
    """Between node and broker, on a port of its own. Records what the node sent.

    passed: (number of the connection, whether the node sent it, bytes), in order, both ways.
    deaf: nothing more reaches the node; stalled: nothing passes either way. Both hold for the
    connections that exist; connections made later pass freely.
    cuts_left: so many connections from now on are cut, each when the node has sent `cut_at_bytes`.
    shut: connections made now are dropped at once. ended: connections that are over at both ends.
    """

    def __init__(self, thread: LoopThread, target_port: int) -> None:
        self.from_node = bytearray()
        self.passed: list[tuple[int, bool, bytes]] = []
        self._thread = thread
        self._target_port = target_port
        self._pairs: list[dict] = []
        self._connections = 0
        self._server: Any = None
        self.cuts_left = 0
        self.cut_at_bytes = 0
        self.shut = False
        self.ended = 0
        self.port = free_port()  # kept when it is entered again

    def __enter__(self) -> "Relay":
        self._server = self._thread.run(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.run(_close(self._server))
        self.cut()

    def deafen(self) -> None:
        for pair in self._pairs:
            pair["deaf"] = True

    def stall(self) -> None:
        for pair in self._pairs:
            pair["deaf"] = pair["mute"] = True

    def cut(self) -> None:
        async def close() -> None:
            for pair in self._pairs:
                _abort(pair)
            self._pairs.clear()

        self._thread.run(close())

    def _cut_one(self, pair: dict) -> bool:
        """Cut this connection if it is due; what the node sent last is lost with it."""
        if not self.cuts_left or pair["bytes"] < self.cut_at_bytes:
            return False
        self.cuts_left -= 1
        _abort(pair)
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        pair: dict = {"deaf": False, "mute": False, "writers": [writer], "n": self._connections}
        pair["bytes"] = 0
        if self.shut:
            _abort(pair)
            return
        self._pairs.append(pair)
        with contextlib.suppress(asyncio.CancelledError):  # at the very end
            await self._carry(reader, writer, pair)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pair: dict
    ) -> None:
        try:
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:  # the broker is dead: the node is told at once, as without a relay
            _abort(pair)
            return
        pair["writers"].append(far)
        down = asyncio.create_task(self._pass(far_reader, writer, pair, "deaf"))
        await self._pass(reader, far, pair, "mute")
        await down
        self.ended += 1

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pair: dict, gate: str
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if gate == "mute":
                    self.from_node += data
                    pair["bytes"] += len(data)
                    if self._cut_one(pair):
                        return
                if not pair[gate]:
                    self.passed.append((pair["n"], gate == "mute", data))
                    writer.write(data)
                    await writer.drain()
            while pair[gate]:  # a stalled line does not pass on the end of the stream either
                await asyncio.sleep(0.05)
        writer.close()


class Rogue:
    """A broker that answers CONNECT with these bytes and then listens; keeps what it was sent."""

    def __init__(self, thread: LoopThread, answer: bytes) -> None:
        self.heard = bytearray()
        self._answer = answer
        self._thread = thread
        self._server: Any = None

    @property
    def port(self) -> int:
        return self._server.sockets[0].getsockname()[1]

    def __enter__(self) -> "Rogue":
        self._server = self._thread.run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.run(_close(self._server))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await reader.read(1024)
            writer.write(self._answer)
            while data := await reader.read(1024):
                self.heard += data
        writer.close()
