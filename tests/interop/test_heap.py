"""Client, link, uplink and store run in a heap of 64 KB; their code is in ROMFS, as in flash."""

from pathlib import Path

import pytest
import romfs
from gateway_stub import GatewayStub
from node import Node

from hedgerow import paths

pytestmark = pytest.mark.interop

_UPY = Path(__file__).with_name("upy")
_ROOMS = ("core", "wire", "store", "net")


@pytest.fixture
def rom(micropython, tmp_path):
    """ROMFS image of the rooms under test."""
    mpy_cross = micropython.with_name("mpy-cross")
    if not mpy_cross.exists():
        pytest.skip(f"no mpy-cross beside {micropython}")
    package = paths.firmware_dir() / "hedge"
    sources = [s for room in _ROOMS for s in sorted((package / room).glob("*.py"))]
    modules = ["__init__.py"] + [f"{s.parent.name}/{s.name}" for s in sources]
    path = tmp_path / "hedge.rom"
    path.write_bytes(romfs.image(mpy_cross, package, modules, _UPY / "heap.py", tmp_path))
    return path


@pytest.mark.parametrize(
    ("store", "heap"),
    [
        ("list", "64k"),  # client and uplink, in 64 KB of 64-bit words
        ("log", "64wk"),  # the store as well; w: as many words as 64 KB are on a 32-bit board
    ],
)
def test_64_kilobytes_are_enough(mosquitto_broker, micropython, rom, tmp_path, store, heap):
    args = {"port": mosquitto_broker.port, "dir": str(tmp_path / "log"), "records": 300}
    script = _UPY / "boot_rom.py"
    args["ack_timeout_ms"] = 60000  # a machine that stands still ends no session
    args |= {"rom": str(rom), "device": "bed-3", "script": script, "path": [], "store": store}
    args["most_pending"] = 8 if store == "list" else 300  # a list lives in the heap, the log not
    with GatewayStub(mosquitto_broker.port) as gateway:
        with Node(micropython, "heap", heap=heap, **args) as node:
            result = node.result()
        assert len(gateway.rows()) == 300
    assert result["sessions"] == 1
    print(f"{store}, heap {heap}, bytes in use: {result}")
