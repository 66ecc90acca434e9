"""Read and check boards/<NAME>/: every fault names file, key and allowed values."""

import csv
import difflib
import functools
import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from hedgerow import paths
from hedgerow.boards import schema
from hedgerow.boards.board import (
    Board,
    Currents,
    FlashRegion,
    Headers,
    I2CBus,
    SPIBus,
    UARTBus,
    UsbId,
)
from hedgerow.boards.consistency import contradictions
from hedgerow.errors import ConfigError

_BUS_NAME = re.compile(r"^(i2c|spi|uart)(\d)$")
_BUS_CLASS = {"i2c": I2CBus, "spi": SPIBus, "uart": UARTBus}
_HEADER = ["label", "cpu_pin"]


def board_names(root: Path | None = None) -> list[str]:
    """Names that load_board() takes, sorted. root: another folder than boards/."""
    root = root or paths.share_dir("boards")
    return sorted(path.parent.name for path in root.glob("*/board.json"))


@functools.cache
def load_board(name: str, root: Path | None = None) -> Board:
    """The board of boards/<name>/. Raises ConfigError listing every fault of its files.

    Cached: a board does not change while a command runs.
    """
    root = root or paths.share_dir("boards")
    names = board_names(root)
    if name not in names:
        near = difflib.get_close_matches(name.upper(), names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(f"no board {name!r}; {hint}boards: {', '.join(names) or 'none'}")
    return _read(root / name)


def _read(folder: Path) -> Board:
    json_path, csv_path = folder / "board.json", folder / "pins.csv"
    raw = _read_json(json_path)
    faults = _bus_faults(raw)
    try:
        data = schema.BoardFile.model_validate(raw)
    except ValidationError as error:
        others = (item for item in error.errors() if not _in_a_bus(item["loc"]))
        faults = [_explain(item) for item in others] + faults
    _raise_if(json_path, faults)
    pins = _read_pins(csv_path)
    _raise_if(json_path, contradictions(data, pins))
    return _board(folder.name, data, pins)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON: {error}") from error


def _read_pins(path: Path) -> dict[str, str]:
    """Rows label,cpu_pin under that header; blank lines and # comments are skipped."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    pins: dict[str, str] = {}
    faults = []
    for number, row in enumerate(csv.reader(lines), start=1):
        if not row or row[0].startswith("#") or (number == 1 and row == _HEADER):
            continue
        if len(row) != 2 or not all(cell and cell == cell.strip() for cell in row):
            faults.append(f"line {number}: expected label,cpu_pin, got {','.join(row)!r}")
        elif row[0] in pins:
            faults.append(f"line {number}: label {row[0]!r} stands twice")
        else:
            pins[row[0]] = row[1]
    _raise_if(path, faults)
    return pins


def _raise_if(path: Path, faults: list[str]) -> None:
    if faults:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in faults))


def _explain(item: Any) -> str:
    """One line from one pydantic error: key, what is there, what may be there."""
    key = ".".join(str(part) for part in item["loc"]) or "(whole file)"
    if item["type"] == "extra_forbidden":
        return f"{key}: unknown key; allowed: {', '.join(_known_keys(item['loc']))}"
    if item["type"] == "missing":
        return f"{key}: missing"
    if item["type"] == "literal_error":
        return f"{key}: {item['input']!r}; allowed: {item['ctx']['expected']}"
    return f"{key}: {item['input']!r}: {item['msg']}"


def _known_keys(loc: tuple[Any, ...]) -> list[str]:
    model: type[BaseModel] = schema.BoardFile
    if len(loc) > 1 and loc[0] == "hedge" and loc[1] != "buses":
        model = schema.PARTS.get(loc[1], schema.Hedge) if len(loc) > 2 else schema.Hedge
    return sorted(model.model_fields)


def _in_a_bus(loc: tuple[Any, ...]) -> bool:
    return loc[:2] == ("hedge", "buses") and len(loc) > 2


def _bus_faults(raw: Any) -> list[str]:
    """Buses are checked by their name's kind: a union would report every kind's faults."""
    hedge = raw.get("hedge") if isinstance(raw, dict) else None
    buses = hedge.get("buses") if isinstance(hedge, dict) else None
    if not isinstance(buses, dict):
        return []
    faults = []
    for name, table in buses.items():
        match = _BUS_NAME.match(name)
        if not match:
            faults.append(f"hedge.buses.{name}: allowed: i2c<n>, spi<n>, uart<n> with one digit")
            continue
        faults += _one_bus_faults(name, match[1], table)
    return faults


def _one_bus_faults(name: str, kind: str, table: Any) -> list[str]:
    model = schema.BUSES[kind]
    try:
        model.model_validate(table)
    except ValidationError as error:
        keys = ", ".join(model.model_fields)
        return [
            f"hedge.buses.{name}.{'.'.join(map(str, e['loc']))}: {e['msg']}; keys: {keys}"
            for e in error.errors()
        ]
    return []


def _buses(hedge: schema.Hedge, kind: str) -> dict[str, Any]:
    found = {}
    for name, bus in hedge.buses.items():
        match = _BUS_NAME.match(name)
        if match and match[1] == kind:
            found[name] = _BUS_CLASS[kind](id=int(match[2]), **bus.model_dump())
    return found


def _board(name: str, data: schema.BoardFile, pins: dict[str, str]) -> Board:
    hedge = data.hedge
    return Board(
        name=name,
        product=data.product,
        vendor=data.vendor,
        mcu=data.mcu,
        url=data.url,
        features=tuple(data.features),
        port=hedge.port,
        firmware=hedge.firmware or name,
        flash_method=hedge.flash_method,
        flash_offset=_flash_offset(data),
        mpy_arch=hedge.mpy_arch,
        flash_bytes=hedge.flash_bytes,
        ram_bytes=hedge.ram_bytes,
        psram_bytes=hedge.psram_bytes,
        heap_bytes_measured=hedge.heap_bytes_measured,
        flash_layout=tuple(FlashRegion(**row.model_dump()) for row in hedge.flash_layout),
        usb=tuple(UsbId(int(row.vid, 16), int(row.pid, 16), row.mode) for row in hedge.usb),
        headers=_headers(hedge.headers),
        currents=Currents(**hedge.currents.model_dump()) if hedge.currents else None,
        pins=pins,
        adc_pins=tuple(hedge.adc_pins),
        input_only=tuple(hedge.input_only),
        reserved=hedge.reserved,
        caution=hedge.caution,
        i2c_buses=_buses(hedge, "i2c"),
        spi_buses=_buses(hedge, "spi"),
        uart_buses=_buses(hedge, "uart"),
        source=hedge.source,
    )


def _flash_offset(data: schema.BoardFile) -> int | None:
    offset = data.deploy_options.get("flash_offset")
    return None if offset is None else int(offset, 0)


def _headers(rows: schema.Headers | None) -> Headers | None:
    return None if rows is None else Headers(rows.usb_at_top, tuple(rows.left), tuple(rows.right))
