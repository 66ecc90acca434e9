"""The readers, each attacked in a process of its own and watched; the table of what came out."""

import json
import os
import selectors
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from hedgerow import paths
from hedgerow.toolchain.unix import find_micropython

_HERE = Path(__file__).resolve().parent
_TESTS = _HERE.parent
_BOARD = ("board_wire", "board_mqtt", "board_coap", "board_lorawan", "board_net", "board_store")
_HOST = ("host_gateway", "host_lns")

# Of these, only so much of the packets: they start a store, ask a web framework, or take bytes one
# by one, and would need hours.
SHARES = {"gps": 0.1, "store region": 0.02, "store folder": 0.002}
SHARES |= {f"gateway http {part}": 0.1 for part in ("body", "head", "query")}

SILENT_S = 60.0  # a child that tells no progress that long hangs; it tells it every 500 packets
SLOW_MS = 250.0  # CPU time of one packet; the slowest honest one takes a tenth of it
_GROWTH_BYTES = {"micropython": 16 << 10, "cpython": 4 << 20}
_HEAP = "heapsize=1m"
_FEW = 1000  # with fewer packets a reader may refuse all by chance

HEAD = f"{'reader':24} {'python':6} {'packets':>8} {'s':>6} {'1/s':>6} {'slowest':>8} {'grown':>8}"
HEAD += "  outcome"


@dataclass(frozen=True)
class Row:
    """One reader: where its table is, and which Python runs it."""

    name: str
    module: str
    python: str


@dataclass
class Result:
    """What one attack told. findings: texts; empty if all is well."""

    row: Row
    packets: int
    told: dict = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)


def rows(only: list[str], python: str | None) -> list[Row]:
    """Readers whose name contains one of `only` (all without any); host tools need CPython."""
    _use_shims()
    found = []
    for modules, own in ((_BOARD, "micropython"), (_HOST, "cpython")):
        if own == "cpython" and python == "micropython":
            continue
        found += [Row(n, m, python or own) for m in modules for n in __import__(m).READERS]
    return [row for row in found if not only or any(part in row.name for part in only)]


def _folders() -> list[str]:
    return [str(_HERE), str(_TESTS / "unit"), str(_TESTS / "host")]


def _use_shims() -> None:
    sys.path[:0] = [*_folders(), str(_TESTS / "shim" / "cpython")]
    import micropython  # noqa: F401  adds the MicroPython names to time and asyncio


def attack(row: Row, packets: int, seed: int) -> Result:
    """Run one reader to its end, or until it has been silent for SILENT_S."""
    count = max(int(packets * SHARES.get(row.name, 1)), 1)
    result = Result(row, count)
    command, env = _command(row, count, seed)
    lines, code = _watched(command, env)
    if code == 0 and lines and lines[-1].startswith("{"):
        result.told = json.loads(lines[-1])
        result.findings = judged(result)
    else:
        after = next((text for text in reversed(lines) if text.isdigit()), "0")
        what = f"no progress for {SILENT_S:.0f} s" if code is None else f"died, code {code}"
        said = " | ".join(text for text in lines[-12:] if not text.isdigit())
        result.findings = [f"{what} after packet {after} of seed {seed}: {said}"]
    return result


def _command(row: Row, count: int, seed: int) -> tuple[list[str], dict[str, str]]:
    arguments = [str(_HERE / "child.py"), row.module, row.name, str(count), str(seed)]
    if row.python == "cpython":
        path = [*_folders(), str(_TESTS / "shim" / "cpython")]
        return [sys.executable, *arguments], dict(os.environ, PYTHONPATH=":".join(path))
    path = [*_folders(), str(_TESTS / "shim" / "upy"), str(paths.firmware_dir()), ".frozen"]
    command = [str(find_micropython()), "-X", _HEAP, *arguments]
    return command, dict(os.environ, MICROPYPATH=":".join(path))


def _watched(command: list[str], env: dict[str, str]) -> tuple[list[str], int | None]:
    """(last lines, exit code); None: it hung and was killed."""
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, bufsize=0
    )
    assert child.stdout is not None
    text, selector = b"", selectors.DefaultSelector()
    selector.register(child.stdout, selectors.EVENT_READ)
    try:
        while selector.select(SILENT_S):
            piece = os.read(child.stdout.fileno(), 65536)
            if not piece:
                return _lines(text), child.wait(SILENT_S)
            text = (text + piece)[-20000:]
        return _lines(text), None
    finally:
        child.kill()
        child.wait()


def _lines(text: bytes) -> list[str]:
    return text.decode("utf-8", "replace").splitlines()


def judged(result: Result) -> list[str]:
    """What is wrong with what an attack told: texts."""
    told, found = result.told, []
    for kept in told["findings"]:
        trace = kept["trace"].strip().replace("\n", "\n        ")
        found.append(f"crash at packet {kept['packet']}: {kept['hex']}\n        {trace}")
    if told["slowest_ms"] > SLOW_MS:
        found.append(f"{told['slowest_ms']:.0f} ms of CPU time: {told['slowest_hex']}")
    if told["growth_bytes"] > _GROWTH_BYTES[result.row.python]:
        found.append(f"grew by {told['growth_bytes']} bytes")
    if told["one_sided"] and result.packets >= _FEW:
        found.append(f"all packets ended alike, so that nothing was tested: {told['counts']}")
    return found


def line(result: Result) -> str:
    """One line of the table."""
    row, told = result.row, result.told
    python = {"micropython": "upy", "cpython": "c"}[row.python]
    head = f"{row.name:24} {python:6} {result.packets:8}"
    if not told:
        return head + "  FAILED"
    rate = result.packets / max(told["seconds"], 1e-9)
    counts = sorted(told["counts"].items(), key=lambda pair: (pair[0] != "accepted", -pair[1]))
    outcome = ", ".join(f"{word} {count}" for word, count in counts)
    times = f"{told['seconds']:6.0f} {rate:6.0f} {told['slowest_ms']:5.0f} ms"
    return (
        f"{head} {times} {told['growth_bytes']:8}  {outcome}{' FOUND' if result.findings else ''}"
    )
