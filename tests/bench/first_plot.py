"""A blank board to the first plotted value: two commands, as a user types them.

    hedgerow flash FIRMWARE            the board's boot ROM is simulated, the file is the real one
    hedgerow deploy APP --plot         the board that boots then is the emulated Pico

For RP2 the boot ROM's drive is simulated, and the Pico boots what was written there. For ESP32 the
serial boot ROM is simulated and esptool itself runs; no emulator of an ESP32 is at hand, so that
the app goes to another board, the emulated Pico with nothing but its firmware.
"""

import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

_TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(_TESTS / "host"), str(_TESTS / "emulated")]

from esp_rom import EspRom  # noqa: E402
from firmware_files import esp_firmware  # noqa: E402
from pico_port import PicoPort  # noqa: E402
from uf2_board import Uf2Board  # noqa: E402

from hedgerow.toolchain.pico import ensure_pico  # noqa: E402

_HEDGEROW = str(Path(sys.executable).with_name("hedgerow"))
_APP = """import time
n = 20
while True:
    print('soil=%d' % n)
    n += 1
    time.sleep(0.2)
"""
_ESP_APP_BYTES = 1600 * 1024  # half of it noise: some 1 MB packed, as MicroPython takes


def measure() -> list[dict]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app = folder / "field.py"
        app.write_text(_APP)
        return [*_pico(folder, app), *_esp32(folder, app)]


def _pico(folder: Path, app: Path) -> list[dict]:
    """The firmware that the toolchain builds, 660 KB."""
    uf2 = str(ensure_pico().uf2)
    with closing(PicoPort(folder / "pico")) as pico, Uf2Board(folder / "RPI-RP2") as board:
        pico.unplug()

        def power_on() -> None:
            board.restarted.wait()
            pico.chip.reset(bytes(board.flash))
            pico.plug_in()

        starting = threading.Thread(target=power_on, daemon=True)
        starting.start()
        places = ["--drive", str(board.drive), "--port", pico.address]
        flash_s = _seconds([_HEDGEROW, "flash", uf2, *places, "--board", "RPI_PICO"])
        plot_s = _until_plotted([_HEDGEROW, "deploy", str(app), "--port", pico.address, "--plot"])
    how = "660 KB of MicroPython to a simulated UF2 drive, restart, SHA-256 on the emulated Pico"
    return _rows("pico", flash_s, plot_s, how)


def _esp32(folder: Path, app: Path) -> list[dict]:
    image = folder / "firmware.bin"
    image.write_bytes(esp_firmware(0, app_bytes=_ESP_APP_BYTES))
    with EspRom("esp32") as rom:
        flash_s = _seconds([_HEDGEROW, "flash", str(image), "--port", rom.port])
    with closing(PicoPort(folder / "esp32")) as pico:
        plot_s = _until_plotted([_HEDGEROW, "deploy", str(app), "--port", pico.address, "--plot"])
    how = "1.7 MB image through esptool to the simulated boot ROM of an ESP32 (no baud rate), MD5"
    return _rows("esp32", flash_s, plot_s, how)


def _rows(board: str, flash_s: float, plot_s: float, how: str) -> list[dict]:
    ends = "`hedgerow deploy --plot` of a one-file app to the emulated Pico, until the first plot"
    values = [("flash", flash_s, how), ("deploy_to_plot", plot_s, ends)]
    values.append(("blank_to_plot", flash_s + plot_s, "the two commands before"))
    return [
        {"name": f"{board}_{name}", "value": round(value, 2), "unit": "s", "how": text}
        for name, value, text in values
    ]


def _seconds(command: list[str]) -> float:
    begun_s = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")
    return time.monotonic() - begun_s


def _until_plotted(command: list[str]) -> float:
    """Until the axis of a plot is printed; the command is ended then."""
    begun_s = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        seen = []
        for line in process.stdout or ():
            seen.append(line)
            if "┤" in line:
                return time.monotonic() - begun_s
        raise RuntimeError(f"{command}: no plot: {''.join(seen)}")
    finally:
        process.terminate()
        process.wait()
