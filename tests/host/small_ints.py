"""Runs a driver with every operation on ints watched: what needs more than 31 bits shows.

    with watched("hedge.drivers.sht4x") as worst:
        ...                       # use the module as imported from there
    worst.bits, worst.where       # widest result of an operator, "sht4x.py:38"

On a 32-bit board an int beyond -2**30 to 2**30 - 1 is an object on the heap; the 64-bit Unix port
does not show it. The module's source is rewritten so that each binary operator's result is noted.
"""

import ast
import contextlib
import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any


@dataclass
class Worst:
    """The widest int that an operator gave; bits counts the sign: 31 is a small int."""

    bits: int = 0
    where: str = ""

    def note(self, value: Any, where: str) -> Any:
        if type(value) is int:
            bits = (value if value >= 0 else ~value).bit_length() + 1
            if bits > self.bits:
                self.bits, self.where = bits, where
        return value


class _Watch(ast.NodeTransformer):
    """`a + b` inside functions becomes `_note(a + b, "file:line")`; `a += b` likewise."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._inside = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self._inside += 1
        self.generic_visit(node)
        self._inside -= 1
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return self._noted(node, node.lineno) if self._inside else node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if not self._inside or not isinstance(node.target, ast.Name):
            return node
        value = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
        return ast.Assign([node.target], self._noted(value, node.lineno))

    def _noted(self, node: ast.expr, line: int) -> ast.Call:
        where = ast.Constant(f"{self._name}:{line}")
        return ast.Call(ast.Name("_note", ast.Load()), [node, where], [])


@contextlib.contextmanager
def watched(*names: str) -> Iterator[Worst]:
    """Puts watched copies of the modules in the place of the imported ones."""
    worst = Worst()
    saved = {name: importlib.import_module(name) for name in names}
    try:
        for name, module in saved.items():
            sys.modules[name] = _watched_copy(module, worst)
            setattr(
                sys.modules[name.rpartition(".")[0]], name.rpartition(".")[2], sys.modules[name]
            )
        yield worst
    finally:
        for name, module in saved.items():
            sys.modules[name] = module
            setattr(sys.modules[name.rpartition(".")[0]], name.rpartition(".")[2], module)


def _watched_copy(module: ModuleType, worst: Worst) -> ModuleType:
    path = Path(str(module.__file__))
    tree = _Watch(path.name).visit(ast.parse(path.read_text(encoding="utf-8")))
    copy = ModuleType(module.__name__)
    copy.__dict__.update(__file__=str(path), __package__=module.__package__, _note=worst.note)
    exec(compile(ast.fix_missing_locations(tree), str(path), "exec"), copy.__dict__)
    return copy
