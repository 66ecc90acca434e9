"""`hedgerow deploy` to the real firmware on the emulated Pico, and what can interrupt it."""

import os
import random

import pytest
from versions import listen, plug_in_with, version_of, write_app

from hedgerow.device.deploy import deploy
from hedgerow.device.link import SerialLink
from hedgerow.device.link_errors import LinkLostError, PortError
from hedgerow.errors import DeviceError

N_UNPLUGS = int(os.environ.get("UNPLUGS", "100"))
LONGER = random.Random(2).randbytes(40000)


@pytest.fixture(scope="module")
def deployed(pico, tmp_path_factory):
    """A flash with version 1, confirmed."""
    app = tmp_path_factory.mktemp("first")
    write_app(app, 1)
    deploy(app, port=pico.address)
    with SerialLink(pico.address) as link:
        link.enter()
        link.run("import hedge_boot\nhedge_boot.Slots().confirm()")
    pico.unplug()
    flash = pico.chip.flash()
    pico.plug_in()
    return flash


@pytest.fixture
def old(pico, deployed):
    """The board with version 1, powered on."""
    plug_in_with(pico, deployed)
    return pico


@pytest.fixture
def app(tmp_path):
    """Version 2."""
    write_app(tmp_path, 2)
    return tmp_path


def test_a_blank_board_gets_supervisor_and_app_and_keeps_its_own_main(pico, tmp_path):
    plug_in_with(pico, pico.blank)
    with SerialLink(pico.address) as link:
        link.enter()
        link.run("with open('/main.py', 'w') as f: f.write('print(1)')")
    write_app(tmp_path, 1)
    report = deploy(tmp_path, port=pico.address)
    assert report.boot_updated
    assert report.sent == ("main.mpy", "model.hgm")
    assert report.said == "boot: slot a starts main"
    assert version_of(pico) == 1
    with SerialLink(pico.address) as link:
        link.enter()
        assert link.run("print(open('/main.before.py').read())") == "print(1)\n"
        assert "main.mpy" in link.run("import os; print(os.listdir('/app/a'))")


def test_an_edit_sends_one_file_and_starts_it(old, app):
    report = deploy(app, port=old.address)
    assert (report.sent, report.copied) == (("main.mpy",), ("model.hgm",))
    assert not report.boot_updated
    assert version_of(old) == 2


def test_the_same_again_sends_nothing(old, app):
    first = deploy(app, port=old.address)
    again = deploy(app, port=old.address)
    assert (again.slot, again.sent, again.copied) == (first.slot, (), ())
    assert version_of(old) == 2


def test_a_file_that_is_gone_is_removed_and_folders_arrive(old, app):
    (app / "model.hgm").unlink()
    (app / "parts").mkdir()
    (app / "parts" / "__init__.py").write_text("")
    (app / "parts" / "one.txt").write_text("one")
    deploy(app, port=old.address)
    write_app(app, 2)
    (app / "model.hgm").unlink()
    deploy(app, port=old.address)
    with SerialLink(old.address) as link:
        link.enter()
        now = link.run(
            "import os, hedge_boot\ns = '/app/' + hedge_boot.Slots().current()['slot']\n"
            "print(sorted(os.listdir(s)), os.listdir(s + '/parts'))"
        )
    assert now == "['main.mpy', 'manifest.json', 'parts'] ['__init__.mpy', 'one.txt']\n"


def test_an_app_that_uses_hedge_brings_the_modules_along(old, tmp_path):
    source = "from hedge.dsp.filters import Median\nprint('median', Median(3))\n"
    (tmp_path / "level.py").write_text(source)
    report = deploy(tmp_path / "level.py", port=old.address)
    assert "hedge/dsp/filters.mpy" in report.sent
    assert "median" in listen(old, ["median", "Error"])


def test_modules_that_extend_built_in_ones_are_found(old, tmp_path):
    (tmp_path / "level.py").write_text("import random, select\nprint(random.OURS, select.OURS)\n")
    (tmp_path / "select.py").write_text("OURS = 'beside'\n")
    with SerialLink(old.address) as link:
        link.enter()
        link.run("import sys\nprint(sys.modules['random'])")  # known, until a file has its name
        link.run("with open('/lib/random.py', 'w') as f: f.write('OURS = 1')")
    report = deploy(tmp_path / "level.py", port=old.address)
    assert report.sent == ("level.mpy", "select.mpy")
    assert "1 beside" in listen(old, ["1 beside", "Error"])


def bytes_of_a_deploy(old, app):
    old.to_board = 0
    deploy(app, port=old.address)
    return old.to_board


def unplug_at(old, app, deployed, n_bytes):
    """That byte is the last that gets there; then the board is plugged in again."""
    plug_in_with(old, deployed)
    old.unplug_after(n_bytes)
    with pytest.raises(DeviceError):
        deploy(app, port=old.address, attempts=1)
    old.plug_in()
    assert version_of(old) in (1, 2), n_bytes
    assert deploy(app, port=old.address).said.startswith("boot: slot"), n_bytes
    assert version_of(old) == 2, n_bytes


def test_unplugged_at_any_byte_it_starts_old_or_new_and_the_next_deploy_works(old, app, deployed):
    total = bytes_of_a_deploy(old, app)
    rng = random.Random(3)
    for n_bytes in [1, total - 1, *(rng.randrange(1, total) for _ in range(3))]:
        unplug_at(old, app, deployed, n_bytes)


@pytest.mark.soak
def test_unplugged_at_many_bytes_it_starts_old_or_new(old, app, deployed):
    total = bytes_of_a_deploy(old, app)
    for n_bytes in random.Random(4).sample(range(1, total), min(N_UNPLUGS, total - 1)):
        unplug_at(old, app, deployed, n_bytes)


def test_a_long_file_goes_on_where_it_was_cut(old, app):
    write_app(app, 2, LONGER)
    old.unplug_after(30000)
    with pytest.raises(LinkLostError):
        deploy(app, port=old.address, attempts=1)
    old.plug_in()
    assert version_of(old) == 1
    report = deploy(app, port=old.address)
    assert "model.hgm" in report.sent
    assert report.sent_bytes < len(LONGER) - 16000
    assert version_of(old) == 2


def test_it_waits_for_a_board_that_comes_back(old, app):
    write_app(app, 2, LONGER)
    old.unplug_after(16000)
    heard = []

    def told(text):
        heard.append(text)
        if "trying again" in text:
            old.plug_in()

    report = deploy(app, port=old.address, told=told)
    assert report.attempts == 2, heard
    assert version_of(old) == 2


@pytest.mark.parametrize(
    "garbage",
    [b"\x00\xff?" * 20, b"\x03", b"\x04\x01", b"print(1)\r"],
    ids=["noise", "ctrl-c", "ctrl-d", "text"],
)
def test_garbage_in_the_midst_is_noticed_and_sent_again(old, app, garbage):
    write_app(app, 2, LONGER[:9000])
    left = [garbage]

    def told(text):
        if text.startswith("model.hgm") and left:
            old.garble(left.pop())

    assert deploy(app, port=old.address, told=told).attempts == 2
    assert version_of(old) == 2


def test_a_full_file_system_is_told_before_anything_is_sent(old, app):
    with SerialLink(old.address) as link:
        link.enter()
        link.run(
            "import os\nn = os.statvfs('/')[3] - 30\n"
            "with open('/big', 'wb') as f:\n    for _ in range(n): f.write(bytes(4096))"
        )
    write_app(app, 2, LONGER * 6)
    with pytest.raises(DeviceError, match=r"file system is full.*hedgerow rm"):
        deploy(app, port=old.address)
    plug_in_with(old)
    assert version_of(old) == 1


def test_a_port_that_another_tool_has_open_is_named(old, app):
    with SerialLink(old.address), pytest.raises(PortError, match="another program has it open"):
        deploy(app, port=old.address)
    assert version_of(old) == 1


def test_an_app_that_crashes_three_times_is_rolled_back(old, tmp_path):
    (tmp_path / "main.py").write_text("raise RuntimeError('no pump')\n")
    deploy(tmp_path, port=old.address)
    heard = listen(old, ["version 1"])
    assert heard.count("RuntimeError: no pump") >= 2
    assert "back to the one before" in heard
