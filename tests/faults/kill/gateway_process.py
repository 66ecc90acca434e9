"""`hedgerow gateway` as a process on fixed ports, to be killed and started again."""

import contextlib
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil

sys.path.append(str(Path(__file__).resolve().parents[2] / "interop"))

from peers import soon
from ports import free_port

from hedgerow.transport.unix_process import die_with_parent

_HEDGEROW = Path(sys.executable).with_name("hedgerow")


def hedgerow(arguments: list[str], log) -> subprocess.Popen:
    """A command of ours as a process that ends with this one. log: a file, for all it says."""
    return subprocess.Popen(
        [str(_HEDGEROW), *arguments], stdout=log, stderr=log, preexec_fn=die_with_parent
    )


class GatewayProcess:
    """With a mosquitto of its own, or with the broker at this URL. coap_port: 0 for no CoAP."""

    def __init__(self, folder: Path, broker: str = "mosquitto", coap_port: int = 0) -> None:
        self.db = folder / "gateway.db"
        self.mqtt_port, self.http_port = free_port(), free_port()
        ports = ["--http-port", str(self.http_port), "--mqtt-port", str(self.mqtt_port)]
        ports += ["--coap", str(coap_port)] if coap_port else []
        self._arguments = ["gateway", "--db", str(self.db), *ports, "--no-time"]
        self._arguments += ["--broker", broker]
        self._log = (folder / "gateway.log").open("ab")
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        self._process = hedgerow(self._arguments, self._log)
        soon(self._healthy, f"the gateway; see {self._log.name}")

    def _healthy(self) -> bool:
        try:
            url = f"http://127.0.0.1:{self.http_port}/api/health"
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def kill_broker(self) -> None:
        """Its mosquitto; the gateway starts it again."""
        for child in psutil.Process(self._process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended by itself
                if "mosquitto" in child.name():
                    child.kill()

    def close(self) -> None:
        self.kill()
        self._log.close()
