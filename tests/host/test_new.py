"""`hedgerow new`: a project that checks clean at once, and refuses politely."""

import re
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


_KEY = "000102030405060708090a0b0c0d0e0f"
_THREE_LINES = {  # as README.md has them
    "mqtt": ('host = "192.168.1.2"', f'key = "{_KEY}"'),
    "coap": ('host = "192.168.1.2"', f'oscore_secret = "{_KEY}"'),
    "lorawan": ('dev_eui = "0000000000000001"', f'app_key = "{_KEY}"'),
}


@pytest.mark.parametrize("kind", _THREE_LINES)
def test_its_three_lines_are_exchanged_for_another_link_s(tmp_path, kind):
    path = new_project("bed-7", "soil", tmp_path) / "node.toml"
    (tmp_path / "bed-7" / "farm.key").write_text("correct horse")
    lines = path.read_text(encoding="utf-8").splitlines()
    at = lines.index("[uplink]") + 1
    lines[at : at + 3] = [f'kind = "{kind}"', *_THREE_LINES[kind]]
    text = re.sub(r"(?ms)^#\[(wifi|radio)\]$.*?\n\n", _without_hashes, "\n".join(lines))
    path.write_text(text, encoding="utf-8")
    assert check_file(path) == []
    assert compile_file(path)["uplink"]["kind"] == kind


def _without_hashes(found):
    """The template's commented section, switched on."""
    return found[0].replace("#", "")


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
