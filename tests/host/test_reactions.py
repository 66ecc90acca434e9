"""REACTIONS.md names tests: each of them is there."""

import re


def test_every_test_that_is_named_exists(repo_dir):
    text = (repo_dir / "tests" / "REACTIONS.md").read_text()
    named = set(re.findall(r"`(test_\w+)`", text))
    assert len(named) > 50
    files = [path.read_text() for path in (repo_dir / "tests").glob("*/*.py")]
    there = {name for text in files for name in re.findall(r"def (test_\w+)\(", text)}
    assert not named - there, sorted(named - there)
