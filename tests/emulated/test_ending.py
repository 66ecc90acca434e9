"""However a board's use ends, no process and no file of it is left."""

import tempfile
from pathlib import Path

import psutil
import pytest

from hedgerow.emulate.targets import TARGETS, open_target
from hedgerow.errors import DeviceError


@pytest.fixture(params=list(TARGETS))
def target(request, need_target, tmp_path, monkeypatch):
    need_target(request.param)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return request.param


def left_behind(tmp_path):
    children = [child.cmdline()[:2] for child in psutil.Process().children(recursive=True)]
    return children + [str(path) for path in Path(tmp_path).iterdir()]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_ends_the_board(target, tmp_path, error):
    with pytest.raises(error), open_target(target) as board:
        board.put("file", b"1")
        raise error
    assert left_behind(tmp_path) == []


def test_a_program_that_never_ends_is_told_and_the_board_ends(target, tmp_path):
    for timeout_s in (
        0.5,
        4,
        32,
    ):  # what it prints needs some of the time, on a busy computer most
        with open_target(target) as board, pytest.raises(DeviceError) as caught:
            board.exec("print('so far')\nwhile True: pass", timeout_s=timeout_s)
        text = str(caught.value)
        assert f"no answer within {timeout_s} s" in text
        assert left_behind(tmp_path) == []
        if text.endswith("so far\n"):
            return
    raise AssertionError(text)


def test_a_board_that_died_is_told(target, tmp_path):
    with open_target(target) as board:
        (child,) = psutil.Process().children()
        child.kill()
        with pytest.raises(DeviceError, match="ended"):
            board.exec("print(1)")
        board.close()
    assert left_behind(tmp_path) == []
