"""Runs an inference under qemu-xtensa.

output = run(mpy, hgm, x)            bytes of the output tensor
count(mpy, hgm, x)                   instructions of the module, mpy_init and every run()
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from xtensa.image import program

CORE = "dc233c"  # windowed registers as an ESP32, but no MULSH: see high_products.py
_TIMEOUT_S = 120
_PLUGIN = Path(__file__).with_name("count.c")


def missing() -> list[str]:
    """Debian packages that are not here."""
    return [] if shutil.which("qemu-xtensa") else ["qemu-user"]


def run(mpy: bytes, hgm: bytes, x: bytes, rows: int = 0, core: str = CORE) -> bytes:
    """rows: output rows a slice; 0: all at once. Raises CalledProcessError if it crashes."""
    return _qemu(program(mpy, hgm, x, rows).elf, core, []).stdout


def count(mpy: bytes, hgm: bytes, x: bytes, core: str = CORE) -> int:
    """Without what stands in for MULSH and MULUH: each is one, as on an ESP32."""
    image = program(mpy, hgm, x)
    with tempfile.TemporaryDirectory() as folder:
        plugin = Path(folder) / "count.so"
        command = ["gcc", "-O2", "-shared", "-fPIC", "-o", plugin, _PLUGIN]
        subprocess.run(command, check=True)
        first, end = image.text_at, image.text_at + image.text_bytes
        options = ["-plugin", f"file={plugin},first={first},end={end}"]
        said = _qemu(image.elf, core, options).stderr.decode()
    return int(said)


def _qemu(elf: bytes, core: str, options: list[str]) -> subprocess.CompletedProcess:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program"
        path.write_bytes(elf)
        path.chmod(0o755)
        command = ["qemu-xtensa", "-cpu", core, *options, path]
        return subprocess.run(command, capture_output=True, check=True, timeout=_TIMEOUT_S)
