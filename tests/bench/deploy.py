"""Deploying to the emulated Pico over its virtual USB: an edit, and a 100 KB model."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parent.parent / "emulated"))

from pico_port import PicoPort

from hedgerow.device.deploy import deploy
from hedgerow.device.monitor import lines

_EDITS = 5
_MODELS = 3
_MODEL_BYTES = 102400
_START_S = 60.0
_CORE_HZ = 125e6
_APP = "import time\nprint('%s %d')\nwhile True:\n    time.sleep(1)\n"
_HEDGEROW = Path(sys.executable).with_name("hedgerow")


def measure() -> list[dict]:
    """Wall time of whole commands, the start of Python included, one after another."""
    with tempfile.TemporaryDirectory() as name, _board(Path(name)) as port:
        folder = Path(name) / "app"
        folder.mkdir()
        quiet = _edit(folder, port, "deploy_edit", "one core runs the emulator")
        with _busy_core():
            busy = _edit(folder, port, "deploy_edit_busy", "another program keeps one core busy")
        model = _model(Path(name), port)
    return [quiet, busy, *(_board_time(n_modules) for n_modules in (0, 100)), model]


@contextmanager
def _board(folder: Path) -> Iterator[str]:
    link = folder / "pico"
    command = [_HEDGEROW, "emulate", "pico", "--link", link]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        end_s = time.monotonic() + _START_S
        while not link.exists() and time.monotonic() < end_s:
            time.sleep(0.1)
        yield str(link)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _busy_core() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _edit(folder: Path, port: str, name: str, machine: str) -> dict:
    (folder / "model.hgm").write_bytes(_weights(9, 20000))
    times = []
    for number in range(_EDITS + 2):  # the first two fill both slots
        (folder / "main.py").write_text(_APP % (name, number))
        times.append(_seconds([_HEDGEROW, "deploy", folder, "--port", port]))
    how = "`hedgerow deploy` of a one-line edit beside a 20 KB model, until the supervisor starts "
    how += f"the app; emulated Pico (virtual USB), median of {_EDITS}; {machine}"
    value = round(statistics.median(times[2:]), 2)
    return {"name": name, "value": value, "unit": "s", "limit": 2.0, "how": how}


class _CountedPort(PicoPort):
    """cycles: of the board's core from each power on to the next power off."""

    cycles = 0

    def _power_off(self) -> None:
        self.cycles = self.chip.status()["cycles"]
        super()._power_off()


def _board_time(n_modules: int) -> dict:
    """Of the board alone: cycles from power on to the edited app's first line, less those of a
    boot without a deploy."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "app"
        folder.mkdir()
        for number in range(n_modules):
            (folder / f"module_{number}.py").write_text(f"X = {number}\n")
        with closing(_CountedPort(Path(name) / "pico")) as pico:
            for edit in range(3):  # the first two fill both slots; every boot is the same then
                _put_edit(pico, folder, edit)
            idle = _cycles(pico, lambda: _hear(pico, "edit 2"))
            edited = _cycles(pico, lambda: (_hear(pico, "edit 2"), _put_edit(pico, folder, 3)))
    how = (
        "the same beside 20 KB, without host and line: core cycles of the emulated Pico at 125 MHz"
    )
    name = f"deploy_edit_board_{n_modules + 2}_files"
    value = round((edited - idle) / _CORE_HZ, 3)
    return {"name": name, "value": value, "unit": "s", "how": f"{how}; {n_modules + 2} files"}


def _put_edit(pico: PicoPort, folder: Path, edit: int) -> None:
    (folder / "model.hgm").write_bytes(_weights(9, 20000))
    (folder / "main.py").write_text(_APP % ("edit", edit))
    deploy(folder, port=pico.address)
    _hear(pico, f"edit {edit}")


def _cycles(pico: "_CountedPort", act: Callable[[], object]) -> int:
    pico.unplug()
    pico.plug_in()
    act()
    pico.unplug()
    pico.plug_in()
    return pico.cycles


def _hear(pico: PicoPort, text: str) -> None:
    found = any(text in line for line in lines(pico.address, for_s=_START_S))
    if not found:
        raise RuntimeError(f"the board did not say {text!r}")


def _model(folder: Path, port: str) -> dict:
    """Interleaved; a new file each time, as mpremote skips one that is there."""
    ours, theirs = [], []
    for seed in range(_MODELS):
        path = folder / "model.hgm"
        path.write_bytes(_weights(seed, _MODEL_BYTES))
        ours.append(_seconds([_HEDGEROW, "cp", path, ":ours.hgm", "--port", port]))
        mpremote = [sys.executable, "-m", "mpremote", "connect", port]
        theirs.append(_seconds([*mpremote, "cp", path, ":theirs.hgm"]))
    value, peer = statistics.median(ours), statistics.median(theirs)
    how = "100 KB of int8 weights (normal, sigma 20), `hedgerow cp` beside `mpremote cp`, "
    how += f"median of {_MODELS} each, interleaved; emulated Pico (virtual USB)"
    row = {"name": "deploy_model_100kb", "value": round(value, 2), "unit": "s", "how": how}
    peers = {"peer": "mpremote cp", "peer_value": round(peer, 2), "ratio": round(value / peer, 3)}
    return {**row, **peers, "limit": 1 / 3, "limit_of": "ratio"}


def _weights(seed: int, n_bytes: int) -> bytes:
    values = np.random.default_rng(seed).normal(0, 20, n_bytes)
    return np.clip(values.round(), -128, 127).astype(np.int8).tobytes()


def _seconds(command: list) -> float:
    begun_s = time.monotonic()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")
    return time.monotonic() - begun_s
