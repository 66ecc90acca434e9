"""ls, cp, rm, run, monitor and doctor on the real firmware of the emulated Pico."""

import random

import pytest
from click.testing import CliRunner
from pico_port import pico_port

from hedgerow.cli import cp, ls, rm, run
from hedgerow.device.deploy import deploy
from hedgerow.device.doctor import diagnose
from hedgerow.device.link import SerialLink
from hedgerow.device.monitor import lines, values
from hedgerow.device.run_file import run_file


@pytest.fixture(scope="module")
def board(need_target, tmp_path_factory):
    """A Pico with an app that prints values."""
    need_target("pico")
    folder = tmp_path_factory.mktemp("port")
    with pico_port(folder) as port:
        source = "import time\nwhile True:\n    print('soil=%d' % 23)\n    time.sleep(0.2)\n"
        (folder / "app.py").write_text(source)
        deploy(folder / "app.py", port=port.address)
        yield port


def call(command, board, *arguments):
    done = CliRunner().invoke(command.command, [*map(str, arguments), "--port", board.address])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def at_prompt(board, source):
    with SerialLink(board.address) as link:
        link.enter()
        return link.run(source)


def faults(board):
    return {fault.name for fault in diagnose(board.address).faults}


def test_files_go_there_and_back_and_away(board, tmp_path):
    data = random.Random(1).randbytes(5000)
    (tmp_path / "data.bin").write_bytes(data)
    assert call(cp, board, tmp_path / "data.bin", ":logs/").output == ":logs/data.bin\n"
    assert "     5000  data.bin\n" in call(ls, board, "logs").output
    call(cp, board, ":logs/data.bin", tmp_path / "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == data
    call(rm, board, "logs")
    assert "logs" not in call(ls, board).output


def test_a_board_without_the_supervisor_takes_files_too(board, tmp_path):
    at_prompt(board, "import os\nos.rename('/lib/hedge_link.mpy', '/lib/away')")
    (tmp_path / "x.txt").write_text("x")
    try:
        assert call(cp, board, tmp_path / "x.txt", ":").output == ":x.txt\n"
    finally:
        at_prompt(board, "import os\nos.rename('/lib/away', '/lib/hedge_link.mpy')")


def test_the_app_runs_again_after_a_command_and_is_monitored(board):
    call(ls, board)
    found = lines(board.address)
    assert any(values(line) == {"soil": 23.0} for _, line in zip(range(20), found, strict=False))
    found.close()


def test_run_shows_output_and_fails_with_a_traceback(board, tmp_path):
    (tmp_path / "try.py").write_text("print('first')\nprint(1 // 0)\n")
    done = call(run, board, tmp_path / "try.py")
    assert done.exit_code == 1
    assert done.output.startswith("first\n")
    assert "ZeroDivisionError" in done.output
    (tmp_path / "try.py").write_text("print('fine')\n")
    assert call(run, board, tmp_path / "try.py").exit_code == 0


def test_watch_runs_an_edit_of_a_program_that_never_ends(board, tmp_path):
    path = tmp_path / "loop.py"
    text = "import time\nwhile True:\n    print('edit %d')\n    time.sleep(0.1)\n"
    path.write_text(text % 1)
    heard = []

    class Enough(Exception):
        pass

    def shown(output):
        heard.append(output)
        if "edit 1" in output:
            path.write_text(text % 22)
        if "edit 22" in output:
            raise Enough

    with SerialLink(board.address) as link, pytest.raises(Enough):
        run_file(link, path, shown, watch=True)


def test_doctor_finds_nothing_on_a_good_board(board):
    assert diagnose(board.address).text() == f"{board.address}: no fault found"


@pytest.mark.parametrize(
    ("name", "harm", "mend"),
    [
        ("held", "open('/app/hold', 'w').close()", ""),
        ("app-damaged", "open('/app/a/app.mpy', 'ab').write(b'x')", "redeploy"),
        ("app-damaged", "os.remove('/app/a/manifest.json')", "redeploy"),
        ("no-supervisor", "os.rename('/main.py', '/m')", "os.rename('/m', '/main.py')"),
        (
            "supervisor-incomplete",
            "os.rename('/lib/hedge_boot.mpy', '/lib/b')",
            "os.rename('/lib/b', '/lib/hedge_boot.mpy')",
        ),
        ("no-app", "os.rename('/app/current', '/c')", "os.rename('/c', '/app/current')"),
        (
            "crash-loop",
            "from hedge_boot import Slots\ns = Slots()\ns.confirm()\ns.set_boots(3)",
            "from hedge_boot import Slots\nSlots().set_boots(0)",
        ),
        (
            "crashed",
            "from hedge_boot import Slots\nSlots().set_boots(1)\n"
            "open('/app/crash', 'w').write('RuntimeError: pump')",
            "from hedge_boot import Slots\nSlots().set_boots(0)",
        ),
        (
            "flash-full",
            "n = os.statvfs('/')[3] - 9\nf = open('/big', 'wb')\n"
            "for _ in range(n): f.write(bytes(4096))\nf.close()",
            "os.remove('/big')",
        ),
    ],
)
def test_doctor_names_a_fault_that_was_made(board, tmp_path, name, harm, mend):
    before = at_prompt(board, "import os\nprint(open('/app/current').read())")
    slot = "a" if '"slot": "a"' in before else "b"
    at_prompt(board, "import os\n" + harm.replace("/app/a/", f"/app/{slot}/"))
    try:
        assert name in faults(board)
    finally:
        if mend == "redeploy":
            (tmp_path / "app.py").write_text("print('soil=23')\n" * (1 + len(harm)))
            deploy(tmp_path / "app.py", port=board.address)
        else:
            at_prompt(board, "import os\n" + mend)
    assert name not in faults(board)


def test_doctor_names_code_of_another_processor(board, tmp_path):
    other = bytes([77, 6, 10 << 2 | 3, 31]) + bytes(20)  # xtensawin
    (tmp_path / "main.py").write_text("print('soil=23')\n")
    (tmp_path / "fast.mpy").write_bytes(other)
    deploy(tmp_path, port=board.address)
    assert "wrong-arch" in faults(board)


def test_doctor_names_an_app_that_ignores_ctrl_c(board):
    source = (
        "import time\nprint('begun')\nwhile True:\n"
        "    try:\n        time.sleep(0.1)\n"
        "    except KeyboardInterrupt:\n        print('KeyboardInterrupt ignored')\n"
    )
    with SerialLink(board.address) as link:
        link.enter()
        link.start(source)
    found = {fault.name for fault in diagnose(board.address).faults}
    board.unplug()
    board.chip.reset()
    board.plug_in()
    assert found == {"ignores-ctrl-c"}
