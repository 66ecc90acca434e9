"""Runs of the `hedgerow` command for the end-to-end tests."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HEDGEROW = Path(sys.executable).with_name("hedgerow")


def hedgerow(*arguments: object, timeout_s: float = 240, code: int = 0) -> str:
    """Standard output of the command, or its messages if another exit code is expected.

    Fails with all it printed if the exit code is not `code` or a traceback shows.
    """
    command = [str(HEDGEROW), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr if code else done.stdout


def last_json(text: str) -> dict:
    """The last line of a program's output."""
    return json.loads(text.strip().splitlines()[-1])


def new_project(
    folder: Path, name: str, sample_s: int = 3600, changes: Mapping[str, str] | None = None
) -> Path:
    """node.toml of a new soil node; changes: regular expression -> replacement, once each."""
    hedgerow("new", name, "--template", "soil", "--dir", folder)
    file = folder / name / "node.toml"
    text = re.sub(r"sample_s = \d+", f"sample_s = {sample_s}", file.read_text(), count=1)
    for old, new in (changes or {}).items():
        text, count = re.subn(old, new, text, count=1, flags=re.S)
        assert count, f"the template has no {old}"
    file.write_text(text)
    return file
