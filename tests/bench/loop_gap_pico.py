"""The longest wait of the control loop on the emulated Pico while its uplink works.

Log in raw flash, uplink with signed frames and MQTT client are the real ones; the network is a few
lines of upy/loop_gap_node.py, since the emulator has none. Cycles of the RP2040's core at 125 MHz;
flash waits are not modelled, nor Wi-Fi's driver, nor TLS.
"""

import json
import tempfile
from pathlib import Path

import store

from hedgerow import paths
from hedgerow.emulate.pico.board import PicoBoard
from hedgerow.errors import ToolchainError
from hedgerow.toolchain.mpy import compile_mpy

_LIMIT_MS = 50.0
_LOG_BYTES = 64 * 1024
_PROGRAM = Path(__file__).with_name("upy") / "loop_gap_node.py"
_NET = "__init__ backoff link mqtt mqtt_codec mqtt_link mqtt_state tcp topics uplink"
_RUN = """
import rp2, loop_gap_node
loop_gap_node.run(rp2.Flash(start={start}, len={size}))
"""


def measure() -> list[dict]:
    """One row; none, and the reason, where no Pico can be emulated."""
    try:
        found = _at_work()
    except ToolchainError as missing:
        print(f"loop_gap_pico: no rows: {missing}")
        return []
    how = f"{found['records']} records in {found['frames']} signed frames, raw flash, MQTT; "
    how += "emulated Pico at 125 MHz, flash waits not modelled, no TLS"
    row = {"name": "loop_gap.pico_uplink", "value": round(found["late"], 1), "unit": "ms"}
    return [{**row, "limit": _LIMIT_MS, "how": how}]


def _at_work() -> dict:
    with PicoBoard() as board, tempfile.TemporaryDirectory() as name:
        _install(board, Path(name, "out.mpy"))
        start = store.unused(bytearray(board.flash()), _LOG_BYTES)
        told = board.exec(_RUN.format(start=start, size=_LOG_BYTES), timeout_s=900)
        found: dict = json.loads(told.splitlines()[-1])
        return found


def _install(board: PicoBoard, compiled: Path) -> None:
    top = paths.firmware_dir() / "hedge"
    sources = [path for part in ("core", "wire", "store") for path in (top / part).glob("*.py")]
    sources += [top / "net" / f"{name}.py" for name in _NET.split()]
    for source in sources:
        compile_mpy(source, compiled, arch=board.native_arch)
        target = source.relative_to(top.parent).with_suffix(".mpy")
        board.put(str(target), compiled.read_bytes())
    compile_mpy(_PROGRAM, compiled, arch=board.native_arch)
    board.put("loop_gap_node.mpy", compiled.read_bytes())
    board.put("hedge/__init__.py", b'VERSION = ""\n')
    board.put("socket.py", b"")  # this firmware has none, and tcp.py is not asked to connect
