"""The bridge: a thread for each port, a client at the broker for each board.

with Bridge(["/dev/ttyACM0"], address, told=print) as bridge:
    bridge.wait()
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from hedgerow.bridge.client import DeviceClient
from hedgerow.bridge.session import Client, Refused, Session
from hedgerow.device.link import SerialLink
from hedgerow.device.link_errors import LinkLostError, PortError
from hedgerow.gateway.mqtt import BrokerAddress, use_account

_READ_S = 0.05
_AGAIN_S = 0.5
_SCAN_S = 3.0

Told = Callable[[str], None]
OnText = Callable[[str, str], None]


class Bridge:
    """Runs while its `with` block runs.

    ports: names or URLs of serial ports; none: every board in sight, also those that come later.
    told(text): what happens to boards and broker. on_text(board or port, line): what boards print.
    Raises PortError if a port that was named does not open, GatewayError if the address names a
    certificate that is none.
    """

    def __init__(
        self,
        ports: Sequence[str],
        address: BrokerAddress,
        *,
        baud: int = 115200,
        told: Told = lambda text: None,
        on_text: OnText = lambda name, line: None,
        find: Callable[[], Sequence[str]] | None = None,
    ) -> None:
        self._ports, self._baud, self._address = list(ports), baud, address
        self._told, self._on_text = told, on_text
        self._find = find or boards_in_sight
        self._stop = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._closed: set[str] = set()  # ports in sight that did not open, told once
        self._owners: dict[str, str] = {}  # device -> port
        self._lock = threading.Lock()
        self.sessions: dict[str, Session] = {}  # port -> the session at it

    def __enter__(self) -> Self:
        use_account(paho.Client(CallbackAPIVersion.VERSION2), self._address)
        opened: list[tuple[str, SerialLink]] = []
        try:
            for port in self._ports:
                opened.append((port, SerialLink(port, baud=self._baud)))
        except PortError:
            for _, link in opened:
                link.close()
            raise
        for port, link in opened:
            self._start(port, link)
        if not self._ports:
            self._threads[""] = threading.Thread(target=self._scan, name="bridge-scan")
            self._threads[""].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        scan = self._threads.pop("", None)  # first: it starts others
        if scan is not None:
            scan.join()
        for thread in self._threads.values():
            thread.join()

    def wait(self) -> None:
        """Until stop() or a signal's exception."""
        while not self._stop.wait(1.0):
            pass

    def stop(self) -> None:
        """End wait() and all threads, from any thread."""
        self._stop.set()

    def _start(self, port: str, link: SerialLink) -> None:
        thread = threading.Thread(target=self._serve, args=(port, link), name=f"bridge {port}")
        self._threads[port] = thread
        thread.start()

    def _scan(self) -> None:
        """Start a thread for each board that came."""
        while not self._stop.is_set():
            for port in self._find():
                thread = self._threads.get(port)
                if thread is None or not thread.is_alive():
                    self._try(port)
            self._stop.wait(_SCAN_S)

    def _try(self, port: str) -> None:
        try:
            link = SerialLink(port, baud=self._baud)
        except PortError as error:
            if port not in self._closed:
                self._told(str(error))
            self._closed.add(port)
            return
        self._closed.discard(port)
        self._start(port, link)

    def _serve(self, port: str, link: SerialLink | None) -> None:
        """Until the bridge ends; a port that was found, not named, until it is gone."""
        while link is not None:
            self._told(f"{port}: open")
            self._until_lost(port, link)
            if self._stop.is_set() or not self._ports:
                return
            link = self._back(port)

    def _until_lost(self, port: str, link: SerialLink) -> None:
        sending = threading.Lock()

        def send(line: bytes) -> None:
            try:
                with sending:
                    link.send(line)
            except LinkLostError:
                return  # the reader finds out too

        def on_text(name: str, line: bytes) -> None:
            self._on_text(name or port, line.decode("utf-8", "replace"))

        session = Session(send, self._enter_at(port), on_text, self._told)
        self.sessions[port] = session
        reason = "the bridge ends"
        try:
            with link:
                while not self._stop.is_set():
                    data = link.read(_READ_S)
                    now_s = time.monotonic()
                    session.feed(data, now_s)
                    session.tick(now_s)
                session.end(reason)
        except LinkLostError as error:
            self._told(str(error))
        finally:
            session.end()
            with self._lock:
                self._owners = {d: p for d, p in self._owners.items() if p != port}

    def _back(self, port: str) -> SerialLink | None:
        """The port, once it is there again; None if the bridge ends first."""
        while not self._stop.wait(_AGAIN_S):
            try:
                return SerialLink(port, baud=self._baud)
            except PortError:
                continue  # told when it went
        return None

    def _enter_at(self, port: str) -> Callable[[str, Callable[[bytes], None]], Client]:
        def enter(device: str, on_ack: Callable[[bytes], None]) -> Client:
            with self._lock:
                owner = self._owners.setdefault(device, port)
                if owner != port:
                    raise Refused(f"the board at {owner} is called {device} too")
            return DeviceClient(self._address, device, on_ack)

        return enter


def boards_in_sight() -> list[str]:
    """Serial ports of attached boards that are not in their boot loader."""
    from hedgerow.device.find import attached

    return [board.where for board in attached() if board.kind == "serial" and board.mode != "boot"]
