"""A node as a process of MicroPython's Unix port.

    process = UnixProcess(script, ["plan.json"], folder=work_dir, log=work_dir / "node.log")
    process.start()
    process.poll()          # exit code, None while running, negative after a signal
    process.kill()

The process sees the firmware, the fakes of `machine` and the simulated chips on MICROPYPATH. It
dies with its parent, also when the parent is killed (Linux: PR_SET_PDEATHSIG).
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from hedgerow import paths
from hedgerow.errors import DeviceError
from hedgerow.toolchain.unix import find_micropython

_PR_SET_PDEATHSIG = 1
# Loaded here because the child may only make the one system call between fork and exec.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent() -> None:
    """For Popen's preexec_fn: have the kernel kill this child when its parent's thread ends."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def device_path() -> str:
    """MICROPYPATH for device code: the fakes come first, they shadow the built-in modules."""
    folders = (paths.emulate_dir(), paths.firmware_dir(), paths.host_tools_dir())
    return ":".join([*map(str, folders), ".frozen"])


class UnixProcess:
    """One MicroPython process; start() may be called again after it ended (a reset)."""

    def __init__(
        self,
        script: Path,
        arguments: Sequence[str],
        *,
        folder: Path,
        log: Path,
        heap: str = "4M",
        environment: dict[str, str] | None = None,
    ) -> None:
        self._command = [
            str(find_micropython()),
            "-X",
            f"heapsize={heap}",
            str(script),
            *arguments,
        ]
        self._folder = folder
        self._log = log
        self._environment = dict(os.environ, MICROPYPATH=device_path(), **(environment or {}))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Spawn, appending output to the log. Raises DeviceError if it does not start."""
        try:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command,
                    cwd=self._folder,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    preexec_fn=die_with_parent,
                )
        except OSError as error:
            raise DeviceError(f"cannot start {self._command[0]}: {error}") from error

    @property
    def pid(self) -> int:
        """Process id, 0 before start()."""
        return self._process.pid if self._process else 0

    def poll(self) -> int | None:
        """Exit code, or None while it runs or was never started."""
        return self._process.poll() if self._process else None

    def kill(self) -> None:
        """SIGKILL, as a power cut does; returns when the process is gone. Harmless if it is."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of the log, for error messages."""
        if not self._log.exists():
            return ""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])
