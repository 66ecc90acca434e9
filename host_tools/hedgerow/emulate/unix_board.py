"""A process of MicroPython's Unix port as a board; its files lie in a temporary folder."""

import contextlib
import tempfile
from pathlib import Path

from hedgerow.emulate.board import ALIGNMENT_BYTES, ReplBoard, on_board_source
from hedgerow.emulate.pipe_line import PipeLine
from hedgerow.errors import DeviceError
from hedgerow.toolchain.mpy import NATIVE_ARCHS
from hedgerow.toolchain.unix import ensure_micropython

_HEAP = "16M"


class UnixBoard(ReplBoard):
    """Raises ToolchainError if there is no Unix port, DeviceError if it does not start."""

    name = "unix"
    cycles_expr = "time.time_ns()"
    cycles_unit = "ns"
    cycles_wrap = 2**62

    def __init__(self) -> None:
        program = ensure_micropython().micropython
        script = Path(__file__).parent / "on_board" / "serve_raw_repl.py"
        command = [str(program), "-X", f"heapsize={_HEAP}", str(script)]
        with contextlib.ExitStack() as cleanup:
            temporary = tempfile.TemporaryDirectory(prefix="hedgerow-unix-")
            self._folder = Path(cleanup.enter_context(temporary))
            path = f"{self._folder}:{self._folder}/lib:.frozen"
            line = PipeLine(
                self.name, command, folder=self._folder, environment={"MICROPYPATH": path}
            )
            cleanup.enter_context(line)
            super().__init__(line)
            self.start("import sys, time\n")
            self.native_arch = NATIVE_ARCHS[int(self.exec("print(sys.implementation._mpy >> 10)"))]
            self._cleanup = cleanup.pop_all()

    def put(self, path: str, data: bytes) -> None:
        place = self._folder / path
        if not place.resolve().is_relative_to(self._folder.resolve()):
            raise DeviceError(f"unix: {path} is outside of the board's files: use a relative path")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)

    def blob(self, data: bytes) -> int:
        staged = self._folder / "blob"
        staged.write_bytes(data)
        call = f"print(load_blob({str(staged)!r}, {len(data)}, {ALIGNMENT_BYTES}))\n"
        printed = self.exec(on_board_source("load_blob") + call + "del load_blob\n")
        staged.unlink()
        return int(printed)

    def close(self) -> None:
        self._cleanup.close()
