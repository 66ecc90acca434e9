"""Runs mqtt_scenarios.py under MicroPython and listens to what it says."""

import json
import os
import queue
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from hedgerow import paths

_SCRIPT = Path(__file__).with_name("upy") / "mqtt_scenarios.py"
_LIMIT_S = 120.0  # of a machine that stands still for seconds, not of the node


class Node:
    """A MicroPython process playing one scenario; context manager, killed at the end."""

    def __init__(self, micropython: Path, scenario: str, *, heap: str = "", **args: Any) -> None:
        args.setdefault("host", "127.0.0.1")
        folders = [str(f) for f in args.pop("path", [paths.firmware_dir()])]
        self._command = [str(micropython)] + (["-X", f"heapsize={heap}"] if heap else [])
        self._command += [str(args.pop("script", _SCRIPT)), scenario]
        self._env = dict(os.environ, MICROPYPATH=":".join([*folders, ".frozen"]))
        self._env["SCENARIO"] = json.dumps(args)  # an argument of over 255 letters kills the port
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.seen: list[str] = []

    def __enter__(self) -> "Node":
        pipes: dict = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self.process = subprocess.Popen(self._command, env=self._env, text=True, **pipes)
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(_LIMIT_S)

    def _next_line(self, wanted: str, end: float) -> str:
        """It is kept in `seen`."""
        try:
            line = self._lines.get(timeout=max(end - time.monotonic(), 0.01))
        except queue.Empty:
            raise AssertionError(f"no {wanted!r} in time; said {self.seen}") from None
        if line is None:
            raise AssertionError(f"ended without {wanted!r}; said {self.seen}")
        self.seen.append(line.rstrip())
        return line

    def expect(self, event: str, limit_s: float = _LIMIT_S) -> dict:
        """The next object of that event; everything else is skipped and kept in `seen`."""
        end = time.monotonic() + limit_s
        while True:
            line = self._next_line(event, end)
            if line.startswith("{") and json.loads(line)["event"] == event:
                return json.loads(line)

    def drain(self) -> None:
        """Put what was said so far into `seen`; an end is kept for expect()."""
        while not self._lines.empty():
            line = self._lines.get()
            if line is None:
                self._lines.put(None)
                return
            self.seen.append(line.rstrip())

    def wait_said(self, text: str, limit_s: float = _LIMIT_S) -> None:
        """Until a line with this text has come, of the log or an event."""
        end = time.monotonic() + limit_s
        while not any(text in line for line in self.seen):
            self._next_line(text, end)

    def result(self, limit_s: float = _LIMIT_S) -> dict:
        return self.expect("result", limit_s)

    def contract(self, *, kept: bool, lost: tuple[str, ...]) -> None:
        """The end of the scenario `contract`, which is the same for every link."""
        result = self.result()
        assert result["acks"] == ["frame one", "frame two", "frame three"], result
        assert result["after"] == ["LinkError", "LinkError"], result
        assert result["kept"] is kept and result["lost"] in lost, result
        assert 0 < result["sent"] < result["more"], result
