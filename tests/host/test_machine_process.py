"""Resets, watchdog, deep sleep and timers of the simulated machine, in real child processes.

Each test runs the same program under MicroPython's Unix port and under CPython. Where only one of
them can show something, the test says which.
"""

import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hedgerow import paths
from hedgerow.toolchain.unix import find_micropython

_RESET, _WDT, _DEEPSLEEP, _SOFT = 80, 81, 82, 83
_LIMIT_S = 120  # of one boot; what shall hang hangs for longer, so only a reset ends it sooner
_SHIM = Path(__file__).resolve().parents[1] / "shim" / "cpython"

_START = """
import sys, time
import machine
def out(*words):
    print(*words)
    if hasattr(sys.stdout, "flush"):
        sys.stdout.flush()
"""


def _command(python: str, program: Path) -> tuple[list[str], dict[str, str]]:
    folders = [str(paths.emulate_dir()), str(paths.firmware_dir()), str(paths.host_tools_dir())]
    if python == "micropython":
        env = {"MICROPYPATH": ":".join([*folders, ".frozen"])}
        return [str(find_micropython()), str(program)], env
    env = {"PYTHONPATH": os.pathsep.join([str(_SHIM), *folders])}
    return [sys.executable, "-c", f"import micropython\nexec(open({str(program)!r}).read())"], env


class Machine:
    """One simulated board: its programs share a folder, as boots of one board share its chip."""

    def __init__(self, python: str, folder: Path) -> None:
        self.python = python
        self.folder = folder

    def start(self, text: str, *, retain: bool = True) -> subprocess.Popen:
        program = self.folder / "main.py"
        program.write_text(_START + text)
        command, env = _command(self.python, program)
        env = dict(os.environ, **env)
        if retain:
            env["HEDGE_SIM_DIR"] = str(self.folder)
        return subprocess.Popen(command, env=env, text=True, stdout=-1, stderr=subprocess.STDOUT)

    def run(self, text: str, **options: bool) -> tuple[int, list[str]]:
        """Exit code and output lines of one boot."""
        process = self.start(text, **options)
        try:
            output, _ = process.communicate(timeout=_LIMIT_S)
        finally:
            process.kill()
        return process.returncode, output.splitlines()


@pytest.fixture(params=["micropython", "cpython"])
def board(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    return Machine(request.param, tmp_path)


_REPORT = "out(machine.reset_cause(), machine.RTC().memory())\n"


def test_first_start_is_power_on(board: Machine) -> None:
    code, lines = board.run("out(machine.reset_cause() == machine.PWRON_RESET)\n" + _REPORT)
    assert (code, lines) == (0, ["True", "1 b''"])


def test_deep_sleep_is_a_restart_with_its_memory(board: Machine) -> None:
    sleep = "machine.RTC().memory(b'42 litres')\ntry:\n    machine.deepsleep(60000)\nfinally:\n"
    code, lines = board.run(sleep + "    out('not reached')\n")
    assert (code, lines) == (_DEEPSLEEP, [])
    assert board.run(_REPORT) == (0, ["4 b'42 litres'"])


def test_memory_is_gone_after_the_next_power_cut(board: Machine) -> None:
    board.run("machine.RTC().memory(b'x')\nmachine.deepsleep(1)\n")
    board.run(_REPORT)  # ends without sleeping: its supply was cut
    assert board.run(_REPORT) == (0, ["1 b''"])


def test_wake_time_for_the_supervisor(board: Machine) -> None:
    board.run("machine.use_epoch_ms(lambda: 1767225600000)\nmachine.deepsleep(90000)\n")
    wake_ms = struct.unpack_from("<q", (board.folder / "rtc.bin").read_bytes(), 16)[0]
    assert wake_ms == 1767225690000


def test_rtc_keeps_its_setting_while_asleep(board: Machine) -> None:
    fixed = "machine.use_epoch_ms(lambda: 1767225600000)\n"
    set_it = "machine.RTC().datetime((2030, 6, 1, 0, 12, 0, 0, 0))\nmachine.deepsleep()\n"
    board.run(fixed + set_it)
    _, lines = board.run(fixed + "out(machine.RTC().datetime())")
    assert lines == ["(2030, 6, 1, 5, 12, 0, 0, 0)"]


def test_hard_and_soft_reset(board: Machine) -> None:
    keep = "machine.RTC().memory(b'kept')\n"
    assert board.run(keep + "machine.reset()\n")[0] == _RESET
    assert board.run(_REPORT + "machine.soft_reset()\n") == (_SOFT, ["2 b'kept'"])
    assert board.run(_REPORT) == (0, ["5 b'kept'"])


def test_soft_reset_unwinds_and_hard_reset_does_not(board: Machine) -> None:
    text = "try:\n    machine.%s()\nfinally:\n    out('unwound')\n"
    assert board.run(text % "soft_reset") == (_SOFT, ["unwound"])
    assert board.run(text % "reset") == (_RESET, [])


@pytest.mark.parametrize(
    "hang",
    [
        "while True:\n    pass\n",
        "time.sleep(3600)\n",
        "import asyncio\nasync def main():\n    await asyncio.sleep(3600)\nasyncio.run(main())\n",
        "try:\n    time.sleep(3600)\nfinally:\n    out('not reached')\n",
    ],
    ids=["busy", "asleep", "event loop", "finally"],
)
def test_watchdog_resets_whatever_hangs(board: Machine, hang: str) -> None:
    code, lines = board.run("machine.WDT(timeout=200)\nmachine.RTC().memory(b'w')\n" + hang)
    assert (code, lines) == (_WDT, [])
    assert board.run(_REPORT) == (0, ["3 b'w'"])


def test_fed_watchdog_lets_the_program_run(board: Machine) -> None:
    """Where this computer stood still for 0.4 s the reset is right: then again."""
    text = """
wdt = machine.WDT(timeout=400)
for _ in range(10):
    time.sleep(0.1)
    wdt.feed()
    out(time.time())
out("done")
"""
    for _ in range(20):
        code, lines = board.run(text)
        ended_s = time.time()
        if code == 0:
            assert lines[10:] == ["done"]
            return
        assert code == _WDT
        assert ended_s - float(lines[-1]) >= 0.39 if lines else True, "reset although it was fed"
    raise AssertionError("never lived for a second")


def test_watchdog_cannot_be_stopped(board: Machine) -> None:
    text = """
wdt = machine.WDT(timeout=200)
out([name for name in dir(wdt) if not name.startswith("_")])
del wdt
time.sleep(3600)
"""
    assert board.run(text) == (_WDT, ["['feed']"])


def test_watchdog_keeps_wall_time_when_device_time_stands(board: Machine) -> None:
    text = """
from hedge.core import clock
class Frozen:
    def ticks_ms(self):
        return 0
clock.use(Frozen())
machine.use_epoch_ms(lambda: 0)
machine.WDT(timeout=200)
time.sleep(3600)
"""
    assert board.run(text)[0] == _WDT


@pytest.mark.parametrize("arguments", ["timeout=0", "id=1", "timeout=-5"])
def test_watchdog_settings_are_checked(board: Machine, arguments: str) -> None:
    code, lines = board.run(f"machine.WDT({arguments})\n")
    assert code == 1
    assert "ValueError" in lines[-1]


def test_kill_is_a_power_cut(board: Machine) -> None:
    board.run("machine.RTC().memory(b'x')\nmachine.reset()\n")
    process = board.start("out('up')\ntime.sleep(3600)\n")
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=_LIMIT_S)
    assert board.run(_REPORT) == (0, ["1 b''"])


@pytest.mark.parametrize("damage", [b"", b"HRTC", b"x" * 60], ids=["empty", "short", "garbage"])
def test_damaged_retained_file_is_a_power_on(board: Machine, damage: bytes) -> None:
    (board.folder / "rtc.bin").write_bytes(damage)
    assert board.run(_REPORT) == (0, ["1 b''"])


def test_flipped_bit_in_the_retained_file(board: Machine) -> None:
    board.run("machine.RTC().memory(b'abcdef')\nmachine.reset()\n")
    data = bytearray((board.folder / "rtc.bin").read_bytes())
    data[25] ^= 1
    (board.folder / "rtc.bin").write_bytes(data)
    assert board.run(_REPORT) == (0, ["1 b''"])


def test_without_a_folder_nothing_is_retained(board: Machine) -> None:
    code, _ = board.run("machine.RTC().memory(b'x')\nmachine.reset()\n", retain=False)
    assert code == _RESET
    assert board.run(_REPORT, retain=False) == (0, ["1 b''"])


def test_boards_in_different_folders_have_different_ids(board: Machine, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    text = "out(machine.unique_id())\n"
    assert board.run(text) != Machine(board.python, other).run(text)
    assert board.run(text) == board.run(text)


def test_timers(board: Machine) -> None:
    text = """
ticks = []
once, often = machine.Timer(-1), machine.Timer(-1)
once.init(mode=machine.Timer.ONE_SHOT, period=50, callback=lambda t: ticks.append("once"))
start = time.time()
often.init(freq=20, callback=lambda t: ticks.append("often"))
while ticks.count("often") < 6:  # callbacks run between the bytecodes of a busy program
    pass
took = time.time() - start
often.deinit()
count = len(ticks)
end = time.time() + 0.15
while time.time() < end:
    pass
out(ticks.count("once"), took > 0.29, len(ticks) == count)
"""
    assert board.run(text) == (0, ["1 True True"])


def test_relay_goes_off_by_its_timer_while_the_program_hangs(board: Machine) -> None:
    text = """
from hedge.drivers.relay import Relay
levels = []
machine.on_pin(15, levels.append)
relay = Relay(machine.Pin(15), max_on_ms=100, timer=machine.Timer(-1))
relay.on()
while relay.is_on:
    pass
out(levels, relay.is_on, relay.cut_short)
"""
    assert board.run(text) == (0, ["[0, 1, 0] False 1"])


def test_machine_on_the_path_shadows_the_built_in(tmp_path: Path) -> None:
    """MicroPython only: `machine` is one of its extensible built-in modules."""
    board = Machine("micropython", tmp_path)
    _, lines = board.run("out(machine.__file__)\nimport umachine\nout(hasattr(umachine, 'WDT'))\n")
    assert lines == [str(paths.emulate_dir() / "machine.py"), "False"]
