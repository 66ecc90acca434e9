"""The Makefile and host_tools/bootstrap.py: what is run, installed, and said."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from hedgerow import paths

ROOT = paths.firmware_dir().parent
MAKE_ENV = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}


def dry_run(*arguments, **env):
    command = ["make", "-n", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env={**MAKE_ENV, **env}, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip().splitlines()[-1].strip()


@pytest.fixture
def bootstrap(tmp_path, monkeypatch):
    """The script as a module, working on an empty clone in tmp_path."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "host_tools/bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "host_tools").mkdir()
    (tmp_path / "host_tools/pyproject.toml").write_text("")
    monkeypatch.setattr(module, "ROOT", str(tmp_path))
    monkeypatch.setattr(module, "VENV", str(tmp_path / ".venv"))
    monkeypatch.setattr(module, "VENV_PYTHON", str(tmp_path / ".venv/bin/python"))
    monkeypatch.setattr(module, "PROJECT", str(tmp_path / "host_tools/pyproject.toml"))
    monkeypatch.setattr(module, "SBIN", "")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("MICROPYTHON", raising=False)
    return module


def test_seconds_counts_only_on_the_command_line_of_make():
    assert dry_run("demo", "SECONDS=30") == ".venv/bin/hedgerow demo --seconds 30"
    assert dry_run("demo") == ".venv/bin/hedgerow demo"
    assert dry_run("demo", SECONDS="7") == ".venv/bin/hedgerow demo"


@pytest.mark.parametrize(
    ("target", "last"),
    [
        ("bench", ".venv/bin/python tests/bench/run.py"),
        ("toolchain", ".venv/bin/hedgerow toolchain unix"),
    ],
)
def test_a_target_is_one_command(target, last):
    assert dry_run(target) == last


def test_an_old_python_is_told_what_is_needed(bootstrap, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(bootstrap.SetupError, match=r"Python 3\.11 or newer is needed"):
        bootstrap.check_python()


def test_not_root_one_line_names_every_missing_package(bootstrap, monkeypatch):
    monkeypatch.setattr(bootstrap, "is_root", lambda: False)
    with pytest.raises(bootstrap.SetupError) as caught:
        bootstrap.install(bootstrap.missing_for_build(), needed=True)
    assert str(caught.value) == (
        "missing system packages, install them with "
        "`sudo apt-get install gcc make pkg-config libc6-dev libffi-dev`"
    )


def test_what_only_tests_use_does_not_stop_the_set_up(bootstrap, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "is_root", lambda: False)
    bootstrap.install(bootstrap.missing_programs(bootstrap.TEST_PROGRAMS), needed=False)
    said = capsys.readouterr()
    assert "mosquitto chromium chromium-driver" in said.err
    assert "skipped" in said.err
    assert said.out == ""


def test_a_library_is_known_by_its_file(bootstrap, tmp_path):
    file = tmp_path / "library.specs"
    table = {"library-of-a-board": str(file)}
    assert bootstrap.missing_programs(table) == ["library-of-a-board"]
    file.touch()
    assert bootstrap.missing_programs(table) == []


def test_no_compiler_is_asked_for_where_there_is_a_micropython(bootstrap, monkeypatch, tmp_path):
    monkeypatch.setenv("MICROPYTHON", "/somewhere/micropython")
    assert bootstrap.missing_for_build() == []
    monkeypatch.delenv("MICROPYTHON")
    built = tmp_path / "build/micropython/1.25.0/micropython"
    built.parent.mkdir(parents=True)
    assert bootstrap.missing_for_build() != []
    built.touch()
    assert bootstrap.missing_for_build() == []


def fake_apt(tmp_path, works_after_update):
    """apt-get that writes down its arguments, and installs nothing before an update."""
    program = tmp_path / "bin/apt-get"
    program.parent.mkdir()
    can = f"[ -e {tmp_path}/updated ]" if works_after_update else "false"
    program.write_text(
        f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\n'
        f'case "$*" in *update*) : > {tmp_path}/updated ;;\n'
        f"*) {can} || {{ echo 'E: Unable to locate package' >&2; exit 100; }} ;; esac\n"
    )
    program.chmod(0o755)


def test_as_root_the_lists_are_fetched_only_when_a_package_is_not_found(
    bootstrap, monkeypatch, tmp_path
):
    fake_apt(tmp_path, works_after_update=True)
    monkeypatch.setattr(bootstrap, "is_root", lambda: True)
    bootstrap.install(["gcc"], needed=True)
    install = "-qq install -y --no-install-recommends gcc"
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == [install, "-qq update", install]
    bootstrap.install(["gcc"], needed=True)
    assert (tmp_path / "calls").read_text().splitlines()[3:] == [install]


def test_as_root_a_package_that_cannot_be_installed_is_named(bootstrap, monkeypatch, tmp_path):
    fake_apt(tmp_path, works_after_update=False)
    monkeypatch.setattr(bootstrap, "is_root", lambda: True)
    with pytest.raises(bootstrap.SetupError, match="gcc: E: Unable to locate package"):
        bootstrap.install(["gcc"], needed=True)


def test_the_stamp_changes_with_the_dependencies(bootstrap, tmp_path):
    before = bootstrap.stamp("test")
    (tmp_path / "host_tools/pyproject.toml").write_text("[project]")
    assert bootstrap.stamp("test") != before
    assert bootstrap.stamp("test") != bootstrap.stamp("")


def test_a_second_set_up_runs_nothing(bootstrap, monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(bootstrap, "run_or_fail", calls.append)
    monkeypatch.setattr(bootstrap, "make_micropython", lambda: None)
    monkeypatch.setattr(bootstrap, "missing_for_build", list)
    (tmp_path / ".venv").mkdir()
    bootstrap.main("run")
    assert len(calls) == 2  # venv, pip
    bootstrap.main("run")
    assert len(calls) == 2


def test_an_unknown_level_is_a_usage_error():
    command = [sys.executable, ROOT / "host_tools/bootstrap.py", "everything"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "usage" in done.stderr


def test_the_board_files_are_json_with_one_spelling():
    for path in sorted((ROOT / "boards").glob("*/board.json")):
        text = path.read_text()
        assert text == json.dumps(json.loads(text), indent=4) + "\n", path
