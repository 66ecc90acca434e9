"""`hedgerow boards`: the list, the details, and the drawing of every board."""

import json
import re
import xml.etree.ElementTree as ET

import pytest
from click.testing import CliRunner

from hedgerow.boards import board_names, load_board
from hedgerow.boards.drawing import svg
from hedgerow.boards.pinout import pinout
from hedgerow.cli.boards import command
from hedgerow.errors import ConfigError, UsageError

DRAWN = [name for name in board_names() if load_board(name).headers]
_SVG = "{http://www.w3.org/2000/svg}"


def run(*args):
    return CliRunner().invoke(command, args, catch_exceptions=True)


def test_the_list_has_a_line_a_board():
    lines = run().output.splitlines()
    assert [line.split()[0] for line in lines] == ["BOARD", *board_names()]


def test_json_holds_what_the_loader_holds():
    rows = {row["name"]: row for row in json.loads(run("--json").output)}
    assert set(rows) == set(board_names())
    assert rows["RPI_PICO"]["pins"]["GP26"] == "GPIO26"
    assert rows["RPI_PICO"]["usb"][0] == {"vid": 0x2E8A, "pid": 0x0005, "mode": "repl"}
    assert json.loads(run("show", "RPI_PICO", "--json").output) == rows["RPI_PICO"]


def test_show_names_pins_buses_layout_and_sources():
    text = run("show", "ESP32_GENERIC_C3").output
    assert re.search(r"^IO5 +GPIO5 +i2c0 scl$", text, re.M)
    assert re.search(r"^0x0010000 +1984 KB +factory$", text, re.M)
    assert "ESP32-C3-DevKitM-1 user guide" in text


def test_show_of_a_board_without_pins_is_text_only(tmp_path):
    assert "armv7m" in run("show", "MPS2_AN385").output
    result = run("show", "MPS2_AN385", "-o", str(tmp_path / "x.svg"))
    assert isinstance(result.exception, ConfigError)
    assert "no header pins to draw" in str(result.exception)
    assert not (tmp_path / "x.svg").exists()


def test_a_drawing_that_cannot_be_written_is_a_usage_error(tmp_path):
    result = run("show", "RPI_PICO", "-o", str(tmp_path / "none" / "x.svg"))
    assert isinstance(result.exception, UsageError)
    assert "give -o a file" in str(result.exception)


def test_dash_draws_to_standard_output():
    assert run("show", "RPI_PICO", "-o", "-").output == svg(load_board("RPI_PICO"))


@pytest.mark.parametrize("name", DRAWN)
def test_every_pin_stands_once_in_the_drawing_and_inside_the_paper(name):
    board = load_board(name)
    root = ET.fromstring(svg(board))
    width, height = (float(root.get(key)) for key in ("width", "height"))
    texts = [(node.text, node) for node in root.iter(f"{_SVG}text")]
    silk = [text for text, node in texts if node.get("fill") == "#f2f7f4"]
    assert silk == list(board.headers.left + board.headers.right)
    for node in root.iter(f"{_SVG}rect"):
        if node.get("x"):
            assert 0 <= float(node.get("x"))
            assert float(node.get("x")) + float(node.get("width")) <= width
    assert max(float(node.get("y")) for _, node in texts) < height
    assert [text for text, _ in texts].count("USB") == board.headers.usb_at_top


@pytest.mark.parametrize("name", DRAWN)
def test_the_chips_of_a_row_are_the_boards_data(name):
    board = load_board(name)
    shown = pinout(board)
    for row in shown.left + shown.right:
        kinds = [chip.kind for chip in row.chips]
        pin = board.pins.get(row.label)
        assert ("adc" in kinds) == (pin in board.adc_pins)
        if pin in board.caution:
            assert "note" in kinds


def test_a_pin_of_the_first_i2c_bus_says_so():
    rows = {row.label: row for row in pinout(load_board("RPI_PICO")).left}
    assert [chip.text for chip in rows["GP4"].chips] == ["GPIO4", "I2C0 SDA", "UART1 TX"]


def test_a_label_with_markup_is_escaped():
    root = ET.fromstring(svg(load_board("ESP32_GENERIC")))
    assert any("Espressif ESP32 / WROOM" == node.text for node in root.iter(f"{_SVG}text"))


def test_the_picture_of_the_readme_is_up_to_date(repo_dir):
    # Anew: hedgerow boards show RPI_PICO -o boards/RPI_PICO/pinout.svg
    kept = repo_dir / "boards" / "RPI_PICO" / "pinout.svg"
    assert kept.read_text(encoding="utf-8") == svg(load_board("RPI_PICO"))
