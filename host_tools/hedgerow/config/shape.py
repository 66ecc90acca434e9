"""The schema pass: right sections, right keys, right types and ranges; fills in defaults."""

from typing import Any

from hedgerow.config import schema
from hedgerow.config.draft import Draft
from hedgerow.config.fault import Path, listed, nearest
from hedgerow.config.keys import KINDS, REQUIRED, Key, Section
from hedgerow.config.source import BROKEN


def apply_schema(draft: Draft) -> None:
    """Fill draft.tables from the source's data and note every fault of shape."""
    data = draft.source.data
    names = [section.name for section in schema.SECTIONS]
    for name in data:
        if name not in names and not name.startswith(BROKEN):
            _unknown_section(draft, name, names)
    for section in schema.SECTIONS:
        draft.tables[section.name] = _section(draft, section, data.get(section.name))


def _unknown_section(draft: Draft, name: str, names: list[str]) -> None:
    is_section = isinstance(draft.source.data[name], (dict, list))
    what = "section" if is_section else "key outside of any section"
    draft.fault((name,), f"unknown {what} {name!r}", listed(names), nearest(name, names), key=True)


def _section(draft: Draft, section: Section, raw: Any) -> Any:
    if raw is None:
        return _absent(draft, section)
    if section.many or (section.either and isinstance(raw, list)):
        rows = raw if isinstance(raw, list) else [raw]
        return [_row(draft, section, (section.name, i), row) for i, row in enumerate(rows)]
    return _row(draft, section, (section.name,), raw)


def _absent(draft: Draft, section: Section) -> Any:
    if section.required:
        header = f"[[{section.name}]]" if section.many else f"[{section.name}]"
        draft.fault((), f"no {header} in this file", f"{header}: {section.doc}")
    if section.name == "store":
        return {key.name: key.default for key in section.keys}
    return [] if section.many else None


def _row(draft: Draft, section: Section, path: Path, raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict):
        draft.fault(path, f"{section.name} is not a section", f"[{section.name}] on its own line")
        raw = {key.name: BROKEN for key in section.keys if key.default is REQUIRED}
    if section.by_kind:
        section = section.of_kind(raw.get("kind", next(iter(section.by_kind))))
    row = {key.name: _value(draft, section, key, path, raw) for key in section.keys}
    for name, value in raw.items():
        if section.key(name) is None:
            row.update(_other(draft, section, path, name, value))
    return row


def _other(draft: Draft, section: Section, path: Path, name: str, value: Any) -> dict[str, Any]:
    """A key that is not in the table: a driver parameter, or a mistake."""
    if section.more or value == BROKEN:
        return {name: value}
    names = [key.name for key in section.keys]
    of = [kind for kind, keys in section.by_kind.items() if name in [key.name for key in keys]]
    message = f"unknown key {name!r} in {_header(section)}"
    if of:
        message = f"{name!r} is a key of kind = {' or '.join(of)}, not of this one"
    draft.fault((*path, name), message, listed(names), nearest(name, names), key=True)
    return {}


def _header(section: Section) -> str:
    return f"[[{section.name}]]" if section.many else f"[{section.name}]"


def _value(draft: Draft, section: Section, key: Key, path: Path, raw: dict[str, Any]) -> Any:
    here = (*path, key.name)
    if key.name not in raw:
        if key.default is REQUIRED:
            _missing(draft, section, key, path, raw)
            return BROKEN
        return key.default
    value = raw[key.name]
    if value == BROKEN:
        return BROKEN
    open_table = schema.TABLES.get(f"{section.name}.{key.name}")
    if open_table and isinstance(value, dict):
        return _open_table(draft, open_table, here, value)
    return value if check_value(draft, here, key, value) else BROKEN


def _missing(draft: Draft, section: Section, key: Key, path: Path, raw: dict[str, Any]) -> None:
    """A required key; if a misspelt one stands there, that one's fault says it all."""
    known = [k.name for k in section.keys]
    if any(name not in known and nearest(name, known) == key.name for name in raw):
        if section.more:  # there _other did not complain
            wrong = next(n for n in raw if n not in known and nearest(n, known) == key.name)
            message = f"unknown key {wrong!r} in {_header(section)}"
            draft.fault((*path, wrong), message, listed(known), key.name, key=True)
            raw[wrong] = BROKEN
        return
    draft.fault(
        path, f"no {key.name} in {_header(section)}", f"{key.name} = ..., {key.doc}", key=True
    )


def _open_table(draft: Draft, section: Section, path: Path, raw: dict[str, Any]) -> dict[str, Any]:
    """A table whose keys are the user's own; all values are of one kind."""
    row = {}
    for name, value in _flat(raw).items():
        key = Key(name, section.values, section.doc)
        here = (*path, *_path_of(raw, name))
        good = value == BROKEN or check_value(draft, here, key, value)
        row[name] = value if good else BROKEN
    return row


def _flat(raw: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """soil.vwc = 1 without quotes is a table in a table; both ways of writing mean the same."""
    flat = {}
    for name, value in raw.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat


def _path_of(raw: dict[str, Any], name: str) -> Path:
    return (name,) if name in raw else tuple(name.split("."))


def open_path(draft: Draft, path: Path, name: str) -> Path:
    """Path in the source of a key of an open table, written with quotes or without."""
    raw: Any = draft.source.data
    for part in path:
        raw = raw[part]
    return (*path, *_path_of(raw, name))


def check_value(draft: Draft, path: Path, key: Key, value: Any) -> bool:
    """True if value is of the key's kind, in its range and among its choices."""
    kind = KINDS[key.kind]
    if not kind.accepts(value):
        draft.fault(path, f"{key.name} = {_shown(value)}", _expected(key, kind.expected))
        return False
    if key.choices and value not in key.choices:
        near = nearest(value, key.choices)
        draft.fault(path, f"{key.name} = {_shown(value)}", listed(key.choices), near)
        return False
    low = key.low is not None and value < key.low
    if low or (key.high is not None and value > key.high):
        draft.fault(path, f"{key.name} = {_shown(value)} is out of range", _expected(key, ""))
        return False
    return True


def _expected(key: Key, kind: str) -> str:
    if key.choices:
        return listed(key.choices)
    if key.low is None:
        return kind
    span = f"{key.low:g} to {key.high:g}" if key.high is not None else f"{key.low:g} or more"
    return f"{kind}, {span}" if kind else span


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list)):
        return "a table" if isinstance(value, dict) else "a list"
    return f'"{value}"' if isinstance(value, str) else str(value)
