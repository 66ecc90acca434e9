"""`hedgerow repl` in a terminal (a pty of its own), on the emulated Pico behind its port."""

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

HEDGEROW = Path(sys.executable).with_name("hedgerow")
CTRL_C, CTRL_X, CTRL_CLOSE = b"\x03", b"\x18", b"\x1d"


class Terminal:
    """What a user has in front of them, with `hedgerow repl` in it."""

    def __init__(self, port):
        self._screen, self.keyboard = pty.openpty()
        self.before = termios.tcgetattr(self.keyboard)
        command = [HEDGEROW, "repl", "--port", port]
        ends = dict.fromkeys(("stdin", "stdout", "stderr"), self.keyboard)
        self._process = subprocess.Popen(command, **ends, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self.keyboard)
        os.close(self._screen)

    def types(self, keys):
        os.write(self._screen, keys)

    def shows(self, text, wait_s=150.0):
        """Everything up to text."""
        end_s, seen = time.monotonic() + wait_s, b""
        while text.encode() not in seen:
            assert time.monotonic() < end_s, f"no {text!r} in {seen!r}"
            if select.select([self._screen], [], [], 0.2)[0]:
                seen += os.read(self._screen, 4096)
        return seen.decode("utf-8", "replace")

    def opens(self):
        """Until keys go to the board as they are typed."""
        self.shows("Ctrl-]")
        end_s = time.monotonic() + 150
        while termios.tcgetattr(self.keyboard)[3] & termios.ICANON:
            assert time.monotonic() < end_s
            time.sleep(0.01)

    def ends(self):
        return self._process.wait(150)


@pytest.mark.parametrize("key", [CTRL_CLOSE, CTRL_X], ids=["ctrl-]", "ctrl-x"])
def test_what_is_typed_runs_on_the_board_and_the_terminal_is_given_back(pico, key):
    with Terminal(pico.address) as terminal:
        terminal.opens()
        terminal.types(b"\rprint(6 * 7, 'ready')\r")
        terminal.shows("42 ready")
        terminal.types(b"exec('print(9 * 9)\\nwhile True: pass')\r")
        terminal.shows("81")  # and goes on
        terminal.types(CTRL_C)
        assert "KeyboardInterrupt" in terminal.shows(">>> ")
        terminal.types(key)
        assert terminal.ends() == 0
        assert termios.tcgetattr(terminal.keyboard) == terminal.before


def test_the_board_that_goes_away_ends_it_with_a_word_not_a_traceback(pico):
    with Terminal(pico.address) as terminal:
        terminal.opens()
        terminal.types(b"\rprint(6 * 7, 'ready')\r")
        terminal.shows("42 ready")
        pico.unplug()
        said = terminal.shows("plugged in?")
        assert "hedgerow: " in said
        assert "Traceback" not in said
        assert terminal.ends() == 6
        assert termios.tcgetattr(terminal.keyboard) == terminal.before
    pico.plug_in()


def test_without_a_terminal_it_says_what_to_use(pico):
    command = [HEDGEROW, "repl", "--port", pico.address]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("hedgerow: repl needs a terminal")
    assert "hedgerow run" in done.stderr


def test_a_port_that_is_not_there_is_named(tmp_path):
    command = [HEDGEROW, "repl", "--port", tmp_path / "none"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 6
    assert "there is no such port" in done.stderr
