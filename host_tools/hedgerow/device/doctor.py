"""What is wrong with a board: facts are gathered as far as they can be, a table names the faults.

The board is interrupted for it, and started again at the end.
"""

import json
from dataclasses import dataclass

from hedgerow.device.doctor_faults import FAULTS, Facts, Fault
from hedgerow.device.find import attached
from hedgerow.device.link import SerialLink
from hedgerow.device.link_errors import (
    BoardError,
    GarbledLinkError,
    LinkLostError,
    NoReplError,
    PortError,
)
from hedgerow.device.session import on_board

_LISTEN_S = 1.0


@dataclass(frozen=True)
class Diagnosis:
    """port: that was looked at, None if none was chosen. details: what the board said."""

    port: str | None
    faults: tuple[Fault, ...]
    details: str

    def text(self) -> str:
        """A paragraph a fault; one line if there is none."""
        if not self.faults:
            return f"{self.port}: no fault found"
        lines = [f"{fault.name}: {fault.cause}\n  cure: {fault.cure}" for fault in self.faults]
        return "\n".join(lines + ([self.details] if self.details else []))


def diagnose(port: str | None, *, baud: int = 115200) -> Diagnosis:
    """Look at port, or at the only board in sight. Raises nothing that is a fault of a board."""
    if port is None:
        found = attached()
        ports = [each.where for each in found if each.kind == "serial" and each.mode != "boot"]
        facts = Facts(n_ports=len(ports), n_boot_loaders=len(found) - len(ports))
        if len(ports) != 1:
            return judge(None, facts, ", ".join(ports))
        port = ports[0]
    facts = _facts(port, baud)
    return judge(port, facts, _details(facts))


def judge(port: str | None, facts: Facts, details: str) -> Diagnosis:
    """The faults of the table that the facts show."""
    return Diagnosis(port, tuple(fault for fault in FAULTS if fault.found(facts)), details)


def _facts(port: str, baud: int) -> Facts:
    try:
        with SerialLink(port, baud=baud) as link:
            return _facts_of(link)
    except PortError as error:
        return Facts(port_fault=str(error))


def _facts_of(link: SerialLink) -> Facts:
    heard = link.hear(_LISTEN_S)
    try:
        link.enter()
    except (NoReplError, LinkLostError):
        return Facts(heard=heard + link.hear(_LISTEN_S), has_repl=False)
    try:
        board = json.loads(link.run(on_board("checkup")).strip().splitlines()[-1])
    except BoardError as error:
        return Facts(heard=heard, has_repl=True, board_error=error.traceback)
    except (GarbledLinkError, LinkLostError, ValueError, IndexError):
        return Facts(heard=heard, has_repl=False)
    link.restart()
    return Facts(heard=heard, has_repl=True, board=board)


def _details(facts: Facts) -> str:
    board = facts.board or {}
    crash = board.get("crash") if board.get("failed_boots") else None
    return facts.port_fault or facts.board_error or crash or ""
