"""Heap of the complete soil node, its code frozen into the firmware as on a board.

The Unix port is built with hedge frozen in (upy/manifest.py), the template's node boots in a heap
of a given size, connects through a real mosquitto to a gateway, and lives ten days of ticks. A
word is 8 bytes here and 4 on an ESP32 or RP2040: `-X heapsize=64wk` gives as many words as 64 KB
are on a board, and sizes in wk below are KB of a board. Texts and buffers do not double with the
word, so for them that rule is too generous, and for pointers it is exact.

    python tests/bench/heap.py            prints what the heap held at each step
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(_TESTS / "interop"), str(_TESTS / "unit")]

from gateway_stub import GatewayStub  # noqa: E402  found through the line above
from peers import Mosquitto  # noqa: E402

from hedgerow import paths  # noqa: E402
from hedgerow.config.project import new_project  # noqa: E402
from hedgerow.sim.prepare import load_plan, with_uplink  # noqa: E402
from hedgerow.toolchain.frozen import frozen_micropython  # noqa: E402

_DAYS = 10
_LIMIT_S = 40.0
_SIZES_K = (64, 72, 80, 88, 96, 104, 112, 120, 128, 136, 144, 160, 192)  # of 8-byte words
_SBIN = "/usr/sbin:/usr/local/sbin"
_HOW = "soil template frozen into the Unix port (64-bit words), mosquitto, gateway stub, store"


def program() -> Path:
    """The Unix port with hedge and heap_node frozen in. Builds it if need be: ToolchainError."""
    emulate = paths.host_tools_dir() / "hedgerow" / "emulate"
    manifest = Path(__file__).with_name("upy") / "manifest.py"
    return frozen_micropython(manifest, (emulate / "simclock.py",))


class Field:
    """A broker, a gateway and the plan of one node: run() it in a heap of any size."""

    def __init__(self, folder: Path, broker: Mosquitto, gateway: GatewayStub) -> None:
        self._folder = folder
        self._gateway = gateway
        self._program = program()
        plan, _ = load_plan(new_project("bed-3", "soil", folder) / "node.toml")
        plan = with_uplink(plan, "127.0.0.1", broker.port)
        plan["store"]["keep_acked"] = False
        (folder / "plan.json").write_text(json.dumps(plan))

    def run(self, heap: str, days: int = _DAYS, limit_s: float = _LIMIT_S) -> dict | None:
        """What heap_node.py told, with "stored": records at the gateway; None if it died."""
        self._gateway.gateways.clear()
        command = [self._program, "-X", f"heapsize={heap}", "-m", "heap_node"]
        command.append(self._folder / "plan.json")
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            try:
                done = subprocess.run(
                    [*command, name, str(days)],
                    capture_output=True,
                    text=True,
                    cwd=name,
                    env={k: v for k, v in os.environ.items() if k != "MICROPYPATH"},
                    timeout=limit_s,
                )
            except subprocess.TimeoutExpired:
                return None  # alive, but without the memory to do its work
        if done.returncode:
            return None
        told: dict = {}
        for line in done.stdout.splitlines():
            if line.startswith("{"):
                told |= json.loads(line)
        told["stored"] = len(self._gateway.rows()) if self._gateway.gateways else 0
        return told

    def works(self, heap: str) -> dict | None:
        """As run(); None also if anything was lost or went wrong for want of memory."""
        told = self.run(heap)
        if not told or told["pending"] or told["warnings"] or told["outages"]:
            return None
        return told if told["stored"] == told["records"] else None


def mosquitto() -> Path:
    """The broker. Raises FileNotFoundError if it is not installed."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:{_SBIN}")
    if not found:
        raise FileNotFoundError("mosquitto is not installed (Debian package mosquitto)")
    return Path(found)


@contextlib.contextmanager
def field() -> Iterator[Field]:
    """A Field with its broker. Raises FileNotFoundError if mosquitto is not installed."""
    with (
        tempfile.TemporaryDirectory() as name,
        Mosquitto(mosquitto(), Path(name)) as broker,
        GatewayStub(broker.port) as gateway,
    ):
        yield Field(Path(name), broker, gateway)


def measure() -> list[dict]:
    """Heap after boot, peak, and the smallest heap that does."""
    with field() as here:
        in_64k = here.works("64k")
        smallest_k = 64 if in_64k else _smallest_k(here)
        at_work = in_64k or here.works("64wk") or here.works(f"{smallest_k}k")
    assert at_work, "the node does not run in any of the heaps tried"
    bench = at_work["bench"]
    rows = [
        _row("heap after boot, connected", at_work["connected"] - bench, "B", "without the bench"),
        _row("heap, most at the end of a day", at_work["most"] - bench, "B", "without the bench"),
        _row(
            "heap, smallest that does (8-byte words)", smallest_k, "KB", f"bench {bench} B in it"
        ),
        _row(
            "heap, smallest that does (4-byte words)", smallest_k / 2, "KB", "half: wk, computed"
        ),
        _row("boots and runs with -X heapsize=64k", int(in_64k is not None), "", "1 yes, 0 no"),
        _row("boots and runs with -X heapsize=64wk", int(smallest_k <= 128), "", "1 yes, 0 no"),
    ]
    return rows


def _smallest_k(here: Field) -> int:
    return next((k for k in _SIZES_K if here.works(f"{k}k")), 0)


def _row(name: str, value: float, unit: str, more: str) -> dict:
    row = {"name": name, "value": value, "unit": unit, "how": f"{_HOW}; {more}"}
    return row | {"peer": None, "peer_value": None, "ratio": None}


def main() -> None:
    """Each size once, with what the node told."""
    with field() as here:
        for heap in sys.argv[1:] or ["64k", "64wk", "1m"]:
            print(heap, here.works(heap) or here.run(heap))


if __name__ == "__main__":
    main()
