"""Where parts and wires go: board in the middle, parts left and right, wires in right angles.

Pins of the board stand on a grid, terminals of the parts half a step off it, so no two horizontal
runs lie on one line. Each signal has a vertical track of its own; supplies have rails that
run along the parts. What must go to the other side passes below the board.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hedgerow.boards import Board
from hedgerow.boards.shape import PITCH
from hedgerow.wiring.parts import FIVE, GROUND, LOGIC, Part, Terminal, supply_label

TOP = 120  # first pin
BOARD_WIDTH = 230
PART_WIDTH = 250
MARGIN = 24
HEAD = 44  # of a part: name and chip
NOTE = 15
_GAP = 22  # between parts
_RAIL = 15
_TRACK = 11
_NETS = (GROUND, LOGIC, FIVE)

Point = tuple[float, float]


@dataclass(frozen=True)
class Place:
    """A part: its left and top, the height of each terminal. side: -1 left of the board, 1
    right."""

    part: Part
    side: int
    x: float
    y: float
    height: float
    terminal_ys: tuple[float, ...]


@dataclass(frozen=True)
class Wire:
    """net: of a supply, or "" for a signal; `number` is that of its pin. dots: where it is joined
    to others."""

    net: str
    number: int
    paths: tuple[tuple[Point, ...], ...]
    dots: tuple[Point, ...] = ()


@dataclass
class Layout:
    width: float = 0.0
    board_x: float = 0.0
    bottom: float = 0.0  # below all of it
    places: list[Place] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    used: set[str] = field(default_factory=set)  # labels of header pins, "GND@-1" for one side's


def lay_out(found: Sequence[Part], board: Board) -> Layout:
    """board must have headers."""
    return _Router(found, board).run()


class _Router:
    def __init__(self, found: Sequence[Part], board: Board) -> None:
        assert board.headers is not None
        self._board = board
        self._rows = {-1: board.headers.left, 1: board.headers.right}
        self._parts = {side: self._parts_of(found, side) for side in (-1, 1)}
        self._layout = Layout()
        self._signals = [(p, t) for side in (-1, 1) for p in self._parts[side] for t in p.signals]
        tracks = {side: self._tracks(side) for side in (-1, 1)}
        reach = {s: 26 + _RAIL * len(_NETS) + _TRACK * len(tracks[s]) + 22 for s in (-1, 1)}
        left = MARGIN + (PART_WIDTH if self._parts[-1] else 0) + reach[-1]
        self._layout.board_x = left
        right = left + BOARD_WIDTH + reach[1] + (PART_WIDTH if self._parts[1] else 0)
        self._layout.width = right + MARGIN
        self._edge = {-1: left, 1: left + BOARD_WIDTH}
        self._reach = reach
        self._below = TOP + max(map(len, self._rows.values())) * PITCH + 24
        self._order = tracks

    def run(self) -> Layout:
        for side in (-1, 1):
            self._place(side)
        self._tracks_in_order()
        pins = [terminal.label_on_board for _, terminal in self._signals]
        for part, terminal in self._signals:
            label = terminal.label_on_board
            number = list(dict.fromkeys(pins)).index(label)
            self._signal(number, part, terminal, is_shared=pins.count(label) > 1)
        for net in _NETS:
            self._rail(net)
        ends = [place.y + place.height for place in self._layout.places]
        self._layout.bottom = max([self._below + 8, *ends])
        return self._layout

    # ---- sides ----

    def _side_of_pin(self, label: str) -> int:
        return -1 if label in self._rows[-1] else 1

    def _side_of(self, part: Part) -> int:
        return self._side_of_pin(part.signals[0].label_on_board) if part.signals else 1

    def _parts_of(self, found: Sequence[Part], side: int) -> list[Part]:
        mine = [part for part in found if self._side_of(part) == side]
        return sorted(mine, key=lambda part: self._pin_y(part.signals[0].label_on_board))

    def _pin_y(self, label: str) -> float:
        row = self._rows[self._side_of_pin(label)]
        return TOP + PITCH * (row.index(label) if label in row else 0)

    def _tracks(self, side: int) -> list[Terminal]:
        """Signals that need a track on this side: of its parts and of its pins."""
        found = []
        for part, terminal in self._signals:
            sides = {self._side_of(part), self._side_of_pin(terminal.label_on_board)}
            if side in sides:
                found.append(terminal)
        return found

    # ---- parts ----

    def _place(self, side: int) -> None:
        x = MARGIN if side < 0 else self._layout.width - MARGIN - PART_WIDTH
        heights = [_height(part) for part in self._parts[side]]
        total = sum(heights) + _GAP * max(len(heights) - 1, 0)
        middle = TOP + max(map(len, self._rows.values())) * PITCH / 2 - PITCH / 2
        y = max(middle - total / 2, 84.0)
        for part, height in zip(self._parts[side], heights, strict=True):
            first = y + HEAD + PITCH / 2
            first += (TOP + PITCH / 2 - first) % PITCH  # onto the half grid
            y = first - HEAD - PITCH / 2
            ys = tuple(first + PITCH * i for i in range(len(part.terminals)))
            self._layout.places.append(Place(part, side, x, y, height, ys))
            y += height + _GAP

    def _terminal(self, part: Part, terminal: Terminal) -> Point:
        place = next(place for place in self._layout.places if place.part is part)
        y = place.terminal_ys[part.terminals.index(terminal)]
        return (place.x + PART_WIDTH if place.side < 0 else place.x), y

    # ---- wires ----

    def _tracks_in_order(self) -> None:
        """Wires that go down: the upper pin next to the parts; that go up: the lower one."""
        for side in (-1, 1):
            down: list[tuple[float, int, Terminal]] = []
            up: list[tuple[float, int, Terminal]] = []
            for terminal in self._order[side]:
                part = next(p for p, t in self._signals if t is terminal)
                pin_y = self._pin_y(terminal.label_on_board)
                goes_down = self._terminal(part, terminal)[1] > pin_y
                (down if goes_down else up).append((pin_y, id(terminal), terminal))
            ordered = sorted(down) + sorted(up, reverse=True)
            self._order[side] = [row[2] for row in ordered]

    def _track_x(self, side: int, terminal: Terminal) -> float:
        index = next(i for i, other in enumerate(self._order[side]) if other is terminal)
        return self._from_parts(side, 26 + _RAIL * len(_NETS) + _TRACK * index)

    def _rail_x(self, side: int, net: str) -> float:
        return self._from_parts(side, 26 + _RAIL * _NETS.index(net))

    def _from_parts(self, side: int, distance: float) -> float:
        return self._edge[side] + side * (self._reach[side] - distance)

    def _signal(self, number: int, part: Part, terminal: Terminal, *, is_shared: bool) -> None:
        label = terminal.label_on_board
        here, there = self._side_of(part), self._side_of_pin(label)
        begin, pin_y = self._terminal(part, terminal), self._pin_y(label)
        x = self._track_x(here, terminal)
        path = [begin, (x, begin[1])]
        if here != there:
            below = self._passage()
            x = self._track_x(there, terminal)
            path += [(path[-1][0], below), (x, below)]
        path += [(x, pin_y), (self._edge[there], pin_y)]
        self._layout.used.add(label)
        dots = ((x, pin_y),) if is_shared else ()
        self._layout.wires.append(Wire("", number, (tuple(path),), dots))

    def _passage(self) -> float:
        """A line of its own below the board."""
        self._below += _TRACK
        return self._below

    def _rail(self, net: str) -> None:
        """A rail along the parts of each side that need it, joined to one pin of the board."""
        taps: dict[int, list[Point]] = {-1: [], 1: []}
        for place in self._layout.places:
            for terminal in place.part.terminals:
                if terminal.net == net:
                    taps[place.side].append(self._terminal(place.part, terminal))
        label = supply_label(net, self._board)
        sides = [side for side in (-1, 1) if taps[side]]
        if not sides or not label:
            return
        lone = [side for side in sides if label not in self._rows[side]]
        below = self._passage() if lone else 0.0
        paths: list[tuple[Point, ...]] = []
        dots: list[Point] = []
        for side in (-1, 1):
            has_pin = label in self._rows[side] and (side in sides or bool(lone))
            if side in sides or has_pin:
                self._one_rail(side, net, label if has_pin else "", taps[side], below, paths, dots)
        if lone:
            paths.append(tuple((self._rail_x(side, net), below) for side in (-1, 1)))
        self._layout.wires.append(Wire(net, 0, tuple(paths), tuple(dots)))

    def _one_rail(
        self,
        side: int,
        net: str,
        label: str,
        taps: Sequence[Point],
        below: float,
        paths: list[tuple[Point, ...]],
        dots: list[Point],
    ) -> None:
        """Vertical rail over all taps, to the pin and, if need be, to the passage below."""
        x = self._rail_x(side, net)
        ys = [y for _, y in taps] + ([below] if below else [])
        if label:
            pin_y = self._nearest_pin_y(side, label, ys)
            ys.append(pin_y)
            paths.append(((x, pin_y), (self._edge[side], pin_y)))
            dots.append((x, pin_y))
            self._layout.used.add(f"{label}@{side}@{pin_y:.0f}")
        paths.append(((x, min(ys)), (x, max(ys))))
        for tap_x, tap_y in taps:
            paths.append(((tap_x, tap_y), (x, tap_y)))
            dots.append((x, tap_y))

    def _nearest_pin_y(self, side: int, label: str, ys: Sequence[float]) -> float:
        """Of several pins of that label the one in the middle of what it serves."""
        middle = sum(ys) / len(ys)
        pins = [TOP + PITCH * i for i, word in enumerate(self._rows[side]) if word == label]
        return min(pins, key=lambda y: abs(y - middle))


def _height(part: Part) -> float:
    return HEAD + PITCH * len(part.terminals) + NOTE * len(part.notes) + 8
