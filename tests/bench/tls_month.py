"""RAM over 30 days with a TLS session an hour, in as many words as 64 KB are on a board.

Time is warped: an hour is its work, not the waiting. Writes build/tls_month.png. The Unix port
has 8-byte words, so `-X heapsize=64wk` stands for 64 KB of a board's; what mbedTLS takes from the
C library (on ESP32: from the heap beside MicroPython's) shows in the process's resident memory.

    python tests/bench/run.py tls_month
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import heap

_TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(_TESTS / "interop"), str(_TESTS / "unit")]

from authority import Authority  # noqa: E402  found through the line above
from gateway_stub import GatewayStub  # noqa: E402
from peers import Mosquitto, free_port  # noqa: E402

from hedgerow import paths  # noqa: E402

_HOURS = 720
_HEAP = "64wk"
_SETTLED = 24  # hours after which nothing new should be needed
_GROWTH_LIMIT = 1024  # bytes, last day against the second
_NODE = Path(__file__).with_name("upy") / "tls_month_node.py"
_HOW = f"{_HOURS} TLS sessions, mosquitto, heap {_HEAP} of 8-byte words, code frozen"


def measure(hours: int = _HOURS) -> list[dict]:
    """Growth of the heap and of the process, and whether everything arrived."""
    used, resident, end, stored = _month(hours)
    _plot(used, resident)
    day = min(24, hours // 4)
    growth = max(used[-day:]) - max(used[_SETTLED : _SETTLED + day] or used[:day])
    process = max(resident[-day:]) - max(resident[_SETTLED : _SETTLED + day] or resident[:day])
    lost = hours * 4 - stored + end["pending"]
    return [
        _row("heap, growth over 30 days of TLS", growth, "B", _GROWTH_LIMIT),
        _row("heap, most in use, collected", max(used), "B"),
        _row("process, growth over 30 days of TLS", process, "KB"),
        _row("records lost in 30 days of TLS", lost, "", 0),
        _row("sessions in 30 days of TLS", end["stats"]["sessions"], ""),
    ]


def _month(hours: int) -> tuple[list[int], list[int], dict, int]:
    """(heap in use, resident KB) after each hour, what the node told last, records stored."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = Authority("bench CA")
        (folder / "ca.pem").write_bytes(authority.pem)
        authority.issue(folder, "good", "broker.test")
        port = free_port()
        listener = f"listener {port} 127.0.0.1\n"
        listener += f"certfile {folder}/good.pem\nkeyfile {folder}/good.key\n"
        args = {"port": port, "ca": str(folder / "ca.pem"), "hours": hours}
        (folder / "args.json").write_text(json.dumps(args))
        with (
            Mosquitto(heap.mosquitto(), folder, listener) as broker,
            GatewayStub(broker.port) as gateway,
        ):
            used, resident, end = _run(folder)
            # The gateway has none of the filler and asks for it, as a restored one does.
            stored = sum(row.startswith(b"hour") for row in gateway.rows().values())
            return used, resident, end, stored


def _run(folder: Path) -> tuple[list[int], list[int], dict]:
    command = [heap.program(), "-X", f"heapsize={_HEAP}", _NODE]
    command += [folder / "args.json", folder / "log"]
    used, resident, end = [], [], {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout
        for line in node.stdout:
            if not line.startswith("{"):
                print(line, end="")
                continue
            told = json.loads(line)
            if "used" in told:
                used.append(told["used"])
                resident.append(_resident_kb(node.pid) or resident[-1])
            else:
                end = told
    assert end, f"the node died after {len(used)} hours"
    return used, resident, end


def _resident_kb(pid: int) -> int:
    """0 once it has ended."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) if "VmRSS:" in status else 0


def _plot(used: list[int], resident: list[int]) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    days = [hour / 24 for hour in range(len(used))]
    figure, (top, bottom) = pyplot.subplots(2, 1, sharex=True, figsize=(8, 5))
    top.plot(days, [value / 1024 for value in used])
    top.set(ylabel="heap in use, KB", ylim=(0, 128), title=_HOW)
    top.axhline(128, linestyle="--", color="0.5")
    bottom.plot(days, resident)
    bottom.set(ylabel="process, KB", xlabel="days, an hour's work each hour")
    bottom.set_ylim(0, 1.2 * max(resident))
    figure.tight_layout()
    paths.build_dir().mkdir(exist_ok=True)
    figure.savefig(paths.build_dir() / "tls_month.png")


def _row(name: str, value: float, unit: str, limit: float | None = None) -> dict:
    return {"name": name, "value": value, "unit": unit, "how": _HOW, "limit": limit}
