"""Finding MicroPython: order, version check, and what a wrong setting is told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hedgerow.errors import ToolchainError
from hedgerow.toolchain.unix import ensure_micropython, find_micropython, find_mpy_cross, find_unix


def program(path, says, code=0):
    """A shell script that prints a line whatever it is asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    path.chmod(0o755)
    return path


def upy(path, version="1 25 0"):
    return program(path, f"micropython {version}")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Nothing installed: tmp_path/bin is all of PATH, tmp_path/cache is the cache."""
    for name in ("MICROPYTHON", "MPY_CROSS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def test_the_named_one_comes_before_path_and_cache(place, monkeypatch):
    named = upy(place / "mine")
    upy(place / "bin/micropython", "1 27 0")
    monkeypatch.setenv("MICROPYTHON", str(named))
    found = find_unix(place / "cache")
    assert (found.micropython, found.origin, found.version) == (named, "$MICROPYTHON", "1.25.0")


def test_path_comes_before_the_cache(place):
    on_path = upy(place / "bin/micropython", "1 26 1")
    upy(place / "cache/1.25.0/micropython")
    found = find_unix(place / "cache")
    assert (found.micropython, found.origin, found.version) == (on_path, "PATH", "1.26.1")


def test_one_on_path_that_is_too_old_is_passed_over(place):
    upy(place / "bin/micropython", "1 19 1")
    cached = upy(place / "cache/1.25.0/micropython")
    assert find_unix(place / "cache").micropython == cached


def test_the_newest_of_the_cache_is_taken_by_number_not_by_letter(place):
    upy(place / "cache/1.25.0/micropython")
    newest = upy(place / "cache/1.100.0/micropython", "1 100 0")
    assert find_unix(place / "cache").micropython == newest


def test_nothing_found_says_why_and_what_to_do(place):
    upy(place / "bin/micropython", "1 19 1")
    with pytest.raises(ToolchainError) as caught:
        find_unix(place / "cache")
    for part in ("is version 1.19.1", "hedgerow toolchain unix", "MICROPYTHON=", "1.25"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path, "is not a file"),
        (lambda path: path.parent, "is not a file"),
        (lambda path: upy(path, "1 24 1"), "is version 1.24.1, older than 1.25"),
        (lambda path: program(path, "cpython 3 11 2"), "is not MicroPython"),
        (lambda path: program(path, "micropython one two"), "is not MicroPython"),
        (lambda path: program(path, "no module asyncio", 1), "no module asyncio"),
        (lambda path: program(path, ""), "does not run"),
        (lambda path: Path(sys.executable), "is not MicroPython"),
    ],
)
def test_a_wrong_micropython_variable_is_not_passed_over(place, monkeypatch, make, reason):
    upy(place / "bin/micropython")
    monkeypatch.setenv("MICROPYTHON", str(make(place / "mine")))
    for function in (find_unix, ensure_micropython):
        with pytest.raises(ToolchainError) as caught:
            function(place / "cache")
        assert reason in str(caught.value)
        assert "MICROPYTHON=" in str(caught.value)


def test_a_file_that_is_no_program_is_an_error(place, monkeypatch):
    text = place / "text"
    text.write_text("hello")
    monkeypatch.setenv("MICROPYTHON", str(text))
    with pytest.raises(ToolchainError, match="does not run"):
        find_unix(place / "cache")


def test_mpy_cross_beside_micropython_is_found(place):
    upy(place / "cache/1.25.0/micropython")
    beside = program(place / "cache/1.25.0/mpy-cross", "MicroPython; mpy-cross emitting mpy v6.3")
    assert find_mpy_cross(place / "cache") == beside


def test_mpy_cross_of_another_format_is_passed_over(place):
    upy(place / "cache/1.25.0/micropython")
    program(place / "cache/1.25.0/mpy-cross", "mpy-cross emitting mpy v5")
    with pytest.raises(ToolchainError, match="MPY_CROSS="):
        find_mpy_cross(place / "cache")


def test_a_wrong_mpy_cross_variable_is_an_error(place, monkeypatch):
    monkeypatch.setenv("MPY_CROSS", str(place / "none"))
    with pytest.raises(ToolchainError, match="MPY_CROSS="):
        find_mpy_cross(place / "cache")


def test_the_real_one_is_new_enough_whatever_micropypath_says(tmp_path, monkeypatch):
    (tmp_path / "asyncio.py").write_text("raise RuntimeError")
    monkeypatch.setenv("MICROPYPATH", str(tmp_path))
    assert find_micropython().is_file()


def run_hedgerow(*arguments, **env):
    command = [sys.executable, "-c", "from hedgerow.cli.main import main; main()", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


def test_the_command_prints_json(place):
    named = upy(place / "mine")
    done = run_hedgerow("toolchain", "unix", "--json", MICROPYTHON=str(named))
    found = json.loads(done.stdout)
    assert (done.returncode, found["micropython"], found["version"]) == (0, str(named), "1.25.0")
    assert set(found) == {"micropython", "mpy_cross", "version", "origin"}


def test_the_command_ends_with_one_message_and_code_5(place):
    done = run_hedgerow("toolchain", "unix", MICROPYTHON="/nowhere/micropython")
    assert done.returncode == 5
    assert done.stdout == ""
    assert done.stderr.startswith("hedgerow: MICROPYTHON=/nowhere/micropython is not a file")
    assert "Traceback" not in done.stderr
