"""Faults of boards and their lines: what tells each, its cause, its cure. One row a fault.

A check looks at Facts and says whether the fault is there; it never touches the board.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hedgerow.device.compiled import MPY_VERSION, arch_of

_MIN_VERSION = (1, 25)
_MIN_HEAP_BYTES = 30000
_MIN_FREE_PCT = 5
_MAX_BOOTS = 3  # firmware/boot/hedge_boot.py


@dataclass(frozen=True)
class Facts:
    """What was found out; None: not asked, because something before it failed.

    port_fault: why_closed(). heard: bytes before and after Ctrl-C. board: on_board/checkup.py.
    """

    n_ports: int = 1
    n_boot_loaders: int = 0
    port_fault: str | None = None
    heard: bytes | None = None
    has_repl: bool | None = None
    board_error: str | None = None
    board: dict[str, Any] | None = None
    wanted_boot: dict[str, Any] | None = field(default=None)


@dataclass(frozen=True)
class Fault:
    name: str
    cause: str
    cure: str
    found: Callable[[Facts], bool]


def _port(words: str) -> Callable[[Facts], bool]:
    return lambda facts: words in (facts.port_fault or "")


def _heard(*texts: bytes) -> Callable[[Facts], bool]:
    return lambda facts: any(text in (facts.heard or b"") for text in texts)


def _board(check: Callable[[dict[str, Any]], object]) -> Callable[[Facts], bool]:
    return lambda facts: facts.board is not None and bool(check(facts.board))


def _silent(facts: Facts) -> bool:
    return facts.has_repl is False and not facts.heard


def _noise(facts: Facts) -> bool:
    """Bytes that are no text: a UART read at another speed."""
    heard = facts.heard or b""
    strange = sum(byte > 126 or byte < 7 for byte in heard)
    return facts.has_repl is False and strange > len(heard) // 4 > 0


def _busy_app(facts: Facts) -> bool:
    heard = facts.heard or b""
    return facts.has_repl is False and b"KeyboardInterrupt" in heard and not _noise(facts)


def _no_python(facts: Facts) -> bool:
    known = (_silent, _noise, _busy_app, _heard(*_ESP_EMPTY), _heard(_BROWN_OUT), _resets)
    return facts.has_repl is False and not any(each(facts) for each in known)


def _resets(facts: Facts) -> bool:
    return (facts.heard or b"").count(b"rst:0x") >= 3


def _wrong_arch(board: dict[str, Any]) -> bool:
    """A native .mpy (bits 2..7 of byte 2 are its architecture) that is not the board's own."""
    own = board["mpy"] >> 10 & 0x3F
    heads = [found[2] for name, found in board["slot_files"].items() if name.endswith(".mpy")]
    return any(head and len(head) > 2 and head[2] >> 2 not in (0, own) for head in heads)


def _wrong_mpy(board: dict[str, Any]) -> bool:
    heads = [found[2] for name, found in board["slot_files"].items() if name.endswith(".mpy")]
    return any(head and head[:2] != [ord("M"), board["mpy"] & 0xFF] for head in heads)


def _damaged(board: dict[str, Any]) -> bool:
    files = board["slot_files"].values()
    return bool(board["current"]) and (
        not board["manifest"] or any(wanted != size for wanted, size, _ in files)
    )


def _supervised(board: dict[str, Any]) -> bool:
    return "hedge_boot" in (board["main"] or "")


_ESP_EMPTY = (b"invalid header: 0xffffffff", b"flash read err, 1000", b"No bootable app")
_BROWN_OUT = b"Brownout detector was triggered"

FAULTS = (
    Fault(
        "no-board",
        "no board is in sight: not plugged in, or the cable only charges",
        "use a cable that carries data, another USB socket, or name the port with --port",
        lambda facts: facts.n_ports == 0 and facts.n_boot_loaders == 0,
    ),
    Fault(
        "boot-loader",
        "the board is in its boot loader: it has no MicroPython running",
        "`hedgerow flash`, or press reset without holding BOOT",
        lambda facts: facts.n_ports == 0 and facts.n_boot_loaders > 0,
    ),
    Fault(
        "several-boards",
        "more than one board is plugged in",
        "choose one with --port, or set HEDGEROW_PORT",
        lambda facts: facts.n_ports > 1,
    ),
    Fault(
        "port-gone",
        "there is no such port: the board was unplugged or has another name now",
        "plug it in again and run `hedgerow doctor` without --port",
        _port("no such port"),
    ),
    Fault(
        "not-a-port",
        "the name is not that of a serial port",
        "leave --port away to see which ports there are",
        _port("not a serial port"),
    ),
    Fault(
        "no-permission",
        "you may not open the port",
        "add yourself to its group (see the details), log in again",
        _port("may not open"),
    ),
    Fault(
        "port-busy",
        "another program has the port open",
        "close its monitor, REPL or IDE",
        _port("another program"),
    ),
    Fault(
        "port-fails",
        "the system cannot open the port",
        "plug the board in again; see the details",
        _port("does not open"),
    ),
    Fault(
        "silent",
        "nothing answers: wrong --baud, no firmware, or a program with interrupts off",
        "press reset; then try --baud 115200; then `hedgerow flash`",
        _silent,
    ),
    Fault(
        "noise",
        "the bytes are no text: the speed is wrong, or the ground wire is missing",
        "try --baud 115200, then 74880 (boot messages of an ESP8266) and 921600",
        _noise,
    ),
    Fault(
        "ignores-ctrl-c",
        "the app catches KeyboardInterrupt and goes on",
        "reset the board and run the command at once; let the app catch Exception only",
        _busy_app,
    ),
    Fault(
        "brown-out",
        "the supply voltage breaks down (brown-out)",
        "a shorter cable, a stronger supply, 470 uF at the board; pumps on their own supply",
        _heard(_BROWN_OUT),
    ),
    Fault(
        "no-firmware",
        "the boot ROM finds no program in flash",
        "`hedgerow flash`",
        _heard(*_ESP_EMPTY),
    ),
    Fault(
        "firmware-loops",
        "the firmware resets again and again before MicroPython starts",
        "`hedgerow flash` with an image for this very board (flash size, PSRAM)",
        _resets,
    ),
    Fault(
        "no-raw-repl",
        "something answers, but not MicroPython's raw REPL",
        "is it CircuitPython, Arduino or another device? `hedgerow flash` puts MicroPython on it",
        _no_python,
    ),
    Fault(
        "no-file-system",
        "MicroPython runs, but its file system does not mount",
        "back up what you can, then flash it anew",
        lambda facts: facts.board_error is not None,
    ),
    Fault(
        "old-micropython",
        "MicroPython is older than 1.25",
        "`hedgerow flash` a newer one",
        _board(lambda board: tuple(board["version"]) < _MIN_VERSION),
    ),
    Fault(
        "mpy-version",
        "this MicroPython loads another version of .mpy than mpy-cross makes: sources are sent",
        "`hedgerow flash` MicroPython 1.23 or newer",
        _board(lambda board: board["mpy"] & 0xFF != MPY_VERSION),
    ),
    Fault(
        "no-native",
        "this firmware loads no machine code: inference runs in bytecode, slowly",
        "flash a firmware with native code (MICROPY_PERSISTENT_CODE_LOAD, an emitter)",
        _board(lambda board: arch_of(board["mpy"]) is None),
    ),
    Fault(
        "wrong-arch",
        "a .mpy of the app has machine code of another processor",
        "`hedgerow deploy` from the sources: it compiles for the board that it finds",
        _board(_wrong_arch),
    ),
    Fault(
        "wrong-mpy",
        "a .mpy of the app is of another version, or no .mpy at all",
        "`hedgerow deploy` again",
        _board(_wrong_mpy),
    ),
    Fault(
        "flash-full",
        f"less than {_MIN_FREE_PCT} % of the file system is free",
        "`hedgerow ls`, then `hedgerow rm` what is not needed",
        _board(lambda board: (board["fs_free_pct"] or 0) < _MIN_FREE_PCT),
    ),
    Fault(
        "read-only",
        "files cannot be written",
        "eject the board's drive on the computer; else the flash is worn out: flash it anew",
        _board(lambda board: not board["writable"]),
    ),
    Fault(
        "no-supervisor",
        "the board starts its programs itself: no way back from a bad one",
        "`hedgerow deploy` installs the supervisor; an own main.py is kept as main.before.py",
        _board(lambda board: not _supervised(board)),
    ),
    Fault(
        "supervisor-incomplete",
        "main.py asks for a supervisor that is not there",
        "`hedgerow deploy` again",
        _board(
            lambda board: (
                _supervised(board)
                and not any(name.startswith("hedge_boot.") for name in board["boot_files"])
            )
        ),
    ),
    Fault(
        "no-app",
        "the supervisor has no app to start",
        "`hedgerow deploy APP.py`",
        _board(lambda board: _supervised(board) and not board["current"]),
    ),
    Fault(
        "app-damaged",
        "files of the app are missing or have another size",
        "`hedgerow deploy` again: it sends what is missing",
        _board(_damaged),
    ),
    Fault(
        "crash-loop",
        "three boots in a row failed: the board is in safe mode",
        "read the traceback in the details, mend the app, deploy it",
        _board(lambda board: board["failed_boots"] >= _MAX_BOOTS),
    ),
    Fault(
        "crashed",
        "the app crashed at its last start",
        "read the traceback in the details",
        _board(lambda board: 0 < board["failed_boots"] < _MAX_BOOTS and board["crash"]),
    ),
    Fault(
        "watchdog",
        "a watchdog reset the board: the app stopped feeding it",
        "feed it in the main loop; an RP2040 waits 8.388 s at most: slice long work",
        _board(lambda board: board["reset_cause"] == ["WDT_RESET"] and board["failed_boots"] > 0),
    ),
    Fault(
        "low-memory",
        f"less than {_MIN_HEAP_BYTES // 1000} KB of heap are free without any app",
        "freeze modules into the firmware, deploy .mpy instead of .py, use a board with PSRAM",
        _board(lambda board: board["heap_free_bytes"] < _MIN_HEAP_BYTES),
    ),
    Fault(
        "held",
        "the next boot starts no app, because an interrupted deploy asked for that",
        "deploy again, or reset the board twice",
        _board(lambda board: board["held"]),
    ),
)
