"""What a wiring picture shows: each sensor and actuator with its terminals, from a plan.

From -> to: the compiled node file and the board's data in, names of header pins out. What a
module's own print calls its terminals differs from maker to maker; these are the usual words.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hedgerow.boards import Board
from hedgerow.drivers import drivers

GROUND, LOGIC, FIVE = "GND", "3V3", "5V"  # nets of the supply
_FIVE_LABELS = ("VSYS", "5V", "VBUS", "VCC")  # silkscreen; VSYS runs from a battery too
_NEEDS_FIVE = ("echo", "output_pin", "pwm", "ws2812")  # modules that are made for 5 V
_CONTACTS = ("anemometer", "rain_gauge")  # a switch: no supply

_SIGNAL = {
    "adc": "AOUT",
    "dht": "DATA",
    "input_pin": "OUT",
    "onewire": "DQ",
    "output_pin": "IN",
    "pwm": "SIG",
    "ws2812": "DIN",
}
_NOTES = {
    "dht": ("10 kΩ from DATA to VCC",),
    "echo": ("echo is 5 V: through 1 kΩ, and 2 kΩ", "from the board's pin to GND"),
    "i2c": ("4.7 kΩ from SDA and SCL to VCC:", "most modules have them on board"),
    "onewire": ("4.7 kΩ from DQ to VCC",),
}


@dataclass(frozen=True)
class Terminal:
    """label: on the part. net: GROUND, LOGIC or FIVE, or "" for a signal; label_on_board: the
    header pin that a signal goes to."""

    label: str
    net: str = ""
    label_on_board: str = ""


@dataclass(frozen=True)
class Part:
    """One sensor or actuator. notes: resistors and the like, a line each."""

    name: str
    chip: str
    terminals: tuple[Terminal, ...]
    notes: tuple[str, ...] = ()

    @property
    def signals(self) -> tuple[Terminal, ...]:
        return tuple(terminal for terminal in self.terminals if not terminal.net)


def parts(plan: Mapping[str, Any], board: Board) -> list[Part]:
    """All of a node, in file order."""
    rows = [*plan["sensors"], *plan["actuators"]]
    return [_part(row, plan["board"]["buses"], board) for row in rows]


def supply_label(net: str, board: Board) -> str:
    """What is printed beside a pin of that net, "" if the board brings none out."""
    words = board.headers.left + board.headers.right if board.headers else ()
    wanted = {GROUND: ("GND", "AGND"), LOGIC: ("3V3",), FIVE: _FIVE_LABELS}[net]
    return next((word for word in wanted if word in words), "")


def _part(row: Mapping[str, Any], buses: Mapping[str, Any], board: Board) -> Part:
    kind, where = row["bus"]
    divider = _divider(row)
    signals = tuple(
        Terminal("MID" if divider else label, label_on_board=_label(board, pin))
        for label, pin in _signals(kind, where, buses, drivers()[row["driver"]]["pins"])
    )
    power = Terminal("VCC", FIVE if kind in _NEEDS_FIVE and supply_label(FIVE, board) else LOGIC)
    supply = () if divider or row["driver"] in _CONTACTS else (power,)
    notes = divider or _NOTES.get(kind, ())
    if kind == "output_pin":
        notes = (
            "VCC: see the module, often 5 V",
            "its load has a supply of its own",
        )
    chip = drivers()[row["driver"]]["chip"]
    return Part(row["name"], chip, (Terminal("GND", GROUND), *supply, *signals), notes)


def _signals(
    kind: str, where: Any, buses: Mapping[str, Any], roles: Sequence[Sequence[str]]
) -> Iterator[tuple[str, Any]]:
    """(label on the part, pin of the plan): a CPU pin's number or name."""
    if kind == "i2c":
        yield from (("SDA", buses[where]["sda"]), ("SCL", buses[where]["scl"]))
    elif kind == "uart":  # crossed over
        yield from (("TX", buses[where]["rx"]), ("RX", buses[where]["tx"]))
    elif kind == "spi":
        bus = buses[where[0]]
        yield from (("SCK", bus["sck"]), ("MOSI", bus["mosi"]), ("MISO", bus["miso"]))
        yield "CS", where[1]
    elif isinstance(where, Sequence) and not isinstance(where, str):
        yield from ((role[0].upper(), pin) for role, pin in zip(roles, where, strict=True))
    else:
        yield _SIGNAL.get(kind, "SIG"), where


def _label(board: Board, pin: Any) -> str:
    """The silkscreen of a CPU pin; its own name if a header does not bring it out."""
    cpu_pin = f"GPIO{pin}" if isinstance(pin, int) else str(pin)
    words = board.headers.left + board.headers.right if board.headers else ()
    named = [label for label, other in board.pins.items() if other == cpu_pin]
    return next((label for label in named if label in words), named[0] if named else cpu_pin)


def _divider(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What a voltage divider is made of, () for other drivers."""
    params = drivers()[row["driver"]]["params"]
    if not {"r_top_ohm", "r_bottom_ohm"} <= set(params):
        return ()
    top, bottom = (
        row["args"].get(key, params[key][1]) / 1000 for key in ("r_top_ohm", "r_bottom_ohm")
    )
    return (f"{top:g} kΩ from the battery's + to MID", f"{bottom:g} kΩ from MID to GND")
