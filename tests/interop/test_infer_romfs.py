"""A model in ROMFS runs where it lies: no byte of its weights is copied into the heap."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import romfs

from hedgerow import paths

pytestmark = pytest.mark.interop

_MODEL = paths.share_dir("models") / "soil_dry" / "soil_dry.hgm"
_PROGRAM = Path(__file__).with_name("upy") / "infer_rom.py"
_SELF_BYTES = 700  # of a Model without its file, in 64-bit words; the file has 964


def _run(micropython, folder, name):
    """What infer_rom.py says of the model as /rom/<name>."""
    image = folder / "model.rom"
    image.write_bytes(romfs.files({name: _MODEL.read_bytes()}))
    env = dict(os.environ, MICROPYPATH=f"{paths.firmware_dir()}:.frozen")
    command = [micropython, _PROGRAM, image, name]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def _names():
    """Names of each length modulo 4: it moves the place where the file begins."""
    return ["m" * n + ".hgm" for n in range(1, 5)]


def test_no_weight_byte_is_copied_from_an_aligned_file(micropython, tmp_path):
    told = [_run(micropython, tmp_path, name) for name in _names()]
    aligned = [one for one in told if one["in_place"]]
    assert aligned
    assert all(one["at"] % 4 == 0 for one in aligned)
    assert all(one["held_bytes"] < _SELF_BYTES for one in aligned)


def test_a_file_at_another_place_is_copied_and_gives_the_same(micropython, tmp_path):
    told = [_run(micropython, tmp_path, name) for name in _names()]
    copied = [one for one in told if not one["in_place"]]
    assert copied
    assert all(one["held_bytes"] > _MODEL.stat().st_size for one in copied)
    assert len({tuple(one["output"]) for one in told}) == 1
