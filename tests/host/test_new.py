"""`hedgerow new`: a project that checks clean at once, and refuses politely."""

import tomllib

import pytest

from hedgerow.config import check_file, compile_file
from hedgerow.config.project import new_project, template_names
from hedgerow.errors import UsageError


def test_soil_project_is_complete_and_without_a_fault(tmp_path):
    folder = new_project("bed-7", "soil", tmp_path)
    assert check_file(folder / "node.toml") == []
    assert compile_file(folder / "node.toml")["node"]["name"] == "bed-7"
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert {"node.toml", "README.md", "soil_dry.hgm", "features.json"} <= names
    assert "@NAME@" not in (folder / "README.md").read_text(encoding="utf-8")


def test_every_line_a_newcomer_may_change_has_a_comment(tmp_path):
    text = (new_project("a", "soil", tmp_path) / "node.toml").read_text(encoding="utf-8")
    assert text.count("#") > 30
    assert tomllib.loads(text)["replay"]["columns"]["soil.vwc"] == "E1_s1_vwc_pct"


def test_refuses_to_overwrite(tmp_path):
    new_project("a", "soil", tmp_path)
    with pytest.raises(UsageError, match="exists already"):
        new_project("a", "soil", tmp_path)


@pytest.mark.parametrize("name", ["", "Bed", "a b", "../x", "x" * 25, "ä"])
def test_refuses_bad_names(name, tmp_path):
    with pytest.raises(UsageError, match="cannot be a node name"):
        new_project(name, "soil", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_unknown_template_names_the_others(tmp_path):
    with pytest.raises(UsageError, match=r"did you mean soil\?"):
        new_project("a", "soli", tmp_path)
    assert template_names() == ["soil"]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match="try another --dir"):
        new_project("a", "soil", tmp_path / "file")
