"""A `hedgerow` command that runs until it is killed, and starts again."""

from pathlib import Path

from gateway_process import hedgerow


class Tool:
    """What it prints is added to log."""

    def __init__(self, log: Path, *arguments: str) -> None:
        self._log, self._arguments = log.open("ab"), list(arguments)

    def start(self) -> None:
        self._process = hedgerow(self._arguments, self._log)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        self._log.close()
