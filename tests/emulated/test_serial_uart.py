"""The serial link over a UART of the emulated Pico: the bridge's session is what hangs on it."""

import pytest

from hedgerow import paths
from hedgerow.bridge.session import Session
from hedgerow.device.app_files import add_imports
from hedgerow.device.compiled import compiled
from hedgerow.emulate.chips.uart_chip import UARTChip
from hedgerow.emulate.pico.board import PicoBoard

PROGRAM = """
import asyncio
import machine
from hedge.net.link import make_link
uart = machine.UART(0, tx=machine.Pin(0), rx=machine.Pin(1), rxbuf=512)
async def main():
    link = make_link({"kind": "serial", "uart": uart}, "bed-3", b"info")
    print(await link.connect())
    for size in (1, 200):
        await link.send(bytes(range(size)))
        print(len(await asyncio.wait_for(link.recv(), 5)))
    await link.close()
    await asyncio.sleep_ms(50)  # the last bytes are on the wire
    print(link.damaged)
asyncio.run(main())
"""


class Host(UARTChip):
    """A computer at the other end of the cable, whose broker answers each frame with itself."""

    BAUD = 115200
    ready, sessions, failures, reason = True, 1, 0, ""

    def __init__(self, now_ms):
        super().__init__(now_ms)
        self.frames, self.texts, self.told, self.info = [], [], [], b""
        self._session = Session(self._send, self._enter, self._text, self.told.append)

    def hear(self, data):
        self._session.feed(bytes(data), self._now_ms() / 1000)

    def _send(self, line):
        self.say(line, self._now_ms())

    def _enter(self, name, on_ack):
        self._on_ack = on_ack
        return self

    def _text(self, name, line):
        self.texts.append(line)

    def set_info(self, info):
        self.info = info

    def publish(self, frame):
        self.frames.append(frame)
        self._on_ack(frame)
        return True

    def close(self):
        self.ready = False


@pytest.fixture
def pico(need_target):
    need_target("pico")
    with PicoBoard() as board:
        top = paths.firmware_dir()
        files = {"hedge/net/serial_link.py": top / "hedge" / "net" / "serial_link.py"}
        add_imports(files, [top])
        folders = sorted({name.rpartition("/")[0] for name in files})
        board.exec(f"import os\nfor name in {folders}: os.mkdir(name)")
        for name, data in compiled(files, board.native_arch).items():
            board.put(name, data)
        yield board


@pytest.mark.soak
def test_frames_and_acks_cross_a_uart(pico):
    host = Host(pico.now_ms)
    pico.attach_uart(0, host)
    assert pico.exec(PROGRAM).split() == ["False", "1", "200", "0"]
    assert host.frames == [b"\x00", bytes(range(200))]
    assert (host.info, host.texts) == (b"info", [])
    assert host.told == ["bed-3: online", "bed-3: offline"]
