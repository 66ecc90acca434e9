"""One simulated node: its folder, its processes over all resets, what it reported.

    node = NodeRun(plan, world, folder, span, speed=0, ...)
    node.start()
    while node.running():           # restarts it after a reset or a deep sleep
        ...
    node.kill()                     # a power cut; start() brings it back, later in the same life

Folder: plan.json, sim.json (input), world.json (the field outlives the node), stats-<boot>.json
(one per run), store/ (the node's own log), node.log (its output).
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hedgerow import paths
from hedgerow.errors import DeviceError
from hedgerow.sim.world import Span
from hedgerow.transport.unix_process import UnixProcess

EXIT_DONE = 0
EXIT_UNDRAINED = 3  # the run ended, but the gateway did not acknowledge everything in time
_RESET_CODES = (80, 81, 82, 83)  # emulate/unix/fake_machine/power.py
_ASLEEP = 82
_MOST_RESTARTS = 1000  # a node that resets this often is broken, not simulated


class NodeRun:
    """Owns one node. speed 0: as fast as possible. wall_start_s: shared by all nodes.

    hold_records: virtual time waits while an open link has more to send; 0: never. faults: sensor
    faults at virtual times, see emulate/scene.py.
    """

    def __init__(
        self,
        plan: dict[str, Any],
        world: dict[str, Any],
        folder: Path,
        span: Span,
        *,
        speed: float = 0.0,
        wall_start_s: float | None = None,
        drain_s: float = 20.0,
        hold_records: int = 400,
        faults: Sequence[Mapping[str, Any]] = (),
        heap: str = "4M",
    ) -> None:
        self.plan, self.world, self.folder, self.span = plan, world, folder, span
        self.name: str = plan["node"]["name"]
        self.kills = 0
        self.restarts = 0
        self.sleeps = 0  # deep sleeps so far
        self._exit_code: int | None = None
        self._without_power = False
        self._wake_at_s: float | None = None
        self.speed = speed
        self._settings: dict[str, Any] = {
            "start_s": span.start_s,
            "end_s": span.end_s,
            "speed": speed,
            "wall_start_s": time.time() if wall_start_s is None else wall_start_s,
            "drain_s": drain_s,
            "hold_records": hold_records,
            "faults": list(faults),
            "died_wall_s": None,
            "off_s": None,
            "world": world,
        }
        folder.mkdir(parents=True, exist_ok=True)
        script = paths.emulate_dir() / "run_node.py"
        self._process = UnixProcess(
            script,
            [str(folder / "plan.json"), str(folder / "sim.json")],
            folder=folder,
            log=folder / "node.log",
            heap=heap,
            environment={"HEDGE_SIM_DIR": str(folder)},
        )

    @property
    def store_dir(self) -> Path:
        """The node's own log, for hedge.store.audit."""
        return self.folder / self.plan["store"]["dir"]

    def start(self, off_s: float | None = None) -> None:
        """Begin, or come back after kill().

        off_s: virtual time for which it was without power; None: as the real time says, which on
        a busy computer is long.
        """
        self._settings["off_s"] = off_s
        self._exit_code = None
        self._without_power = False
        self._wake_at_s = None
        _write_json(self.folder / "plan.json", self.plan)
        _write_json(self.folder / "sim.json", self._settings)
        self._process.start()

    def kill(self) -> None:
        """kill -9, like a power cut; the world learns when it happened."""
        if self._process.poll() is None:
            self._settings["died_wall_s"] = time.time()
            self.kills += 1
        self._without_power = True
        self._process.kill()
        (self.folder / "rtc.bin").unlink(missing_ok=True)  # its memory goes with the power

    def end_soon(self, virtual_s: float) -> None:
        """End the run this much virtual time after what it has lived; from the next start() on."""
        self._settings["end_s"] = int(self.span.start_s + self.progress() + virtual_s)

    def running(self) -> bool:
        """False once the run is over; True while killed. Restarts the process after a reset.

        Raises DeviceError, with the end of its log, if the node stopped in any other way.
        """
        if self._exit_code in (EXIT_DONE, EXIT_UNDRAINED):
            return False
        if self._without_power:
            return True
        if self._wake_at_s is not None:
            if time.time() >= self._wake_at_s:
                self.start()
            return True
        code = self._process.poll()
        if code is None:
            return True
        return self._ended(code)

    def _ended(self, code: int) -> bool:
        if code == _ASLEEP:
            self._settings["died_wall_s"] = None
            self.sleeps += 1
            if self.speed:
                self._wake_at_s = time.time() + self._sleep_s()
            else:
                self.start()
            return True
        if code in _RESET_CODES and self.restarts < _MOST_RESTARTS:
            self._settings["died_wall_s"] = None
            self._restart()
            return True
        self._exit_code = code
        if code not in (EXIT_DONE, EXIT_UNDRAINED):
            what = "was killed" if code < 0 else f"stopped with code {code}"
            tail = self._process.log_tail()
            raise DeviceError(
                f"node {self.name} {what}; the end of {self.folder}/node.log:\n{tail}"
            )
        return False

    def link_troubles(self) -> list[str]:
        """The last trouble of its link that its log tells, if it tells one."""
        said = [
            line.partition(" W uplink: ")[2] for line in self._process.log_tail(200).split("\n")
        ]
        return [text for text in said if text][-1:]

    def _restart(self) -> None:
        self.restarts += 1
        self.start()

    def _sleep_s(self) -> float:
        """Real seconds of the deep sleep that just began."""
        from hedgerow.emulate.unix.fake_machine import retained

        state = retained.read(str(self.folder / "rtc.bin"))
        wake_s = state[3] / 1000 if state and state[3] else self.span.end_s
        return max(wake_s - self.span.start_s - self.progress(), 0.0) / self.speed

    @property
    def drained(self) -> bool:
        """True if the last process ended with everything acknowledged."""
        return self._exit_code == EXIT_DONE

    @property
    def pid(self) -> int:
        return self._process.pid

    def stats(self) -> list[dict[str, Any]]:
        """What each boot reported last, oldest boot first."""
        files = sorted(self.folder.glob("stats-*.json"))
        return [json.loads(file.read_text()) for file in files]

    def progress(self) -> float:
        """Virtual seconds since start_s that the node has lived through, as last reported."""
        try:
            now_s = json.loads((self.folder / "world.json").read_text())["now_s"]
        except (OSError, ValueError, KeyError):
            return 0.0  # not written yet
        return max(now_s - self.span.start_s, 0.0)


def _write_json(path: Path, data: Any) -> None:
    """Whole or not at all, also when the reader starts in between."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(data))
    os.replace(new, path)
