"""`hedgerow emulate` as a user runs it, driven by an unmodified mpremote."""

import contextlib
import random
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

pytest.importorskip("mpremote", reason="mpremote is not installed (Python package)")

HEDGEROW = [sys.executable, "-c", "from hedgerow.cli.main import main; main()"]
MPREMOTE = [sys.executable, "-m", "mpremote", "connect"]
QEMU = ("qemu-m3", "qemu-m4", "qemu-m7", "qemu-rv32")


class Session:
    """`hedgerow emulate` with these words; addresses: what it printed to connect to."""

    def __init__(self, *words):
        self.process = subprocess.Popen(
            [*HEDGEROW, "emulate", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        n_places = sum(word in ("--pty", "--port", "--link") for word in words) or 1
        try:
            self.addresses = self._read_addresses(n_places)
        except BaseException:
            self.process.kill()
            self.process.communicate()
            raise

    def _read_addresses(self, n_places):
        printed = [self.process.stdout.readline()]
        while "Ctrl-C ends it" not in printed[-1]:  # before it, the progress of a build
            assert printed[-1], "".join(printed)
            printed.append(self.process.stdout.readline())
        lines = [self.process.stdout.readline() for _ in range(n_places)]
        return [line.split()[-1] for line in lines]

    def mpremote(self, *words, address=None):
        command = [*MPREMOTE, address or self.addresses[0], *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def end(self, number=signal.SIGINT):
        """Exit code and the rest of what it printed."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self):
        printed, _ = self.process.communicate(timeout=200)
        return self.process.returncode, printed


@contextlib.contextmanager
def session(*words):
    running = Session(*words)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.end()
        running.process.stdout.close()


@pytest.fixture(scope="module")
def pico(need_target):
    need_target("pico")
    with session("pico", "--pty", "--port", 0) as running:
        yield running


@pytest.fixture
def payload(tmp_path):
    path = tmp_path / "payload.bin"
    path.write_bytes(random.Random(3).randbytes(3000))  # every byte value, control codes too
    return path


@pytest.mark.parametrize("place", [0, 1], ids=["pty", "socket"])
def test_mpremote_drives_the_pico(pico, payload, tmp_path, place):
    address = pico.addresses[place]
    assert pico.mpremote("eval", "1+1", address=address) == "2\n"
    pico.mpremote("cp", payload, ":there.bin", address=address)
    assert "3000 there.bin" in pico.mpremote("ls", address=address)
    pico.mpremote("cp", ":there.bin", tmp_path / "back.bin", address=address)
    assert (tmp_path / "back.bin").read_bytes() == payload.read_bytes()
    script = tmp_path / "script.py"
    script.write_text("import sys\nprint(sys.platform, 6 * 7)\n")
    assert pico.mpremote("run", script, address=address) == "rp2 42\n"


def test_mpremote_resets_the_pico(pico):
    pico.mpremote("exec", "before = 1")
    pico.mpremote("reset")
    end_s = time.monotonic() + 150
    while True:  # mpremote does not wait for the board either
        try:
            assert pico.mpremote("resume", "eval", "'before' in globals()") == "False\n"
            return
        except AssertionError:
            assert time.monotonic() < end_s


def test_a_second_program_on_the_port_is_turned_away(pico):
    port = int(pico.addresses[1].rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as first:
        first.sendall(b"\r\n")
        assert first.recv(1)
        with socket.create_connection(("127.0.0.1", port), timeout=150) as second:
            assert second.recv(1) == b""


def test_only_this_machine_can_connect(pico):
    (connection,) = [
        each
        for each in psutil.Process(pico.process.pid).net_connections("tcp")
        if each.status == psutil.CONN_LISTEN
    ]
    assert connection.laddr.ip == "127.0.0.1"


def test_the_flash_file_keeps_files_even_after_a_kill(need_target, tmp_path, payload):
    need_target("pico")
    flash, link = tmp_path / "flash.bin", tmp_path / "tty"
    with session("pico", "--flash", flash, "--link", link) as running:
        running.mpremote("cp", payload, ":kept.bin")
        running.process.kill()
        running.process.wait()
    with session("pico", "--flash", flash, "--link", link) as running:
        assert "3000 kept.bin" in running.mpremote("ls")


def test_one_flash_file_is_for_one_emulator(need_target, tmp_path):
    need_target("pico")
    flash = tmp_path / "flash.bin"
    with session("pico", "--flash", flash):
        second = subprocess.run(
            [*HEDGEROW, "emulate", "pico", "--flash", str(flash)], capture_output=True, text=True
        )
    assert second.returncode == 6
    assert "another emulator runs on this flash image" in second.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly(need_target, tmp_path, number):
    need_target("pico")
    link = tmp_path / "tty"
    with session("pico", "--link", link) as running:
        children = psutil.Process(running.process.pid).children(recursive=True)
        assert running.end(number) == (0, "pico: ended\n")
    assert children
    assert psutil.wait_procs(children, timeout=60)[1] == []
    assert not link.is_symlink()


def test_the_power_is_cut_and_the_flash_file_shows_it(need_target, tmp_path, payload):
    need_target("pico")
    flash = tmp_path / "flash.bin"
    with session("pico", "--flash", flash) as running:
        running.mpremote("exec", "open('before', 'w').close()")
    with session("pico", "--flash", flash, "--cut-at", 3, "--torn") as running:
        cut = subprocess.run(
            [*MPREMOTE, running.addresses[0], "cp", str(payload), ":during.bin"],
            capture_output=True,
        )
        assert cut.returncode != 0
        code, printed = running.wait()
    assert code == 0
    assert "cut at flash operation 3: half of it had happened" in printed
    with session("pico", "--flash", flash) as running:
        assert " before" in running.mpremote("ls")


def test_at_speed_0_sleeps_take_no_time(need_target):
    need_target("pico")
    with session("pico", "--speed", 0) as running:
        began_s = time.monotonic()
        running.mpremote("exec", "import time; time.sleep(1000)")
        assert time.monotonic() - began_s < 500


def test_at_speed_1_a_second_takes_a_second(pico):
    began_s = time.monotonic()
    pico.mpremote("exec", "import time; time.sleep(1)")
    assert time.monotonic() - began_s >= 1


@pytest.mark.parametrize("name", QEMU)
def test_mpremote_drives_qemu(need_target, tmp_path, payload, name):
    need_target(name)
    with session(name, "--pty", "--port", 0) as running:
        for address in running.addresses:
            assert running.mpremote("eval", "1+1", address=address) == "2\n"
        running.mpremote("cp", payload, ":there.bin")
        assert "3000 there.bin" in running.mpremote("ls")


def test_options_that_do_not_go_together_are_refused():
    for words, expected in (
        (["pico", "--torn"], "--cut-at"),
        (["qemu-m3", "--speed", "2"], "of the pico only"),
        (["pico", "--no-pty"], "nowhere to connect to"),
    ):
        done = subprocess.run([*HEDGEROW, "emulate", *words], capture_output=True, text=True)
        assert done.returncode == 2, words
        assert expected in done.stderr


def test_a_place_that_is_taken_is_told(tmp_path):
    (tmp_path / "file").write_text("not a link")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for words in (["--link", tmp_path / "file"], ["--port", port]):
            done = subprocess.run(
                [*HEDGEROW, "emulate", "pico", *map(str, words)], capture_output=True, text=True
            )
            assert done.returncode == 6
            assert str(words[1]) in done.stderr
    assert (tmp_path / "file").read_text() == "not a link"
