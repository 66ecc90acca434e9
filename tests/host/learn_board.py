"""Runs a .hgl on the MicroPython Unix port, as a board would."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from hedgerow import paths
from hedgerow.toolchain.unix import find_micropython

_PROGRAM = Path(__file__).resolve().parent.parent / "bench" / "run_learn.py"


def predict(
    hgl: bytes, rows: np.ndarray, *, timed: bool = False
) -> tuple[np.ndarray, np.ndarray, dict]:
    """(labels (m,), real scores (m, k), figures) of rows (m, n), which become float32."""
    with tempfile.TemporaryDirectory() as folder:
        model, source, target = (Path(folder) / name for name in ("model.hgl", "in", "out"))
        model.write_bytes(hgl)
        source.write_bytes(np.ascontiguousarray(rows, dtype="<f4").tobytes())
        env = dict(os.environ, MICROPYPATH=f"{paths.firmware_dir()}:.frozen")
        command = [str(find_micropython()), "-X", "heapsize=16m", str(_PROGRAM)]
        command += [str(model), str(source), str(target), *(["time"] if timed else [])]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=280)
        assert done.returncode == 0, done.stdout + done.stderr
        found = np.frombuffer(target.read_bytes(), dtype="<i4").reshape(len(rows), -1)
    figures = json.loads(done.stdout)
    return found[:, 0], found[:, 1:] * figures["score_scale"], figures
