"""The scikit-learn example of firmware/hedge/learn/README.md, run as it stands, host and board."""

import re
from pathlib import Path

import numpy as np
import pytest

from hedgerow import paths

README = Path(paths.firmware_dir()) / "hedge" / "learn" / "README.md"


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    on_host, on_board = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)[:2]
    names: dict = {}
    exec(on_host, names)
    exec(on_board, names)
    row = np.array([[5.1, 3.5, 1.4, 0.2]])
    assert names["label"] == names["forest"].predict(row)[0] == 0
    assert names["model"].probabilities() == pytest.approx(names["forest"].predict_proba(row)[0])
    assert len(on_host.splitlines()) <= 10
