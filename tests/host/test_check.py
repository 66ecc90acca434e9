"""`hedgerow check` on a corpus of broken node files: every fault on its line, and none besides.

configs/broken/*.toml are configs/good.toml with something wrong. The faults to be found stand at
the end of each file, one a line: `#! LINE: part of the message`.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hedgerow.config import check_file, compile_file
from hedgerow.errors import ConfigError

CONFIGS = Path(__file__).parent / "configs"
BROKEN = sorted((CONFIGS / "broken").glob("*.toml"))
_WANTED = re.compile(r"^#! (\d+): (.*)$", re.M)


def _wanted(path):
    text = path.read_text(encoding="utf-8", errors="replace")
    return [(int(line), part) for line, part in _WANTED.findall(text)]


def _match(wanted, faults):
    """(expected but not found, found but not expected)."""
    left = list(faults)
    missing = []
    for line, part in wanted:
        hit = next((f for f in left if f.line == line and part in str(f)), None)
        if hit:
            left.remove(hit)
        else:
            missing.append((line, part))
    return missing, left


def test_the_corpus_is_large_and_says_what_is_wrong():
    assert len(BROKEN) >= 70
    assert all(_wanted(path) for path in BROKEN)
    assert sum(len(_wanted(path)) >= 5 for path in BROKEN) >= 5


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_every_fault_on_its_line_and_none_besides(path):
    faults = [fault for fault in check_file(path) if not fault.warning]
    missing, extra = _match(_wanted(path), faults)
    assert not missing and not extra, f"missing {missing}, extra {[str(f) for f in extra]}"


def test_a_good_file_has_no_faults():
    assert check_file(CONFIGS / "good.toml") == []


def _changed(tmp_path, *changes):
    """good.toml with (old, new) applied, beside the real one's model."""
    text = (CONFIGS / "good.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    model = CONFIGS.parents[2] / "models" / "soil_dry" / "soil_dry.hgm"
    text = text.replace("../../../models/soil_dry/soil_dry.hgm", str(model))
    path = tmp_path / "node.toml"
    path.write_text(text, encoding="utf-8")
    return path


_FAN = '[[actuator]]\nname = "fan"\ndriver = "relay"\npin = "GP3"\nmax_on_s = 9\n'
_WARNINGS = {
    "open broker": (('host = "127.0.0.1"', 'host = "farm.example"'), "pretend to be this node"),
    "clear password": (
        ('host = "127.0.0.1"', 'host = "farm.example"\nuser = "a"\npassword = "b"'),
        "travels in clear text",
    ),
    "port of TLS": (("port = 1883", "port = 8883"), "the port for MQTT with TLS"),
    "idle actuator": (
        ("[[rule]]", f"{_FAN}\n[[rule]]"),
        "no rule uses fan",
    ),
    "restless rule": (
        (
            'min_off_s = 600\nlitres_per_min = 10.0\nmax_litres_per_day = 300.0\n\n'
            '[[rule]]\nname = "water"'
            '\ndo = { actuator = "pump", on_s = 900 }\nhold_off_s = 43200\nmax_per_day = 2',
            '[[rule]]\nname = "water"\ndo = { actuator = "pump", on_s = 900 }',
        ),
        "at every sample",
    ),
    "no raw flash": (
        ("max_bytes = 65536\nsegment_bytes = 4096", 'max_bytes = 65536\nkind = "flash"'),
        "leaves no room behind the files; expected a firmware with firmware/boot/rp2",
    ),
    "slow pin": (('pin = "GP15"', 'pin = "LED"'), "slow"),
}  # fmt: skip


@pytest.mark.parametrize("name", _WARNINGS)
def test_warnings_do_not_stop_a_node(name, tmp_path):
    change, part = _WARNINGS[name]
    path = _changed(tmp_path, change)
    faults = check_file(path)
    assert [fault for fault in faults if not fault.warning] == []
    assert any(part in str(fault) for fault in faults), [str(f) for f in faults]
    assert compile_file(path)["v"] == 1


def test_an_esp32_is_asked_for_the_partition_of_its_log(tmp_path):
    kind = ("max_bytes = 65536\nsegment_bytes = 4096", 'max_bytes = 65536\nkind = "flash"')
    path = _changed(tmp_path, kind, ('"RPI_PICO_W"', '"ESP32_GENERIC"'))
    assert any('no data partition "log"' in str(fault) for fault in check_file(path))
    path = _changed(tmp_path, kind, ('"RPI_PICO_W"', '"UNIX"'))
    assert not any("partition" in str(fault) for fault in check_file(path))


def test_compile_raises_with_all_errors():
    path = CONFIGS / "broken" / "many-1.toml"
    with pytest.raises(ConfigError) as caught:
        compile_file(path)
    lines = str(caught.value).splitlines()
    assert len(lines) >= 6
    assert all(re.match(rf"{re.escape(str(path))}:\d+:\d+: ", line) for line in lines)


def test_columns_count_characters_and_point_at_the_value(tmp_path):
    path = _changed(tmp_path, ('{ channel = "soil.vwc", b', '{ channel = "süd", b'))
    fault = next(f for f in check_file(path) if "süd" in str(f))
    line = path.read_text(encoding="utf-8").splitlines()[fault.line - 1]
    assert line[fault.column - 1 :].startswith('"süd"')


_ODD = (
    "nan", "inf", "-1", "0", "1e300", '""', '"x"', "[]", "{}", "[[]]", "true", "1979-05-27",
    "99999999999999999999", "[1, 2]", "{ a = { b = 1 } }", '["soil.vwc", 3]', "05:00:00",
)  # fmt: skip


def test_no_value_in_any_place_makes_it_fall_over(tmp_path):
    """Each value of the good file is replaced by odd ones; the check always answers."""
    text = _changed(tmp_path).read_text(encoding="utf-8")
    lines = text.splitlines()
    path = tmp_path / "odd.toml"
    tried = 0
    for number, line in enumerate(lines):
        match = re.match(r"^([\w.\"]+ = )[^\[{]+$", line)
        for odd in _ODD[number % 3 :: 3] if match else ():  # a third of them for each line
            changed = [*lines[:number], match[1] + odd, *lines[number + 1 :]]
            path.write_text("\n".join(changed), encoding="utf-8")
            for fault in check_file(path):
                assert 1 <= fault.line <= len(lines) and fault.column >= 1
            tried += 1
    assert tried > 250


@pytest.mark.parametrize(
    ("digits", "said"),
    [
        (400, "expected a whole number, 1 to 86400"),
        (4301, "a number of 4301 digits"),
        (9000, "of 9000 digits"),
    ],
)
def test_a_number_that_no_computer_takes_is_one_fault(tmp_path, digits, said):
    text = _changed(tmp_path).read_text(encoding="utf-8")
    path = tmp_path / "endless.toml"
    path.write_text(re.sub(r"(?m)^sample_s = .*", f"sample_s = {'9' * digits}", text))
    (fault,) = [fault for fault in check_file(path) if not fault.warning]
    assert path.read_text().splitlines()[fault.line - 1].startswith("sample_s")
    assert said in str(fault)


def test_a_quote_before_a_header_is_the_one_fault(tmp_path):
    text = _changed(tmp_path).read_text(encoding="utf-8")
    path = tmp_path / "quote.toml"
    path.write_text(text.replace("[node]", "'[node]", 1), encoding="utf-8")
    (fault,) = [fault for fault in check_file(path) if not fault.warning]
    assert path.read_text(encoding="utf-8").splitlines()[fault.line - 1] == "'[node]"
    assert "the quotes are not closed" in str(fault)


def test_a_key_with_an_escape_is_found_in_its_line(tmp_path):
    text = _changed(tmp_path).read_text(encoding="utf-8")
    path = tmp_path / "escape.toml"
    key = '"a\\U0001F600" = 1'  # no escape of JSON
    path.write_text(text.replace("[node]\n", f"[node]\n{key}\n", 1), encoding="utf-8")
    (fault,) = [fault for fault in check_file(path) if not fault.warning]
    assert path.read_text(encoding="utf-8").splitlines()[fault.line - 1] == key
    assert "unknown key 'a\U0001f600'" in str(fault)


@pytest.mark.parametrize("tail", ["x = " + "[" * 2000 + "]" * 2000, "a" + ".a" * 3000 + " = 1"])
def test_what_nests_without_end_is_one_error(tmp_path, tail):
    path = tmp_path / "deep.toml"
    path.write_text(_changed(tmp_path).read_text(encoding="utf-8") + f"\n{tail}\n")
    with pytest.raises(ConfigError, match="nest too deep"):
        check_file(path)


def test_no_missing_piece_makes_it_fall_over(tmp_path):
    """Each line of the good file is left out, or cut in half; the check always answers."""
    lines = _changed(tmp_path).read_text(encoding="utf-8").splitlines()
    path = tmp_path / "cut.toml"
    for number, line in enumerate(lines):
        cuts = ([], [line[: len(line) // 2]], [line[len(line) // 2 :]], ["\x00" + line])
        for cut in cuts[number % 2 :: 2]:
            path.write_text("\n".join([*lines[:number], *cut, *lines[number + 1 :]]))
            check_file(path)


def _run(*args):
    code = "from hedgerow.cli.main import main; main()"
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_command_says_what_a_good_node_will_do():
    done = _run("check", CONFIGS / "good.toml")
    assert done.returncode == 0
    assert "good.toml: ok: bed-3 on RPI_PICO_W reads soil, ground, air, battery" in done.stdout
    assert "a day" in done.stdout


def test_command_exits_with_3_and_prints_no_traceback():
    done = _run("check", CONFIGS / "broken" / "many-1.toml")
    assert done.returncode == 3
    assert len(done.stdout.splitlines()) >= 6
    assert "Traceback" not in done.stdout + done.stderr


def test_command_as_json():
    done = _run("check", CONFIGS / "broken" / "range-lat.toml", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 3
    assert (found["ok"], len(found["errors"]), found["errors"][0]["line"]) == (False, 1, 6)


def test_a_file_that_is_not_there():
    done = _run("check", CONFIGS / "nothing.toml")
    assert done.returncode == 3
    assert "nothing.toml" in done.stderr and "Traceback" not in done.stderr
