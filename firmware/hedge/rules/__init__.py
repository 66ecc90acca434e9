"""Rules: facts of a tick in, decisions with causes out. Pure; see README.md."""

from .conditions import Facts, build, fixed
from .controller import Controller, Decision
from .guard import Guard
from .rule import Rule

__all__ = ("Controller", "Decision", "Facts", "Guard", "Rule", "build", "fixed")
