"""Reads a node file so that one mistake in its syntax does not hide the next.

    source = read_source(path, arrays={"sensor", "rule"}, tables={"node"})
    source.faults   # syntax only
    source.data     # what could be understood; BROKEN stands for what could not
    source.where    # Positions

`tomllib` is the judge of what is TOML. It stops at the first mistake; the statement with the
mistake is then replaced, line for line, by one that cannot be wrong, and the file is read again.
"""

import re
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hedgerow.config.fault import Fault, nearest
from hedgerow.errors import ConfigError

if TYPE_CHECKING:
    from hedgerow.config.positions import Positions

BROKEN = "\u2612 not understood"  # as a value: a fault was reported, ask no more

_MAX_FAULTS = 100
_AT = re.compile(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.S)
_HEADER = re.compile(r"^\s*\[{1,2}\s*[A-Za-z\"'\u2612][^\],]*\]{0,3}\s*(#.*)?$")
_PAIR = re.compile(r"^\s*([A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(\s*\.\s*[\w\"'-]+)*\s*=")
_WORD = re.compile(r"^\s*([A-Za-z0-9_-]+)\b")
_BARE = re.compile(r"[^\s,#\]}=]+")
_ENDLESS = re.compile(r"[\d_]{4301,}")
_CURLY_QUOTES = "\u201c\u201d\u2018\u2019\u201e"


@dataclass
class Source:
    file: str
    data: dict[str, Any]
    text: str  # mended: always TOML
    faults: list[Fault] = field(default_factory=list)

    @cached_property
    def where(self) -> "Positions":
        """Made when the first fault asks for it: a good file needs none."""
        from hedgerow.config.positions import Positions

        return Positions(self.text)


def read_source(path: Path, arrays: set[str], tables: set[str]) -> Source:
    """arrays, tables: section names that are written [[so]] and [so]; used to mend headers.

    Raises ConfigError only if the file cannot be read at all.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name a node file, e.g. node.toml") from error
    reader = _Reader(str(path), _decode(raw), arrays, tables)
    data = reader.read()
    faults = _not_utf8(str(path), raw) + reader.faults
    return Source(str(path), data, "\n".join(reader.lines), faults)


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")


def _not_utf8(file: str, raw: bytes) -> list[Fault]:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode(errors="replace")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        return [Fault(file, line, column, "a byte that is not UTF-8", "a file saved as UTF-8")]
    return []


def _is_start(line: str) -> bool:
    return bool(_HEADER.match(line) or _PAIR.match(line))


class _Reader:
    """Repairs `lines` in place until they are TOML."""

    def __init__(self, file: str, text: str, arrays: set[str], tables: set[str]) -> None:
        self._file = file
        self._arrays = arrays
        self._tables = tables
        self._mended: set[int] = set()
        self.lines = text.split("\n")
        self.faults: list[Fault] = []

    def read(self) -> dict[str, Any]:
        self._check_header_brackets()
        for _ in range(_MAX_FAULTS):
            try:
                return tomllib.loads("\n".join(self.lines))
            except tomllib.TOMLDecodeError as error:
                self._mend(str(error))
            except ValueError as error:
                self._mend_endless_number(error)
        raise ConfigError(f"{self._file}: more than {_MAX_FAULTS} mistakes; is this a node file?")

    def _fault(
        self, line: int, column: int, message: str, expected: str = "", near: str = ""
    ) -> None:
        self.faults.append(Fault(self._file, line, column, message, expected, near))

    def _check_header_brackets(self) -> None:
        """[sensor] for [[sensor]] and the other way round are TOML, but not meant."""
        for number, line in enumerate(self.lines, start=1):
            match = re.match(r"^(\s*)(\[{1,2})\s*([\w-]+)\s*(\]{1,2})\s*(#.*)?$", line)
            if not match or len(match[2]) != len(match[4]):
                continue
            wanted = self._header(match[3])
            if wanted and wanted != match[2] + match[3] + match[4]:
                shown = match[2] + match[3] + match[4]
                self._fault(number, len(match[1]) + 1, f"{shown} here", wanted)
                self.lines[number - 1] = match[1] + wanted

    def _header(self, name: str) -> str:
        if name in self._arrays:
            return f"[[{name}]]"
        return f"[{name}]" if name in self._tables else ""

    def _mend(self, error: str) -> None:
        match = _AT.match(error)
        message = match[1] if match else error
        line = int(match[2]) if match and match[2] else len(self.lines)
        column = int(match[3]) if match and match[3] else 1
        at_end = not (match and match[2])
        start = self._statement_start(line)
        head = self.lines[start - 1]
        if head.lstrip().startswith("["):
            self._mend_header(start, message)
        elif message.startswith("Cannot"):
            self._mend_duplicate(start)
        elif line > start and (at_end or _is_start(self.lines[line - 1])):
            self._mend_unclosed(start)
        elif line > start and line not in self._mended:
            self._mend_element(line, column, message)
        else:
            self._explain(line, column, message)
            self._replace(start, self._next_start(line))

    def _mend_endless_number(self, error: ValueError) -> None:
        """Python reads no int of more digits, and tomllib does not say where it stands."""
        for number, text in enumerate(self.lines, start=1):
            match = _ENDLESS.search(text)
            if match:
                self._fault(number, match.start() + 1, f"a number of {len(match[0])} digits")
                self._replace(self._statement_start(number), self._next_start(number))
                return
        raise ConfigError(f"{self._file}: {error}") from error

    def _statement_start(self, line: int) -> int:
        """First line of the statement at `line`: all that stands before it is TOML by itself."""
        if self._is_toml(line - 1):
            return line
        for start in range(line - 1, 1, -1):
            if _is_start(self.lines[start - 1]) and self._is_toml(start - 1):
                return start
        return 1

    def _is_toml(self, count: int) -> bool:
        try:
            tomllib.loads("\n".join(self.lines[:count]))
        except ValueError:
            return False
        return True

    def _next_start(self, line: int) -> int:
        """Number of the next line that begins a statement, after `line`."""
        for number in range(line + 1, len(self.lines) + 1):
            if _is_start(self.lines[number - 1]):
                return number
        return len(self.lines) + 1

    def _replace(self, start: int, end: int) -> None:
        """Lines start .. end-1 become `key = BROKEN`, or nothing if no key can be seen."""
        head = self.lines[start - 1]
        match = _PAIR.match(head) or _WORD.match(head)
        repeated = BROKEN in head
        for number in range(start, end):
            self.lines[number - 1] = ""
        if match and not repeated:
            key = match[0].rstrip().removesuffix("=")
            self.lines[start - 1] = f'{key} = "{BROKEN}"'

    def _mend_header(self, line: int, message: str) -> None:
        text = self.lines[line - 1]
        indent = len(text) - len(text.lstrip())
        name = re.sub(r"[\s\[\]\"']|#.*", "", text)
        known = self._arrays | self._tables
        meant = name if name in known else nearest(name, known)
        if message.startswith("Cannot"):
            self._fault(line, indent + 1, f"section [{name}] stands twice", "one of them")
            self.lines[line - 1] = f'["{BROKEN} {line}"]'
            return
        wanted = self._header(meant) or "[section] or [[section]]"
        self._fault(line, indent + 1, f"a section is not written {text.strip()}", wanted)
        self.lines[line - 1] = self._header(meant) or f'["{BROKEN} {line}"]'

    def _mend_duplicate(self, line: int) -> None:
        text = self.lines[line - 1]
        key = _PAIR.match(text)
        name = key[0].rstrip("= \t").strip() if key else text.strip()
        first = self._first_line_of(name, line)
        again = f"; it is on line {first} already" if first else ""
        column = len(text) - len(text.lstrip()) + 1
        self._fault(line, column, f"{name} stands twice{again}")
        end = self._next_start(line)
        for number in range(line, end):
            self.lines[number - 1] = ""

    def _first_line_of(self, name: str, before: int) -> int:
        for number in range(before - 1, 0, -1):
            text = self.lines[number - 1]
            if _HEADER.match(text):
                return 0
            match = _PAIR.match(text)
            if match and match[0].rstrip("= \t").strip() == name:
                return number
        return 0

    def _mend_unclosed(self, start: int) -> None:
        text = self.lines[start - 1]
        if not _is_start(text):
            self._mend_stray_quote(start)
            return
        value = text.index("=") + 1
        match = re.search(r"\"\"\"|'''|[\[{]", text[value:])
        what = match[0] if match else "value"
        column = value + (match.start() if match else 0) + 1
        self._fault(start, column, f"this {what} is never closed")
        self._replace(start, self._next_start(start))

    def _mend_stray_quote(self, start: int) -> None:
        """Before a header, say; tomllib looks for the other one to the end of the file."""
        ends = range(start, len(self.lines) + 1)
        line = next((end for end in ends if not self._is_toml(end)), start)
        text = self.lines[line - 1]
        self._fault(line, len(text) - len(text.lstrip()) + 1, "the quotes are not closed")
        self._replace(line, line + 1)
        self.lines[line - 1] = self.lines[line - 1] or self._header(
            re.sub(r"[\s\[\]\"']", "", text)
        )

    def _mend_element(self, line: int, column: int, message: str) -> None:
        """A mistake in one line of a long array: the other lines are read all the same."""
        self._mended.add(line)
        text = self.lines[line - 1]
        is_first = column == len(text) - len(text.lstrip()) + 1
        if message.startswith("Unclosed array") and is_first and text[:1] in (" ", "\t"):
            self._fault(line, column, "no comma between this and what stands before")
            self.lines[line - 1] = "," + text[1:]
            return
        self._explain(line, column, message)
        self.lines[line - 1] = f'    "{BROKEN}",'

    def _explain(self, line: int, column: int, message: str) -> None:
        text = self.lines[line - 1]
        shown, expected = _explain(message, text, column)
        self._fault(line, min(column, len(text) + 1), shown, expected)


def _explain(message: str, text: str, column: int) -> tuple[str, str]:
    """tomllib's words, in the words of someone who never read the TOML specification."""
    rest = text[column - 1 :]
    token = _BARE.match(rest)
    word = token[0] if token else ""
    if any(quote in text for quote in _CURLY_QUOTES):
        return "curly quotes", 'straight quotes: "'
    if message.startswith("Expected '=' after a key") and re.search(r"\d,\d", text):
        return "a comma in a number", "a decimal point: 14.5"
    if message.startswith("Expected '=' after a key"):
        return "no = after the name", "name = value"
    if message == "Invalid value" and not word:
        return ("two = signs" if rest[:1] == "=" else "no value after the ="), "name = value"
    if message == "Invalid value":
        return f"{word} is not a value", _as_value(word)
    if message.startswith(("Illegal character '\\n'", "Illegal character '\\r'")):
        return "the quotes are not closed on this line", 'text in quotes: "text"'
    if message.startswith("Unescaped '\\'"):
        return "a \\ inside double quotes", "\\\\ or single quotes"
    if message.startswith("Expected newline or end of document"):
        return _too_much(text, rest)
    if message.startswith(("Unclosed array", "Unclosed inline table")):
        return "a comma or a closing bracket is missing before this", ""
    if message.startswith("Cannot"):
        return "this name stands twice", ""
    return message[0].lower() + message[1:], ""


def _as_value(word: str) -> str:
    if word.lower() in ("true", "false"):
        return word.lower()
    if word.lower() in ("yes", "on", "no", "off"):
        return "true" if word.lower() in ("yes", "on") else "false"
    if re.match(r"^[+-]?\.\d", word):
        return word.replace(".", "0.", 1)
    return f'a number or text in quotes: "{word}"'


def _too_much(text: str, rest: str) -> tuple[str, str]:
    if re.match(r"^,\d", rest):
        return "a comma in a number", "a decimal point: 14.5"
    if re.search(r"=\s*\d\d?:\d\d", text):
        return "a time without quotes", 'text in quotes: "05:00"'
    if re.search(r"=\s*0\d", text):
        return "a number that begins with 0", "text in quotes, or a number without the 0"
    if re.match(r"^\.\s|^\.$", rest):
        return "a number that ends in a point", "digits after the point: 1.0"
    return f"{rest.strip()!r} after the value", "one name = value on a line"
