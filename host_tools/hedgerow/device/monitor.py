"""What a board prints, line by line, through resets and unplugging; values of it to plot.

for line in lines("/dev/ttyACM0"):
    print(line, values(line))
for text, is_picture in shown(lines("/dev/ttyACM0"), Plot(), lambda: (80, 24)):
    print(text)
"""

import itertools
import math
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from hedge.net.serial_lines import MARK, unpack
from hedgerow.device.link import SerialLink
from hedgerow.device.link_errors import LinkLostError, PortError

_READ_S = 0.2
_AGAIN_S = 0.3
_POINTS = 300  # of a plotted series
_DRAW_S = 0.5
_FRAME_ROWS = 4  # of a picture: its box, the times below it, their unit
_COLOURS = ("green+", "blue+", "magenta+", "cyan+", "red+")  # a terminal's own, on light and dark
# name=value, value with or without a unit behind it: "soil=23.5 % pump=1"
_VALUE = re.compile(r"([A-Za-z_][\w.\-/]*)\s*=\s*([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)")


def lines(
    port: str, *, baud: int = 115200, wait_s: float | None = None, for_s: float | None = None
) -> Iterator[str]:
    """Lines without their ends; "monitor: ..." when the board goes and comes back.

    wait_s: how long to wait for a board that is away, None: for ever. for_s: how long to listen,
    None: for ever. Raises PortError if it is not there to begin with, or does not come back.
    """
    end_s = math.inf if for_s is None else time.monotonic() + for_s
    return _lines(SerialLink(port, baud=baud), baud, wait_s, end_s)


def _lines(link: SerialLink, baud: int, wait_s: float | None, end_s: float) -> Iterator[str]:
    port = link.port
    while True:
        with link:
            yield from _until_lost(link, end_s)
        if time.monotonic() >= end_s:
            return
        yield f"monitor: {port} is gone, waiting for it"
        link = _back(port, baud, wait_s)
        yield f"monitor: {port} is back"


def _until_lost(link: SerialLink, end_s: float) -> Iterator[str]:
    rest = b""
    while time.monotonic() < end_s:
        try:
            rest += link.read(_READ_S)
        except LinkLostError:
            if rest:
                yield _text(rest)
            return
        *whole, rest = rest.split(b"\n")
        yield from (_text(line) for line in map(_logged, whole) if line is not None)


def _back(port: str, baud: int, wait_s: float | None) -> SerialLink:
    begun_s = time.monotonic()
    while True:
        try:
            return SerialLink(port, baud=baud)
        except PortError:
            if wait_s is not None and time.monotonic() - begun_s > wait_s:
                raise
            time.sleep(_AGAIN_S)


def _logged(line: bytes) -> bytes | None:
    """What the board logged of a line; None if it is only a message to `hedgerow bridge`."""
    at = line.rfind(MARK)
    if at < 0 or unpack(line[at:].rstrip(b"\r")) is None:
        return line
    return line[:at] or None


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r")


def values(line: str) -> dict[str, float]:
    """The name=value pairs of a line."""
    return {name: float(value) for name, value in _VALUE.findall(line)}


class Plot:
    """The last values of each name, drawn as text."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        """names: the only ones to draw; none: all that come."""
        self._names = names
        self._series: dict[str, deque[tuple[float, float]]] = {}
        self._begun_s = time.monotonic()

    def add(self, found: dict[str, float], at_s: float | None = None) -> bool:
        """Take the values of a line; at_s: its time, default now. True if some are drawn."""
        now_s = time.monotonic() - self._begun_s if at_s is None else at_s
        wanted = {k: v for k, v in found.items() if not self._names or k in self._names}
        for name, value in wanted.items():
            self._series.setdefault(name, deque(maxlen=_POINTS)).append((now_s, value))
        return bool(wanted)

    def draw(self, width: int, height: int, *, colour: bool = True) -> str:
        """The picture, lines of text."""
        import plotext

        plotext.clear_figure()
        plotext.plotsize(width, height)
        plotext.theme("clear")
        for (name, points), of in zip(self._series.items(), itertools.cycle(_COLOURS)):
            plotext.plot([t for t, _ in points], [v for _, v in points], label=name, color=of)
        plotext.ylim(*self._limits(height))
        plotext.xlabel("s")
        drawn: str = plotext.build()
        return drawn if colour else plotext.uncolorize(drawn)

    def _limits(self, height: int) -> tuple[float, float]:
        """Of the values, with room for the names above them; height: of the picture, in rows."""
        found = [value for points in self._series.values() for _, value in points]
        lowest, highest = min(found), max(found)
        span = highest - lowest or abs(highest) or 1.0
        n_names, n_rows = len(self._series), height - _FRAME_ROWS
        room = span * n_names / max(n_rows - n_names, 1)
        return (lowest, highest + room) if highest > lowest else (lowest - span, highest + span)


def shown(
    found: Iterable[str],
    plot: Plot | None,
    size: Callable[[], tuple[int, int]],
    *,
    colour: bool = True,
) -> Iterator[tuple[str, bool]]:
    """(text, is it a picture) to show: lines as they are, or a plot of their values.

    plot: None shows lines only. size: (columns, rows) of the terminal now. A picture stands for
    all lines with values since the one before; the first comes with the first value.
    """
    drawn_s = -math.inf
    for line in found:
        if plot is None or not plot.add(values(line)):
            yield line, False
        elif time.monotonic() - drawn_s > _DRAW_S:
            width, height = size()
            yield plot.draw(width, height - 2, colour=colour), True
            drawn_s = time.monotonic()
