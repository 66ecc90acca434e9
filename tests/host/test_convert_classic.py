"""`hedgerow convert` of a tree model file: the .hgl of the Python API; wrong flags are named."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from hedgerow.cli.convert import command
from hedgerow.convert.classic import convert_classic_file
from hedgerow.errors import UsageError

lightgbm = pytest.importorskip("lightgbm", reason="lightgbm is not installed")


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    from sklearn.datasets import load_iris

    path = tmp_path / "iris.txt"
    model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(*load_iris(return_X_y=True))
    model.booster_.save_model(str(path))
    return path


def test_a_tree_file_becomes_hgl(trees: Path) -> None:
    done = CliRunner().invoke(command, [str(trees)])
    assert done.exit_code == 0, done.output
    assert trees.with_suffix(".hgl").read_bytes() == convert_classic_file(trees)


@pytest.mark.parametrize("flag", [("--verify", "3"), ("--plot", "plan.svg")])
def test_flags_of_networks_are_refused(trees: Path, flag: tuple[str, str]) -> None:
    done = CliRunner().invoke(command, [str(trees), *flag])
    assert isinstance(done.exception, UsageError)
    assert not trees.with_suffix(".hgl").exists()
