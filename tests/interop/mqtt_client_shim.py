"""The MQTT client on the Unix port, driven from outside: commands in, events out, JSON lines.

    python tests/interop/mqtt_client_shim.py 127.0.0.1 1883 '{"do": "connect", "version": 5}' \
        '{"do": "publish", "topic": "a", "payload": "x", "qos": 2}'
    python tests/interop/mqtt_client_shim.py 127.0.0.1 1883 < commands

Commands: connect, publish, subscribe, unsubscribe, wait, fail, stats, sleep, disconnect, close;
their keys and events stand in README.md. Exit code: 0; 1 if a command failed; 2 for wrong
arguments. Started by CPython it looks for MicroPython and hands over to it.
"""

import sys

_CLIENT = (  # arguments of mqtt.Client and of its version=5 that "connect" passes on
    "clean_session",
    "keepalive_s",
    "max_inflight",
    "max_packet_bytes",
    "password",
    "properties",
    "receive_max",
    "resend_lost",
    "session_expiry_s",
    "timeout_ms",
    "topic_alias_max",
    "topic_aliases",
    "user",
    "version",
    "will_properties",
)


def say(event, **facts):
    facts["event"] = event
    print(json.dumps(facts))


def _value(value):
    """Bytes are {"hex": ".."} in JSON, both ways."""
    if isinstance(value, dict):
        if len(value) == 1 and "hex" in value:
            return binascii.unhexlify(value["hex"])
        return {key: _value(one) for key, one in value.items()}
    return value


def _plain(value):
    if isinstance(value, (bytes, bytearray)):
        return {"hex": binascii.hexlify(value).decode()}
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value


def _payload(command):
    if "payload_hex" in command:
        return binascii.unhexlify(command["payload_hex"])
    return command.get("payload", "").encode()


def _parsed(text):
    """(name, command without it) of a line of JSON."""
    command = json.loads(text)
    if not isinstance(command, dict) or not isinstance(command.get("do"), str):
        raise ValueError('not a command: expected {"do": "connect", ...}')
    return command.pop("do"), command


class Shim:
    """Carries out one command after the other; one client, made by the first "connect"."""

    def __init__(self, host, port):
        self._host = host
        self._port = port
        self._client = None
        self._kv = None
        self._messages = 0
        self._failing = 0  # messages that the handler is still to fail on
        self._watcher = None

    async def do(self, text):
        """One command in JSON; an error is an event, the next command goes on. False for that."""
        name = "command"
        try:
            name, command = _parsed(text)
            facts = await self._method(name)(command)
        except (LinkError, OSError, ValueError, TypeError, StoreError, ConfigError) as e:
            facts = {"error": str(e), "kind": type(e).__name__}
        except KeyError as e:
            facts = {"error": str(e.args[0]) + " is missing", "kind": "ValueError"}
        say(name, **facts)
        return "error" not in facts

    def _method(self, name):
        method = getattr(self, "do_" + name, None)
        if method is None:
            raise ValueError("no such command")
        if self._client is None and name not in ("connect", "sleep", "fail"):
            raise ValueError("connect comes first")
        return method

    async def do_connect(self, command):
        """Connect; the first time, or with "again" false, a new client as after a restart."""
        if self._client is None or not command.get("again", True):
            if self._client:
                self._client.close()
            self._client = self._make(command)
        present = await self._client.connect()
        self._watcher = asyncio.create_task(self._watch())
        client = self._client
        told = _plain(client.told or {})
        return {
            "present": present,
            "told": told,
            "inflight": client.inflight,
            "id": client.client_id,
        }

    def _make(self, command):
        tls = None
        if command.get("ca"):
            from hedge.net.tls_context import client_context

            pair = command.get("cert"), command.get("cert_key")
            tls = client_context(command["ca"], *pair)
        tcp = Tcp(self._host, self._port, tls, command.get("server_hostname"))
        options = {name: _value(command[name]) for name in _CLIENT if name in command}
        if "will" in command:
            will = command["will"]
            qos, retain = will.get("qos", 0), will.get("retain", False)
            options["will"] = (will["topic"], _payload(will), qos, retain)
        if "session" in command:
            from hedge.net.mqtt_session import Session

            self._kv = KV(command["session"])
            options["session"] = Session(self._kv)
        return Client(tcp.open, command.get("id", "shim"), on_message=self._handle, **options)

    async def _handle(self, topic, payload, retain, properties=None):
        if self._failing:
            self._failing -= 1
            raise ValueError("told to fail")
        self._messages += 1
        if self._kv:  # an application that counts, in the same file as the session
            self._kv.set("count", self._kv.get("count", 0) + 1)
        payload = binascii.hexlify(payload).decode()
        say(
            "message",
            topic=topic,
            payload_hex=payload,
            retain=retain,
            properties=_plain(properties),
        )

    async def _watch(self):
        client = self._client
        try:
            while True:
                await client.wait_change()
        except (LinkError, OSError) as e:
            say("lost", reason=str(e))

    async def do_publish(self, command):
        """With "count", that many messages of payload + number."""
        start_ms = time.ticks_ms()
        count = command.get("count")
        for i in range(count or 1):
            payload = _payload(command) + (b"%d" % i if count else b"")
            await self._client.publish(
                command["topic"],
                payload,
                command.get("qos", 0),
                command.get("retain", False),
                command.get("wait", True),
                _value(command.get("properties")),
            )
        return {
            "ms": time.ticks_diff(time.ticks_ms(), start_ms),
            "inflight": self._client.inflight,
        }

    async def do_subscribe(self, command):
        topic, qos = command.pop("topic"), command.pop("qos", 1)
        return {"granted": await self._client.subscribe(topic, qos, **command)}

    async def do_unsubscribe(self, command):
        await self._client.unsubscribe(command["topic"])
        return {}

    async def do_wait(self, command):
        """Until "messages" came in all, "inflight" is at most that, or the session is "lost"."""
        start_ms = time.ticks_ms()
        while not self._there(command):
            if time.ticks_diff(time.ticks_ms(), start_ms) > command.get("ms", 60000):
                raise LinkError("waited in vain")
            await asyncio.sleep_ms(2)
        while command.get("lost") and not self._watcher.done():  # it says why
            await asyncio.sleep_ms(2)
        return {"messages": self._messages}

    def _there(self, command):
        if command.get("lost"):
            return not self._client.connected
        if self._client.inflight > command.get("inflight", 1 << 16):
            return False
        return self._messages >= command.get("messages", 0)

    async def do_fail(self, command):
        """The handler raises at the next "count" messages: they must not be acknowledged."""
        self._failing = command.get("count", 1)
        return {}

    async def do_sleep(self, command):
        await asyncio.sleep_ms(command["ms"])
        return {}

    async def do_stats(self, command):
        names = ("oversized", "redelivered", "refused", "inflight", "bytes_sent", "connected")
        facts = {name: getattr(self._client, name) for name in names}
        facts["count"] = self._kv.get("count", 0) if self._kv else self._messages
        gc.collect()
        facts["mem_used"] = gc.mem_alloc()
        return facts

    async def do_disconnect(self, command):
        self._quiet()
        await self._client.disconnect(command.get("code", 0), _value(command.get("properties")))
        return {}

    async def do_close(self, command):
        """Drop the connection without a goodbye."""
        self._quiet()
        self._client.close()
        return {}

    def _quiet(self):
        if self._watcher:
            self._watcher.cancel()


async def run(host, port, commands):
    """The exit code."""
    shim = Shim(host, port)
    failed = 0
    for text in commands:
        failed += not await shim.do(text)
    lines = None if commands else asyncio.StreamReader(sys.stdin.buffer)
    while lines:
        line = await lines.readline()
        if not line:
            break
        if line.strip():
            failed += not await shim.do(line)
    return 1 if failed else 0


def _hand_over():
    """From CPython to MicroPython: this process becomes it."""
    import os

    from hedgerow import paths
    from hedgerow.toolchain.unix import find_micropython

    program = str(find_micropython())
    path = os.environ.get("MICROPYPATH") or f"{paths.firmware_dir()}:.frozen"
    command = [program] + sys.argv  # noqa: RUF005  MicroPython parses this file
    os.execve(program, command, dict(os.environ, MICROPYPATH=path))


if sys.implementation.name != "micropython":
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        sys.exit(0)
    if len(sys.argv) < 3 or not (sys.argv[2].isdigit() and 0 < int(sys.argv[2]) < 65536):
        print("usage: mqtt_client_shim.py HOST PORT [COMMAND...]; see --help", file=sys.stderr)
        sys.exit(2)
    _hand_over()

import asyncio  # noqa: E402  MicroPython from here on
import binascii  # noqa: E402
import gc  # noqa: E402
import json  # noqa: E402
import time  # noqa: E402

from hedge.core import log  # noqa: E402
from hedge.core.errors import ConfigError, LinkError, StoreError  # noqa: E402
from hedge.net.mqtt import Client  # noqa: E402
from hedge.net.tcp import Tcp  # noqa: E402
from hedge.store.kv import KV  # noqa: E402

log.level = log.WARN + 1  # stdout is for events
sys.exit(asyncio.run(run(sys.argv[1], int(sys.argv[2]), sys.argv[3:])))
