"""Values in lines, their plot, and a board that comes and goes (a pty)."""

import os
import pty
import re
import tty
from xml.etree import ElementTree

import pytest

from hedge.net.serial_lines import pack
from hedgerow.device.link_errors import PortError
from hedgerow.device.monitor import Plot, lines, shown, values
from hedgerow.device.plot_svg import terminal_svg


def test_values_of_a_line():
    assert values("soil=23.5 % temp = -4 x=1e3 note=dry") == {"soil": 23.5, "temp": -4, "x": 1000}
    assert values("a == b, no values") == {}


def test_a_plot_shows_its_series_and_only_the_chosen_ones():
    plot = Plot(("soil",))
    assert plot.add({"soil": 20.0, "temp": 5.0}, 0.0)
    assert not plot.add({"temp": 6.0}, 1.0)
    plot.add({"soil": 30.0}, 2.0)
    drawn = plot.draw(60, 15, colour=False)
    assert "soil" in drawn
    assert "temp" not in drawn
    assert "20" in drawn
    assert "\x1b" not in drawn
    assert len(drawn.rstrip("\n").split("\n")) <= 15


def test_the_names_stand_above_the_values():
    plot = Plot()
    for at_s in range(40):
        plot.add({"soil": 20.0 + at_s, "limit": 59.0}, at_s)
    rows = plot.draw(60, 20, colour=False).split("\n")
    named = [row for row in rows if "soil" in row or "limit" in row]
    assert len(named) == 2
    assert not set("▀▄▌▐▖▗▘▙▚▛▜▝▟█") & set("".join(named))


def test_one_value_alone_and_one_that_never_changes_are_drawn():
    for value in (0.0, -3.5, 7.0):
        plot = Plot()
        plot.add({"level": value}, 0.0)
        assert "level" in plot.draw(60, 15, colour=False)


def test_a_picture_of_a_plot_is_svg_with_all_its_text_and_colours():
    plot = Plot()
    for at_s in range(9):
        plot.add({"soil": 20.0 + at_s, "dry": 25.0}, at_s)
    tree = ElementTree.fromstring(terminal_svg(plot.draw(60, 15), title="monitor <1>"))
    space = "{http://www.w3.org/2000/svg}"
    text = "".join(element.text for element in tree.iter(f"{space}text"))
    assert "$ monitor <1>" in text
    assert "soil" in text
    assert not set("▀▄▌▐▖▗▘▙▚▛▜▝▞▟█─│┌┐└┘┤┬") & set(text)
    paths = list(tree.iter(f"{space}path"))
    assert {"#56d364", "#6cb6ff"} <= {path.get("fill") for path in paths}
    lefts = [float(x) for path in paths for x in re.findall(r"M([\d.]+) ", path.get("d"))]
    assert max(lefts) < float(tree.get("width"))


class Cable:
    """A board that only prints, at a path that stays the same."""

    def __init__(self, path):
        self.path = path
        self.plug_in()

    def plug_in(self):
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.path.symlink_to(os.ttyname(self.slave))

    def prints(self, data):
        os.write(self.master, data)

    def unplug(self):
        os.close(self.slave)
        os.close(self.master)
        self.path.unlink()


def test_lines_go_on_after_unplugging(tmp_path):
    cable = Cable(tmp_path / "port")
    found = lines(str(cable.path), wait_s=90)
    cable.prints(b"soil=1\r\nhalf a li")
    assert next(found) == "soil=1"
    cable.unplug()
    assert next(found) == "half a li"
    assert next(found).endswith("is gone, waiting for it")
    cable.plug_in()
    assert next(found).endswith("is back")
    cable.prints(b"soil=2\r\n")
    assert next(found) == "soil=2"
    cable.unplug()


def test_frames_for_the_bridge_are_no_lines(tmp_path):
    cable = Cable(tmp_path / "port")
    found = lines(str(cable.path), wait_s=90)
    cable.prints(pack("U", b"frame") + b"soil=1\n>>> " + pack("H", b"hello") + b"#~ soil=2\n")
    assert [next(found) for _ in range(3)] == ["soil=1", ">>> ", "#~ soil=2"]
    cable.unplug()


def test_a_board_that_stays_away_is_an_error_in_the_end(tmp_path):
    cable = Cable(tmp_path / "port")
    found = lines(str(cable.path), wait_s=0.1)
    cable.prints(b"x\n")
    assert next(found) == "x"
    cable.unplug()
    assert next(found).endswith("waiting for it")
    with pytest.raises(PortError, match="no such port"):
        next(found)


def test_the_first_value_is_drawn_at_once_and_what_has_none_is_shown_as_it_is():
    found = ["boot: slot a starts main", "soil=20 %", "soil=21 %", "done"]
    plain, drawn, last = shown(found, Plot(), lambda: (60, 20), colour=False)
    assert plain == ("boot: slot a starts main", False)
    assert drawn[1]
    assert "soil" in drawn[0]
    assert last == ("done", False)
    assert list(shown(found, None, lambda: (60, 20))) == [(line, False) for line in found]


def test_listening_for_a_time_ends_by_itself(tmp_path):
    cable = Cable(tmp_path / "port")
    found = lines(str(cable.path), for_s=4)
    cable.prints(b"soil=1\nhalf")
    assert list(found) == ["soil=1"]
    cable.unplug()
