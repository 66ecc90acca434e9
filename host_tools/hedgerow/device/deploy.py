"""Deploy an app: what changed goes into the spare slot, then one rename switches to it.

    report = deploy(Path("blink.py"), port="/dev/ttyACM0")
    print(report.text())

Whatever is interrupted, the board starts the app it had before or the new one, and the next
deploy goes on where this one was cut.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hedgerow.device.app_files import App, collect
from hedgerow.device.compiled import compiled
from hedgerow.device.deploy_plan import Files, Plan, describe, plan
from hedgerow.device.frames import file_frames, message
from hedgerow.device.link import SerialLink
from hedgerow.device.link_errors import GarbledLinkError, LinkLostError, PortError
from hedgerow.device.region_room import check_raw_flash
from hedgerow.device.session import Identity, Progress, identify, send_frames, update_boot
from hedgerow.errors import DeviceError

_RETURN_S = 15.0  # for a board that was unplugged, or reset by a watchdog
_RECEIVE = "import hedge_boot, hedge_link\nhedge_link.receive_app(hedge_boot.Slots())\n"
_HOLD = """import machine, os
if "app" in os.listdir("/"):
    open("/app/hold", "w").close()
machine.reset()
"""


@dataclass(frozen=True)
class DeployReport:
    """What a deploy did. sent_bytes: of files, before they are packed. said: the supervisor."""

    entry: str
    slot: str
    sent: tuple[str, ...]
    sent_bytes: int
    copied: tuple[str, ...]
    kept: tuple[str, ...]
    removed: tuple[str, ...]
    boot_updated: bool
    attempts: int
    seconds: float
    said: str

    def text(self) -> str:
        """Two lines for a person."""
        others = len(self.copied) + len(self.kept)
        sent = f"{len(self.sent)} sent ({self.sent_bytes:,} bytes), {others} unchanged"
        return f"{self.entry} in slot {self.slot}: {sent}, {self.seconds:.1f} s\n{self.said}"


def deploy(
    place: Path,
    *,
    port: str,
    baud: int = 115200,
    healthy_after_s: float = 10.0,
    with_hedge: bool | None = None,
    attempts: int = 3,
    told: Progress | None = None,
) -> DeployReport:
    """Deploy a .py file or a folder, and start it.

    healthy_after_s: 0 if only the app may confirm itself. with_hedge: send the modules of
    `hedge` that it imports; None: unless the firmware has them. attempts: when the line is
    garbled or the board goes away and comes back; the last one resets it to the REPL first.
    Raises DeviceError, UsageError.
    """
    begun_s = time.monotonic()
    app = collect(
        place, with_hedge=with_hedge is not False
    )  # bad input before the board is touched
    for note in app.notes:
        (told or _silent)(note)
    for attempt in range(1, attempts + 1):
        try:
            if attempt == attempts > 1:
                _hold(port, baud)
            with opened(port, baud, patient=attempt > 1) as link:
                link.enter()
                board = identify(link)
                if with_hedge is None and board.frozen_hedge:
                    app = collect(place, with_hedge=False)
                done = _Deployment(link, board, app, healthy_after_s, told).run()
                return _report(app, done, link.restart(), attempt, time.monotonic() - begun_s)
        except (LinkLostError, GarbledLinkError) as error:
            if attempt == attempts:
                raise
            if told:
                told(f"{error}; trying again")
    raise AssertionError("the last attempt returns or raises")


def _silent(_text: str) -> None:
    pass


@contextmanager
def opened(port: str, baud: int, *, patient: bool) -> Iterator[SerialLink]:
    """The port; patient: wait for a board that went away to come back."""
    end_s = time.monotonic() + (_RETURN_S if patient else 0.0)
    while True:
        try:
            link = SerialLink(port, baud=baud)
            break
        except PortError:
            if time.monotonic() >= end_s:
                raise
            time.sleep(0.2)
    with link:
        yield link


def _hold(port: str, baud: int) -> None:
    """Reset the board to the REPL without its app, whose watchdog may be what interrupts us."""
    with opened(port, baud, patient=True) as link:
        link.enter()
        link.start(_HOLD)


@dataclass(frozen=True)
class _Done:
    slot: str
    plan: Plan
    sent_bytes: int
    boot_updated: bool


class _Deployment:
    """One attempt, on a board in the raw REPL."""

    def __init__(
        self,
        link: SerialLink,
        board: Identity,
        app: App,
        healthy_after_s: float,
        told: Progress | None,
    ) -> None:
        self._link, self._board, self._app, self._told = link, board, app, told
        self._healthy_after_ms = int(healthy_after_s * 1000) or None

    def run(self) -> _Done:
        if self._app.raw_flash:
            check_raw_flash(self._link, self._app.raw_flash)
        wanted = compiled(self._app.files, self._board.arch)
        updated = update_boot(self._link, self._board)
        if updated:
            self._link.enter()  # an older supervisor may be loaded
        board = identify(self._link) if updated else self._board
        state = board.app
        if state is None:
            raise DeviceError(f"{self._link.port}: the supervisor does not start: deploy again")
        current = (state["current"] or {}).get("slot", "")
        manifest = self._manifest(wanted)
        if current and state[current] == manifest:
            return _Done(current, Plan((), (), (), tuple(wanted)), 0, updated)
        spare = state["spare"]
        active = {"a": "b", "b": "a"}[spare]
        what = plan(wanted, _files(state[spare]), _files(state[active]))
        self._check_space(what, wanted, _files(state[spare]), board)
        frames = self._frames(what, wanted, f"/app/{active}/", f"/app/{spare}/", manifest)
        send_frames(self._link, _RECEIVE, frames)
        return _Done(spare, what, what.bytes_to_send(wanted), updated)

    def _manifest(self, wanted: Mapping[str, bytes]) -> dict[str, object]:
        files = {path: list(describe(data)) for path, data in wanted.items()}
        healthy = {"healthy_after_ms": self._healthy_after_ms}
        return {"entry": self._app.entry, **healthy, "files": files}

    def _check_space(
        self, what: Plan, wanted: Mapping[str, bytes], spare: Files, board: Identity
    ) -> None:
        blocks = what.blocks_to_write(wanted, spare, board.block_bytes)
        if blocks > board.free_blocks:
            need, free = (n * board.block_bytes // 1024 for n in (blocks, board.free_blocks))
            raise DeviceError(
                f"{self._link.port}: the board's file system is full: this needs {need} KB, "
                f"{free} KB are free: remove files with `hedgerow rm`, or deploy less"
            )

    def _frames(
        self,
        what: Plan,
        wanted: Mapping[str, bytes],
        active: str,
        spare: str,
        manifest: dict[str, object],
    ) -> Iterator[bytes]:
        for path in what.remove:
            yield message("R", path)
        for path in what.copy:
            yield message("C", [active + path, spare + path])
        for path, offset in what.send:
            if self._told:
                self._told(f"{path} ({len(wanted[path]) - offset:,} bytes)")
            yield from file_frames(path, wanted[path], offset)
        yield message("M", manifest)


def _files(slot: Mapping[str, dict[str, list]]) -> Files:
    return {path: (size, sha) for path, (size, sha) in slot["files"].items()}


def _report(app: App, done: _Done, said: str, attempt: int, seconds: float) -> DeployReport:
    return DeployReport(
        entry=app.entry,
        slot=done.slot,
        sent=tuple(path for path, _ in done.plan.send),
        sent_bytes=done.sent_bytes,
        copied=done.plan.copy,
        kept=done.plan.keep,
        removed=done.plan.remove,
        boot_updated=done.boot_updated,
        attempts=attempt,
        seconds=seconds,
        said=said,
    )
