"""Where each key and value of a TOML text stands, by its path.

    where = Positions(text)
    where.key(("sensor", 0, "pin"))     # (line, column), both from 1
    where.value(("rule", 0, "when", 2))

Source: the grammar of tree-sitter-toml; node types are named in its grammar.js.
"""

import tomllib
from collections.abc import Iterator

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

from hedgerow.config.fault import Path

_HEADERS = ("table", "table_array_element")
_KEYS = ("bare_key", "quoted_key", "dotted_key")


class Positions:
    """Positions in a text that is valid TOML; a path that does not exist has its parent's."""

    def __init__(self, text: str) -> None:
        self._lines = text.encode().split(b"\n")
        self._keys: dict[Path, Node] = {}
        self._values: dict[Path, Node] = {}
        self._counts: dict[Path, int] = {}  # tables so far in each array of tables
        root = Parser(Language(tree_sitter_toml.language())).parse(text.encode()).root_node
        self._table(root, ())

    def key(self, path: Path) -> tuple[int, int]:
        """Of the key, or of the value where a path ends in an index."""
        return self._nearest(path, self._keys)

    def value(self, path: Path) -> tuple[int, int]:
        return self._nearest(path, self._values)

    def _nearest(self, path: Path, first: dict[Path, Node]) -> tuple[int, int]:
        while path:
            node = first.get(path) or self._values.get(path) or self._keys.get(path)
            if node is not None:
                return self._point(node)
            path = path[:-1]
        return 1, 1

    def _point(self, node: Node) -> tuple[int, int]:
        row, column = node.start_point
        return row + 1, len(self._lines[row][:column].decode(errors="replace")) + 1

    def _table(self, node: Node, base: Path) -> None:
        for child in node.children:
            if child.type == "pair":
                self._pair(child, base)
            elif child.type in _HEADERS:
                self._header(child)

    def _header(self, node: Node) -> None:
        key = next((child for child in node.children if child.type in _KEYS), None)
        if key is None:
            return
        path = self._resolve(tuple(_parts(key)), is_array=node.type == "table_array_element")
        self._remember(path, key, key)
        self._table(node, path)

    def _resolve(self, names: tuple[str, ...], *, is_array: bool) -> Path:
        """[[rule]] then [rule.do] is ("rule", 0, "do"): the last one of an array is meant."""
        path: Path = ()
        for name in names[:-1]:
            path += (name,)
            if path in self._counts:
                path += (self._counts[path] - 1,)
        path += (names[-1],)
        if is_array:
            self._counts[path] = self._counts.get(path, 0) + 1
            path += (self._counts[path] - 1,)
        return path

    def _pair(self, node: Node, base: Path) -> None:
        key, value = node.children[0], node.children[-1]
        path = base + tuple(_parts(key))
        self._remember(path, key, value)
        self._inside(value, path)

    def _inside(self, node: Node, path: Path) -> None:
        if node.type == "inline_table":
            self._table(node, path)
        elif node.type == "array":
            items = [c for c in node.children if c.is_named and c.type != "comment"]
            for index, item in enumerate(items):
                self._remember((*path, index), item, item)
                self._inside(item, (*path, index))

    def _remember(self, path: Path, key: Node, value: Node) -> None:
        for end in range(1, len(path) + 1):
            self._keys.setdefault(path[:end], key)
        self._keys[path] = key
        self._values[path] = value


def _parts(key: Node) -> Iterator[str]:
    """The names of a bare, quoted or dotted key."""
    if key.type == "dotted_key":
        for child in key.children:
            if child.type in _KEYS:
                yield from _parts(child)
        return
    text = (key.text or b"").decode(errors="replace")
    if key.type == "quoted_key":
        yield tomllib.loads(f"key = {text}")["key"]  # it knows TOML's escapes
    else:
        yield text
