"""What a LoRaWAN uplink keeps a Pico busy with, piece by piece: the control loop waits for each.

On the emulated Pico, whose flash waits are not modelled; its clock is its core's.
"""

import json
import tempfile
from pathlib import Path

from hedgerow import paths
from hedgerow.emulate.pico.board import PicoBoard
from hedgerow.errors import ToolchainError
from hedgerow.toolchain.mpy import compile_mpy

_LIMIT_MS = 50.0  # what the control loop may be blocked for
_PROGRAM = Path(__file__).with_name("upy") / "lorawan_pieces.py"
_WIRE = "__init__ varint mac seal frame senml cbor cbor_types cbor_write cbor_read"
_LORAWAN = "__init__ crypto phy skeleton payload"
_PARTS = (
    *(f"core/{name}" for name in ("__init__", "errors", "clock", "log")),
    *(f"wire/{name}" for name in _WIRE.split()),
    "net/__init__",
    *(f"net/lorawan/{name}" for name in _LORAWAN.split()),
)
_WHAT = {
    "record": "a record into a message",
    "finish": "the end of a message",
    "pack_51": "encryption and MIC of 51 bytes",
    "pack_222": "encryption and MIC of 222 bytes",
    "join_accept": "a join-accept opened",
}


def _pieces() -> dict[str, int]:
    """Microseconds by piece."""
    with PicoBoard() as board, tempfile.TemporaryDirectory() as name:
        compiled = Path(name, "out.mpy")
        for part in _PARTS:
            source = paths.firmware_dir() / "hedge" / f"{part}.py"
            compile_mpy(source, compiled, arch=board.native_arch)
            board.put(f"hedge/{part}.mpy", compiled.read_bytes())
        board.put("hedge/__init__.py", b'VERSION = ""\n')
        compile_mpy(_PROGRAM, compiled, arch=board.native_arch)
        board.put("lorawan_pieces.mpy", compiled.read_bytes())
        found: dict[str, int] = json.loads(board.exec("import lorawan_pieces as p; p.main()", 300))
        return found


def measure() -> list[dict]:
    """Rows for build/bench.json; none, and the reason, where no Pico can be emulated."""
    try:
        found = _pieces()
    except ToolchainError as missing:
        print(f"lorawan_pico: no rows: {missing}")
        return []
    return [
        {
            "name": f"lorawan.pico.{name}",
            "value": round(us / 1000, 1),
            "unit": "ms",
            "limit": _LIMIT_MS,
            "how": f"{_WHAT[name]}, emulated Pico at 125 MHz, flash waits not modelled",
        }
        for name, us in found.items()
    ]
