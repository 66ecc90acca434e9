"""A mosquitto of our own: generated config, kept running, never left behind.

Persistence is set so that a killed mosquitto keeps what it acknowledged (autosave on every
change, which costs most of its speed: README.md has figures). Queues are short because each save
writes them all; what does not fit is not lost, nodes keep records until the gateway acks them.
Without set_tcp_nodelay an ack waits until the node's TCP has acknowledged the packet before it:
40 ms on Linux, up to 250 ms with lwIP.
"""

import asyncio
import contextlib
import getpass
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from hedgerow.errors import GatewayError
from hedgerow.gateway.broker.base import Broker, Report, free_port, local_address
from hedgerow.gateway.config import GatewayConfig

_log = logging.getLogger("hedgerow.gateway.mosquitto")

_SBIN = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"  # Debian keeps it out of a user's PATH
_LAUNCHER = Path(__file__).with_name("die_with_parent.py")
_START_S = 10.0
_RETRY_MIN_S, _RETRY_MAX_S = 0.5, 30.0
_STEADY_S = 60.0  # after this long without a crash the back-off begins anew

_ABOUT_ROOT = "should not be run as root"  # it runs as whoever runs the gateway

_CONFIG = """\
# Written by hedgerow gateway at every start; edits are lost.
listener {port} {host}
{access}
user {user}
pid_file {folder}/mosquitto.pid
persistence true
persistence_location {folder}/
persistence_file sessions.db
autosave_interval 1
autosave_on_changes true
max_inflight_messages 100
max_queued_messages 1000
max_packet_size 16384
set_tcp_nodelay true
log_dest stderr
log_type error
log_type warning
connection_messages false
"""


def find_mosquitto() -> str | None:
    """Path of the program, or None."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:{_SBIN}")


class MosquittoBroker:
    """Async context: starts it, restarts it with back-off when it dies, ends it."""

    def __init__(self, config: GatewayConfig, report: Report):
        self._config = config
        self._report = report
        self._folder = config.broker_dir
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._last_words = ""

    async def __aenter__(self) -> Broker:
        program = find_mosquitto()
        if program is None:
            raise GatewayError("mosquitto is not installed: install it, or use --broker python")
        await asyncio.to_thread(end_left_over, self._folder)
        port = free_port(self._config.mqtt_host, self._config.mqtt_port)
        config_path = self._write_config(port)
        self._command = [program, "-c", str(config_path)]
        await self._start(port)
        self._task = asyncio.create_task(self._keep_running(port))
        account = (self._config.user, self._config.password)
        return Broker("mosquitto", local_address(self._config.mqtt_host, port, *account))

    async def __aexit__(self, *exc_info: object) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._end()

    def _write_config(self, port: int) -> Path:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            access = "allow_anonymous true"
            if self._config.user is not None:
                access = f"allow_anonymous false\npassword_file {self._write_passwords()}"
            text = _CONFIG.format(
                port=port,
                host=self._config.mqtt_host,
                access=access,
                folder=self._folder,
                user=getpass.getuser(),  # else mosquitto, started by root, becomes another user
            )
            path = self._folder / "mosquitto.conf"
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise GatewayError(f"broker folder {self._folder}: {error}") from error
        return path

    def _write_passwords(self) -> Path:
        path = self._folder / "passwords"
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(f"{self._config.user}:{self._config.password or ''}\n")
        try:  # replaces the clear text by salted hashes
            subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            path.unlink()
            raise GatewayError(f"mosquitto_passwd failed: {error}; is it installed?") from error
        return path

    async def _start(self, port: int) -> None:
        """Spawn and wait until it accepts connections. Raises GatewayError."""
        launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid())]
        self._process = await asyncio.create_subprocess_exec(
            *launcher,
            *self._command,
            start_new_session=True,  # Ctrl-C in the terminal is for the gateway alone
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        log_task = asyncio.create_task(self._log_lines(self._process))
        deadline_s = time.monotonic() + _START_S
        while not await _accepts(self._config.mqtt_host, port):
            if self._process.returncode is not None or time.monotonic() > deadline_s:
                await self._end()
                await log_task
                raise GatewayError(f"mosquitto did not start: {self._last_words or 'no message'}")
            await asyncio.sleep(0.02)

    async def _log_lines(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr
        async for line in process.stderr:
            words = line.decode(errors="replace").strip().split(": ", 1)[-1]  # cut its time stamp
            level = logging.INFO if _ABOUT_ROOT in words else logging.WARNING
            self._last_words = words if level > logging.INFO else self._last_words
            _log.log(level, "mosquitto: %s", words)

    async def _keep_running(self, port: int) -> None:
        retry_s = _RETRY_MIN_S
        while True:
            assert self._process
            started_s = time.monotonic()
            code = await self._process.wait()
            self._report(f"mosquitto ended with code {code}: {self._last_words}")
            if time.monotonic() - started_s > _STEADY_S:
                retry_s = _RETRY_MIN_S
            await asyncio.sleep(retry_s)
            retry_s = min(retry_s * 2, _RETRY_MAX_S)
            try:
                await self._start(port)
                self._report("")
            except GatewayError as error:
                self._report(str(error))

    async def _end(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), 5)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()


async def _accepts(host: str, port: int) -> bool:
    try:
        address = local_address(host, port, None, None)
        _, writer = await asyncio.open_connection(address.host, address.port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def end_left_over(folder: Path) -> None:
    """End a mosquitto that an earlier gateway on this folder left behind, by its pid file.

    Normally the kernel ended it with its parent and it is saving its sessions; wait for that.
    Only a process that runs with this very config is touched: pids are used again.
    """
    deadline_s = time.monotonic() + 10
    pid = _left_over_pid(folder)
    if pid is not None:
        _log.warning("ending mosquitto %d of an earlier run", pid)
    while pid is not None and _left_over_pid(folder) == pid:
        late = time.monotonic() > deadline_s - 5
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
        if time.monotonic() > deadline_s:
            raise GatewayError(
                f"mosquitto (process {pid}) of an earlier run does not end: kill it"
            )
        time.sleep(0.05)


def _left_over_pid(folder: Path) -> int | None:
    try:
        pid = int((folder / "mosquitto.pid").read_text(encoding="ascii"))
        arguments = _arguments(pid)
    except (OSError, ValueError):
        return None
    return pid if str(folder / "mosquitto.conf") in arguments else None


def _arguments(pid: int) -> str:
    """Command line of a process, "" if it has ended."""
    if sys.platform == "linux":  # a bare Debian has no ps
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        return raw.replace(b"\0", b" ").decode(errors="replace")
    command = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
