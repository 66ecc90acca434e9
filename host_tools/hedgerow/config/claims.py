"""Which pin, bus and address of the board is taken, and by whom."""

from collections.abc import Mapping
from typing import Any

from hedgerow.config.draft import Draft
from hedgerow.config.fault import Path
from hedgerow.config.schema import is_known
from hedgerow.errors import ConfigError


class Claims:
    """Which pin and which address is taken by whom."""

    def __init__(self, draft: Draft, board: dict[str, Any]) -> None:
        self._draft = draft
        self._buses = board.get("buses", {})
        self._pins: dict[str, tuple[str, str]] = {}  # CPU pin -> (owner, why)
        self._addresses: dict[tuple[str, int], str] = {}
        self._shared: dict[tuple[str, str], str] = {}  # (CPU pin, rom) of 1-Wire sensors

    def pin(self, path: Path, row: dict[str, Any], kind: str) -> int | str | None:
        """As take(), of the row's own `pin`."""
        return self.take((*path, "pin"), row.get("pin"), row, kind)

    def take(self, at: Path, label: Any, row: dict[str, Any], kind: str) -> int | str | None:
        """What machine.Pin takes, or None; at: of the label. kind: adc, onewire, output_pin ..."""
        board = self._draft.board
        if board is None or not is_known(label):
            return None
        asks = {"adc": board.adc_pin, "input_pin": board.pin}
        ask = asks.get(kind, board.output_pin)  # 1-Wire pulls its pin low
        try:
            cpu_pin = ask(label)
        except ConfigError as error:
            message, _, expected = str(error).removeprefix(f"{board.name}: ").partition("; ")
            self._draft.fault(at, f"{message} on {board.name}", expected)
            return None
        if cpu_pin in board.caution:
            self._draft.warn(at, f"pin {label}: {board.caution[cpu_pin]}")
        self._claim(at, label, row, cpu_pin, kind)
        return board.pin_id(label)

    def _claim(self, at: Path, label: Any, row: dict[str, Any], cpu_pin: str, kind: str) -> None:
        owner, how = self._pins.get(cpu_pin, ("", ""))
        if kind == "onewire" and how == "onewire":
            self._claim_rom(at, row, cpu_pin)
        elif owner:
            message = f"pin {label} is used by {owner} already"
            self._draft.fault(at, message, "a pin of its own")
        else:
            self._pins[cpu_pin] = (str(row["name"]), kind)
            self._shared[cpu_pin, str(row.get("rom", ""))] = str(row["name"])

    def _claim_rom(self, at: Path, row: dict[str, Any], cpu_pin: str) -> None:
        """Several 1-Wire sensors share a pin if each is called by its own ROM code."""
        rom = str(row.get("rom", ""))
        if not rom or (cpu_pin, "") in self._shared or (cpu_pin, rom) in self._shared:
            owner = self._pins[cpu_pin][0]
            message = f"pin {row['pin']} is used by {owner} already"
            expected = "a pin of its own, or a rom of its own for each sensor on this wire"
            self._draft.fault(at, message, expected)
        self._shared[cpu_pin, rom] = str(row["name"])

    def i2c(self, path: Path, row: dict[str, Any], addr: int | None, max_hz: int) -> str | None:
        """The bus name, or None. The slowest chip sets the speed of its bus."""
        board, bus = self._draft.board, row.get("bus")
        if board is None or not is_known(bus):
            return None
        if bus not in board.i2c_buses:
            self._draft.unknown((*path, "bus"), f"I2C bus of {board.name}", bus, board.i2c_buses)
            return None
        if bus not in self._buses:
            self._open(path, str(bus))
        table = self._buses[bus]
        table["freq_hz"] = min(table["freq_hz"], max_hz)
        owner = self._addresses.setdefault((str(bus), addr or 0), str(row["name"]))
        if addr is not None and owner != row["name"]:
            message = f"address 0x{addr:02x} on {bus} is used by {owner} already"
            where = (*path, "addr") if "addr" in row else (*path, "name")
            self._draft.fault(where, message, "another address or another bus")
        return str(bus)

    def spi(self, path: Path, row: dict[str, Any], max_hz: int, key: str = "bus") -> str | None:
        """The bus name, or None. The slowest chip sets the speed of its bus. key: as in uart()."""
        board = self._draft.board
        bus = self._known_bus(path, row, "SPI", board.spi_buses if board else {}, key)
        if board is None or bus is None:
            return None
        if bus not in self._buses:
            table = board.spi_buses[bus]
            pins = {"sck": table.sck, "mosi": table.mosi, "miso": table.miso}
            self._lines(path, bus, "spi", table.id, pins, key)["freq_hz"] = table.freq_hz
        self._buses[bus]["freq_hz"] = min(self._buses[bus]["freq_hz"], max_hz)
        return bus

    def uart(self, path: Path, row: dict[str, Any], key: str = "bus") -> str | None:
        """The bus name, or None. A UART has one chip. key: what names the bus in the file."""
        board = self._draft.board
        bus = self._known_bus(path, row, "UART", board.uart_buses if board else {}, key)
        if board is None or bus is None:
            return None
        owner = self._addresses.setdefault((bus, 0), str(row["name"]))
        if owner != row["name"]:
            message = f"{bus} is used by {owner} already"
            self._draft.fault((*path, key), message, "a UART of its own")
        if bus not in self._buses:
            table = board.uart_buses[bus]
            self._lines(path, bus, "uart", table.id, {"tx": table.tx, "rx": table.rx}, key)
        return bus

    def _known_bus(
        self,
        path: Path,
        row: dict[str, Any],
        kind: str,
        buses: Mapping[str, Any],
        key: str = "bus",
    ) -> str | None:
        board, bus = self._draft.board, row.get("bus")
        if board is None or not is_known(bus):
            return None
        if bus not in buses:
            self._draft.unknown((*path, key), f"{kind} bus of {board.name}", bus, buses)
            return None
        return str(bus)

    def _lines(
        self,
        path: Path,
        bus: str,
        kind: str,
        number: int,
        pins: dict[str, str],
        key: str = "bus",
    ) -> dict[str, Any]:
        """Open a bus: its table for the plan, with its pins claimed."""
        board = self._draft.board
        assert board is not None
        self._claim_lines(path, bus, pins, key)
        lines = {role: board.pin_id(cpu_pin) for role, cpu_pin in pins.items()}
        self._buses[bus] = {"kind": kind, "id": number, **lines}
        table: dict[str, Any] = self._buses[bus]
        return table

    def _open(self, path: Path, bus: str) -> None:
        board = self._draft.board
        assert board is not None
        table = board.i2c_buses[bus]
        lines = {"scl": table.scl, "sda": table.sda}
        self._lines(path, bus, "i2c", table.id, lines)["freq_hz"] = table.freq_hz

    def _claim_lines(self, path: Path, bus: str, pins: dict[str, str], key: str) -> None:
        board = self._draft.board
        assert board is not None
        for role, cpu_pin in pins.items():
            owner, _ = self._pins.setdefault(cpu_pin, (f"{bus} ({role})", "bus"))
            if not owner.startswith(bus):
                label = board.labels([cpu_pin])
                message = f"{bus} needs pin {''.join(label) or cpu_pin}, used by {owner} already"
                self._draft.fault((*path, key), message, "another bus or another pin there")
