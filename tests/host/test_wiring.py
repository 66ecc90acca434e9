"""The wiring picture: every terminal is joined to its pin, and nothing lies on anything else."""

import itertools
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from hedgerow import paths
from hedgerow.boards import board_names, load_board
from hedgerow.cli.wiring import command
from hedgerow.config import compile_file
from hedgerow.errors import ConfigError, UsageError
from hedgerow.wiring import parts, svg, write_svg
from hedgerow.wiring.layout import BOARD_WIDTH, PART_WIDTH, TOP, lay_out

SOIL = paths.host_tools_dir() / "hedgerow" / "templates" / "soil"
GOOD = Path(__file__).parent / "configs" / "good.toml"
DRAWN = [name for name in board_names() if load_board(name).headers]


def _plan(board, sensors=(), actuators=(), buses=()):
    """A plan as far as the picture looks at it."""
    rows = [
        {"name": f"s{i}", "driver": d, "bus": bus, "args": {}}
        for i, (d, bus) in enumerate(sensors)
    ]
    outs = [
        {"name": f"a{i}", "driver": d, "bus": bus, "args": {}}
        for i, (d, bus) in enumerate(actuators)
    ]
    return {
        "node": {"name": "n"}, "board": {"name": board.name, "buses": dict(buses)},
        "sensors": rows, "actuators": outs,
    }  # fmt: skip


def _everything(name):
    """A node that uses each kind of bus the board has, with pins from both sides."""
    board = load_board(name)
    words = [*board.headers.left, *board.headers.right]
    free = [
        board.pin_id(w) for w in words if w in board.pins and board.pins[w] not in board.reserved
    ]
    adc = [board.pin_id(w) for w in words if board.pins.get(w) in board.adc_pins]
    sensors = [("soil_probe", ["adc", pin]) for pin in adc[:2]]
    sensors += [("battery", ["adc", pin]) for pin in adc[-1:]]
    kinds = (("ds18b20", "onewire"), ("dht22", "dht"), ("rain_gauge", "input_pin"))
    sensors += [(driver, [kind, pin]) for (driver, kind), pin in zip(kinds, free, strict=False)]
    buses = {}
    for bus, table in board.i2c_buses.items():
        buses[bus] = {"sda": _id(table.sda), "scl": _id(table.scl)}
        sensors.append(("bme280", ["i2c", bus]))
    for bus, table in board.uart_buses.items():
        buses[bus] = {"tx": _id(table.tx), "rx": _id(table.rx)}
        sensors.append(("gps", ["uart", bus]))
    for bus, table in board.spi_buses.items():
        buses[bus] = {key: _id(getattr(table, key)) for key in ("sck", "mosi", "miso")}
        sensors.append(("mcp3008", ["spi", [bus, free[len(free) // 2]]]))
    if len(free) > 9:
        sensors.append(("hcsr04", ["echo", free[-4:-2]]))
    outs = [("relay", ["output_pin", free[-1]]), ("servo", ["pwm", free[-2]])]
    return _plan(board, sensors, outs, buses), board


def _id(cpu_pin):
    number = cpu_pin.removeprefix("GPIO")
    return int(number) if number.isdigit() else cpu_pin


def _segments(layout):
    for index, wire in enumerate(layout.wires):
        for path in wire.paths:
            for begin, end in itertools.pairwise(path):
                if begin != end:
                    yield index, begin, end


def _overlap(a, b):
    """Two segments on one line that share more than a point."""
    for along, across in ((0, 1), (1, 0)):
        if len({a[0][across], a[1][across], b[0][across], b[1][across]}) == 1:
            low = max(min(a[0][along], a[1][along]), min(b[0][along], b[1][along]))
            high = min(max(a[0][along], a[1][along]), max(b[0][along], b[1][along]))
            return high - low > 0.1
    return False


@pytest.mark.parametrize("name", DRAWN)
def test_no_two_wires_lie_on_one_line_and_none_crosses_a_box(name):
    plan, board = _everything(name)
    layout = lay_out(parts(plan, board), board)
    segments = list(_segments(layout))
    assert len(segments) > 30
    for (i, *a), (j, *b) in itertools.combinations(segments, 2):
        one, other = layout.wires[i], layout.wires[j]
        same_net = (one.net, one.number) == (other.net, other.number)
        assert i == j or same_net or not _overlap(a, b), (one, other)
    boxes = [(p.x, p.y, p.x + PART_WIDTH, p.y + p.height) for p in layout.places]
    rows = max(len(board.headers.left), len(board.headers.right))
    boxes.append((layout.board_x, TOP - 30, layout.board_x + BOARD_WIDTH, TOP + rows * 26 + 4))
    for _, begin, end in segments:
        xs, ys = sorted((begin[0], end[0])), sorted((begin[1], end[1]))
        for left, top, right, bottom in boxes:
            assert xs[1] <= left or xs[0] >= right or ys[1] <= top or ys[0] >= bottom
    for first, second in itertools.combinations(layout.places, 2):
        apart = first.y + first.height < second.y or second.y + second.height < first.y
        assert first.side != second.side or apart


@pytest.mark.parametrize("name", DRAWN)
def test_each_signal_ends_at_its_pin(name):
    plan, board = _everything(name)
    found = parts(plan, board)
    layout = lay_out(found, board)
    signals = [wire for wire in layout.wires if not wire.net]
    assert len(signals) == sum(len(part.signals) for part in found)
    ends = {}
    for side, row in ((-1, board.headers.left), (1, board.headers.right)):
        edge = layout.board_x + (BOARD_WIDTH if side > 0 else 0)
        for number, word in enumerate(row):
            ends[(edge, TOP + 26 * number)] = word
    starts = {}
    for place in layout.places:
        for terminal, y in zip(place.part.terminals, place.terminal_ys, strict=True):
            starts[(place.x + (PART_WIDTH if place.side < 0 else 0), y)] = terminal
    for wire in signals:
        (path,) = wire.paths
        assert starts[path[0]].label_on_board == ends[path[-1]]
    for wire in layout.wires:
        if wire.net:
            points = {point for path in wire.paths for point in path}
            assert any(ends.get(point) for point in points), wire.net
            joined = {terminal for point, terminal in starts.items() if point in points}
            wanted = {t for p in found for t in p.terminals if t.net == wire.net}
            assert joined == wanted


@pytest.mark.parametrize("name", DRAWN)
def test_words_do_not_overlap_and_stay_on_the_page(name):
    drawn = svg(*_everything(name))
    width, height = map(float, re.search(r"viewBox='0 0 (\d+) (\d+)'", drawn).groups())
    boxes = []
    for x, y, size, more, words in re.findall(
        r"<text x='([\d.]+)' y='([\d.]+)' font-size='(\d+)' fill='\S+' ([^>]*)>([^<]*)</text>",
        drawn,
    ):
        x, y, size = float(x), float(y), float(size)
        long = len(words) * size * (0.61 if "Mono" in more else 0.56)
        left = x - long if "'end'" in more else x - long / 2 if "'middle'" in more else x
        boxes.append((left, y - size * 0.8, left + long, y + size * 0.2, words))
    assert len(boxes) > 40
    for left, top, right, bottom, words in boxes:
        assert left >= 0, words
        assert right <= width, words
        assert top >= 0, words
        assert bottom <= height, words
    for a, b in itertools.combinations(boxes, 2):
        apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert apart, (a, b)


def test_the_picture_of_the_template_is_that_of_today():
    plan = compile_file(_soil())
    drawn = svg(plan, load_board(plan["board"]["name"]))
    assert (SOIL / "wiring.svg").read_text(encoding="utf-8") == drawn, (
        "run: python tests/host/test_wiring.py"
    )


def _soil(folder=None):
    """The template as `hedgerow new` makes it: a model beside it."""
    import tempfile

    from hedgerow.config.project import new_project

    folder = folder or Path(tempfile.mkdtemp())
    return new_project("soil-1", "soil", folder) / "node.toml"


def test_terminals_pull_ups_and_dividers_are_named():
    plan = compile_file(GOOD)
    found = {part.name: part for part in parts(plan, load_board("RPI_PICO_W"))}
    assert [(t.label, t.label_on_board) for t in found["air"].signals] == [
        ("SDA", "GP4"),
        ("SCL", "GP5"),
    ]
    assert "4.7 kΩ from DQ to VCC" in found["ground"].notes
    assert any("kΩ from MID to GND" in note for note in found["battery"].notes)
    assert [t.net for t in found["pump"].terminals] == ["GND", "5V", ""]


def test_the_command_writes_and_refuses(tmp_path):
    output = tmp_path / "w.svg"
    result = CliRunner().invoke(command, [str(_soil(tmp_path)), "-o", str(output)])
    assert result.exit_code == 0, result.output
    assert output.read_text(encoding="utf-8").startswith("<svg")
    plan = compile_file(GOOD)
    with pytest.raises(UsageError, match="-o"):
        write_svg(plan, load_board("RPI_PICO_W"), tmp_path / "no" / "w.svg")
    with pytest.raises(ConfigError, match="header"):
        svg(plan, load_board("MPS2_AN385"))


if __name__ == "__main__":
    PLAN = compile_file(_soil())
    write_svg(PLAN, load_board(PLAN["board"]["name"]), SOIL / "wiring.svg")
