"""Each fault that `hedgerow doctor` knows is told by the facts that show it, and by no others."""

import os
import pty

import pytest
from click.testing import CliRunner

from hedgerow.cli.doctor import command
from hedgerow.device.doctor import diagnose, judge
from hedgerow.device.doctor_faults import FAULTS, Facts

PICO = 6 | 3 << 8 | 4 << 10  # .mpy 6.3, armv6m
GOOD = {
    "mpy": PICO,
    "version": [1, 25, 0],
    "reset_cause": ["PWRON_RESET"],
    "heap_free_bytes": 200000,
    "fs_free_pct": 60,
    "writable": True,
    "main": "import hedge_boot",
    "boot": {},
    "boot_files": ["hedge_boot.mpy", "hedge_link.mpy"],
    "current": {"slot": "a", "generation": 1},
    "failed_boots": 0,
    "crash": None,
    "manifest": True,
    "slot_files": {"main.mpy": [72, 72, [77, 6, 0, 31]]},
    "held": False,
}


def board(**changes):
    return Facts(heard=b"", has_repl=True, board={**GOOD, **changes})


def mute(heard):
    return Facts(heard=heard, has_repl=False)


ESP_RESET = b"rst:0x3 (SW_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
SHOWN_BY = {
    "no-board": Facts(n_ports=0),
    "boot-loader": Facts(n_ports=0, n_boot_loaders=1),
    "several-boards": Facts(n_ports=2),
    "port-gone": Facts(port_fault="/dev/x: there is no such port: is it"),
    "not-a-port": Facts(port_fault="/dev/x: is not a serial port"),
    "no-permission": Facts(port_fault="/dev/x: you may not open it"),
    "port-busy": Facts(port_fault="/dev/x: another program has it open"),
    "port-fails": Facts(port_fault="/dev/x: does not open: Input/output error"),
    "silent": mute(b""),
    "noise": mute(bytes(range(128, 200))),
    "ignores-ctrl-c": mute(b"KeyboardInterrupt caught, going on\r\n"),
    "brown-out": mute(b"Brownout detector was triggered\r\n" + ESP_RESET),
    "no-firmware": mute(b"invalid header: 0xffffffff\r\n"),
    "firmware-loops": mute(ESP_RESET * 4),
    "no-raw-repl": mute(b"Hello from a sketch\r\n"),
    "no-file-system": Facts(heard=b"", has_repl=True, board_error="OSError: 19"),
    "old-micropython": board(version=[1, 22, 2]),
    "mpy-version": board(mpy=5 | 4 << 10, slot_files={}),
    "no-native": board(mpy=6, slot_files={}),
    "wrong-arch": board(slot_files={"m.mpy": [9, 9, [77, 6, 10 << 2 | 3, 31]]}),
    "wrong-mpy": board(slot_files={"m.mpy": [9, 9, [77, 5, 0, 31]]}),
    "flash-full": board(fs_free_pct=2),
    "read-only": board(writable=False),
    "no-supervisor": board(main=None, current=None),
    "supervisor-incomplete": board(boot_files=[]),
    "no-app": board(current=None),
    "app-damaged": board(slot_files={"main.mpy": [72, 10, [77, 6, 0, 31]]}),
    "crash-loop": board(failed_boots=3),
    "crashed": board(failed_boots=1, crash="RuntimeError"),
    "watchdog": board(reset_cause=["WDT_RESET"], failed_boots=1),
    "low-memory": board(heap_free_bytes=9000),
    "held": board(held=True),
}
ALSO = {"mpy-version": {"no-native"}}  # what follows from it


def names(facts):
    return {fault.name for fault in judge("/dev/x", facts, "").faults}


def test_there_are_facts_for_every_fault_and_at_least_twenty():
    assert {fault.name for fault in FAULTS} == set(SHOWN_BY)
    assert len(FAULTS) >= 20


def test_a_good_board_has_no_fault():
    assert names(board()) == set()
    assert judge("/dev/x", board(), "").text() == "/dev/x: no fault found"


@pytest.mark.parametrize("name", SHOWN_BY)
def test_a_fault_is_named_alone(name):
    assert names(SHOWN_BY[name]) == {name} | ALSO.get(name, set())


def test_each_says_cause_and_cure():
    for fault in FAULTS:
        text = judge("/dev/x", SHOWN_BY[fault.name], "").text()
        assert fault.cause in text
        assert fault.cure in text


# Provoked


def test_a_port_that_is_gone(tmp_path):
    assert [f.name for f in diagnose(str(tmp_path / "ttyACM0")).faults] == ["port-gone"]


def test_a_file_that_is_no_port(tmp_path):
    (tmp_path / "x").write_text("")
    assert [f.name for f in diagnose(str(tmp_path / "x")).faults] == ["not-a-port"]


def test_a_port_that_is_busy():
    import fcntl

    master, slave = pty.openpty()
    fcntl.flock(slave, fcntl.LOCK_EX)
    try:
        found = diagnose(os.ttyname(slave))
    finally:
        os.close(slave)
        os.close(master)
    assert [f.name for f in found.faults] == ["port-busy"]


def test_the_command_lists_what_it_knows_and_fails_if_there_is_a_fault(tmp_path):
    listed = CliRunner().invoke(command, ["--list"])
    assert listed.exit_code == 0
    assert "brown-out" in listed.output
    done = CliRunner().invoke(command, ["--port", str(tmp_path / "none"), "--json"])
    assert done.exit_code == 6
    assert '"port-gone"' in done.output
