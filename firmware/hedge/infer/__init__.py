"""Int8 inference: `Model` reads a .hgm file (SPEC.md) and runs it.

Not lazy: a module __getattr__ would break `from . import plan` on MicroPython 1.25.
"""

from .model import Model as Model
