"""The wiring picture of a node: its board, its sensors and actuators, what joins them."""

from hedgerow.wiring.drawing import svg, write_svg
from hedgerow.wiring.parts import Part, Terminal, parts

__all__ = ("Part", "Terminal", "parts", "svg", "write_svg")
